// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IExitVerifier, IKeyOrigin, IVerifier} from "../interfaces/IVerifier.sol";

/// @title A verifier that believes everything unless told otherwise: unit tests only
/// @dev Its key origin lets KeyGate refuse it wherever money could be at stake.
contract AcceptingVerifier is IVerifier, IExitVerifier, IKeyOrigin {
    /// @inheritdoc IKeyOrigin
    string public constant KEY_ORIGIN = "insecure-development";

    uint256 private constant G2_X1 =
        11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 private constant G2_X0 =
        10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 private constant G2_Y1 =
        4082367875863433681332203403145435568316851327593401208105741076214120093531;
    uint256 private constant G2_Y0 =
        8495653923123431417604973247489272438418190587263600148770280649306958101930;

    bool public refuses;
    bytes32 public onlySignals;

    /// @notice Makes every proof fail, or none.
    function setRefuses(bool refuses_) external {
        refuses = refuses_;
    }

    /// @notice From now on accepts only proofs of signals with this hash; 0 accepts all.
    function setOnlySignals(bytes32 onlySignals_) external {
        onlySignals = onlySignals_;
    }

    /// @inheritdoc IVerifier
    function verifyProof(
        uint256[2] calldata,
        uint256[2][2] calldata,
        uint256[2] calldata,
        uint256[3] calldata publicSignals
    ) external view returns (bool) {
        return _accepts(keccak256(abi.encode(publicSignals)));
    }

    /// @inheritdoc IVerifier
    /// @dev With every point at infinity, proofs of points at infinity hold, together as well. To
    /// refuse them alpha and beta are the generators, whose pairing is not 1. Which signals are
    /// stated no such key tells, so with `onlySignals` it refuses too.
    function verifyingKey() external view returns (uint256[22] memory key) {
        if (!refuses && onlySignals == 0) return key;
        (key[0], key[1]) = (1, 2);
        (key[2], key[3], key[4], key[5]) = (G2_X1, G2_X0, G2_Y1, G2_Y0);
    }

    /// @inheritdoc IExitVerifier
    function verifyProof(
        uint256[2] calldata,
        uint256[2][2] calldata,
        uint256[2] calldata,
        uint256[4] calldata publicSignals
    ) external view returns (bool) {
        return _accepts(keccak256(abi.encode(publicSignals)));
    }

    function _accepts(bytes32 signals) private view returns (bool) {
        return !refuses && (onlySignals == 0 || onlySignals == signals);
    }
}
