// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IKeyOrigin} from "../interfaces/IVerifier.sol";

/// @title A verifier as it was before keys were stated: it believes everything, unit tests only
contract MuteVerifier is IKeyOrigin {
    /// @inheritdoc IKeyOrigin
    string public constant KEY_ORIGIN = "insecure-development";

    /// @notice Whether the proof holds, which it does.
    function verifyProof(
        uint256[2] calldata,
        uint256[2][2] calldata,
        uint256[2] calldata,
        uint256[3] calldata
    ) external pure returns (bool) {
        return true;
    }
}
