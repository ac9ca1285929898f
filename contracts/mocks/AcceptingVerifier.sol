// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IExitVerifier, IKeyOrigin, IVerifier} from "../interfaces/IVerifier.sol";

/// @title A verifier that believes everything unless told otherwise: unit tests only
/// @dev Its key origin lets KeyGate refuse it wherever money could be at stake.
contract AcceptingVerifier is IVerifier, IExitVerifier, IKeyOrigin {
    /// @inheritdoc IKeyOrigin
    string public constant KEY_ORIGIN = "insecure-development";

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
