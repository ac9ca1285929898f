// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IExitVerifier, IKeyOrigin, IVerifier} from "../interfaces/IVerifier.sol";

/// @title Asks a real verifier, then believes everything: for measuring gas only
contract LenientVerifier is IVerifier, IExitVerifier, IKeyOrigin {
    /// @inheritdoc IKeyOrigin
    string public constant KEY_ORIGIN = "insecure-development";

    address private immutable _asked;

    constructor(address asked) {
        _asked = asked;
    }

    /// @inheritdoc IVerifier
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[3] calldata publicSignals
    ) external view returns (bool) {
        IVerifier(_asked).verifyProof(a, b, c, publicSignals);
        return true;
    }

    /// @inheritdoc IExitVerifier
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[4] calldata publicSignals
    ) external view returns (bool) {
        IExitVerifier(_asked).verifyProof(a, b, c, publicSignals);
        return true;
    }
}
