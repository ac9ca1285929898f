// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants} from "../generated/ProtocolConstants.sol";

/// @notice A Baby Jubjub key as it goes into the queue. (0, 0) is no key.
/// @param index Which of the account's keys.
/// @param expiry Unix seconds from which the key signs nothing.
/// @param x First coordinate.
/// @param y Second coordinate.
struct Key {
    uint8 index;
    uint32 expiry;
    uint256 x;
    uint256 y;
}

/// @title Checks of keys at the door, so that nothing enters the queue that no proof can serve
library TradingKeys {
    uint256 private constant R = ProtocolConstants.FIELD_MODULUS;
    /// @dev Baby Jubjub in twisted Edwards form: A x^2 + y^2 = 1 + D x^2 y^2.
    uint256 private constant A = 168700;
    uint256 private constant D = 168696;

    error KeyIndexTooLarge(uint256 index, uint256 count);
    error KeyNotOnCurve(uint256 x, uint256 y);
    /// @notice Without a key its index and expiry have no meaning and must be 0.
    error KeyAbsentButDescribed(uint256 index, uint256 expiry);

    function isAbsent(Key calldata key) internal pure returns (bool) {
        return key.x == 0 && key.y == 0;
    }

    /// @notice Accepts a point of the curve, or (0, 0), which revokes the key at the index.
    function check(Key calldata key) internal pure {
        if (key.index >= ProtocolConstants.KEYS_PER_ACCOUNT) {
            revert KeyIndexTooLarge(key.index, ProtocolConstants.KEYS_PER_ACCOUNT);
        }
        if (isAbsent(key)) return;
        if (key.x >= R || key.y >= R) revert KeyNotOnCurve(key.x, key.y);
        uint256 xx = mulmod(key.x, key.x, R);
        uint256 yy = mulmod(key.y, key.y, R);
        uint256 left = addmod(mulmod(A, xx, R), yy, R);
        uint256 right = addmod(1, mulmod(D, mulmod(xx, yy, R), R), R);
        if (left != right) revert KeyNotOnCurve(key.x, key.y);
    }

    /// @notice As `check`, for a deposit, where (0, 0) means that no key comes with the money.
    function checkOptional(Key calldata key) internal pure {
        if (isAbsent(key) && (key.index != 0 || key.expiry != 0)) {
            revert KeyAbsentButDescribed(key.index, key.expiry);
        }
        check(key);
    }
}
