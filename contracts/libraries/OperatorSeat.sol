// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Who submits batches, and the pause: one slot, since every batch reads all of it
/// @dev A pause ends by itself and another may only begin after a rest, so that no guardian can
/// hold deposits and batches for longer than the pauses' share of time. Nothing else asks it.
library OperatorSeat {
    struct State {
        address operator;
        /// @dev Unix seconds until which deposits and batches wait, or when the last wait ended.
        uint48 pausedUntil;
        /// @dev Unix seconds from which another pause may begin.
        uint48 pausableAt;
    }

    error OperatorZero();
    error PausedUntil(uint256 end, uint256 timestamp);
    error PauseTooSoon(uint256 pausableAt, uint256 timestamp);
    error NotPaused();

    function seat(State storage self, address operator) internal {
        if (operator == address(0)) revert OperatorZero();
        self.operator = operator;
    }

    /// @notice Nobody submits from now on: for a freeze, after which nothing fills the seat again.
    function vacate(State storage self) internal {
        self.operator = address(0);
    }

    /// @notice Pauses for `duration`; the next pause begins `rest` after its end at the earliest.
    function pause(
        State storage self,
        uint256 duration,
        uint256 rest
    ) internal returns (uint256 end) {
        uint256 earliest = self.pausableAt;
        if (block.timestamp < earliest) revert PauseTooSoon(earliest, block.timestamp);
        end = block.timestamp + duration;
        self.pausedUntil = SafeCast.toUint48(end);
        self.pausableAt = SafeCast.toUint48(end + rest);
    }

    /// @notice Ends a pause early. The rest before the next one stays as long.
    function unpause(State storage self) internal {
        if (block.timestamp >= self.pausedUntil) revert NotPaused();
        self.pausedUntil = SafeCast.toUint48(block.timestamp);
    }

    function checkNotPaused(State storage self) internal view {
        uint256 end = self.pausedUntil;
        if (block.timestamp < end) revert PausedUntil(end, block.timestamp);
    }
}
