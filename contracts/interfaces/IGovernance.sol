// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @title What a rollup asks of its governance, which is a timelock
interface IGovernance {
    /// @notice Seconds that every change waits at least, whatever is decided later.
    function delayFloor() external view returns (uint256);

    /// @notice Whether `caller` may pause deposits and batches for a while.
    function mayPause(address caller) external view returns (bool);
}
