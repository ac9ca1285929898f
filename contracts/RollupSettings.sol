// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {RollupState} from "./RollupState.sol";
import {IRollup, RollupConfig} from "./interfaces/IRollup.sol";
import {IExitVerifier, IVerifier} from "./interfaces/IVerifier.sol";
import {ExitMode} from "./libraries/ExitMode.sol";
import {OperationQueue} from "./libraries/OperationQueue.sol";
import {OperatorSeat} from "./libraries/OperatorSeat.sol";

/// @title RollupSettings
/// @dev All that governance can change, each by a proposal that waited longer than a forced
/// operation and an exit take. Nothing here is asked by a forced operation, a freeze, a claim or a
/// payment, but for the exit verifier, which no longer changes once there is a freeze.
abstract contract RollupSettings is RollupState {
    using ExitMode for ExitMode.State;
    using OperationQueue for OperationQueue.State;
    using OperatorSeat for OperatorSeat.State;

    constructor(RollupConfig memory config) RollupState(config) {}

    /// @dev A change waits for overdue operations to be served, or never comes: whoever was owed
    /// a service under the old rules freezes under the old rules, and need not be quick.
    modifier onlyGovernance() {
        if (msg.sender != address(governance)) {
            revert CallerNotGovernance(msg.sender, address(governance));
        }
        _exits.checkLive();
        if (_queue.start != _queue.end) {
            uint256 deadline = _queue.oldestQueuedAt() + forcedDeadline;
            if (block.timestamp >= deadline) revert ChangeWhileOverdue(deadline, block.timestamp);
        }
        _;
    }

    modifier onlyPauser() {
        if (address(governance) == address(0) || !governance.mayPause(msg.sender)) {
            revert CallerMayNotPause(msg.sender);
        }
        _;
    }

    /// @inheritdoc IRollup
    function setVerifiers(
        IVerifier trade,
        IVerifier ledger,
        IExitVerifier exit_
    ) external onlyGovernance {
        _setVerifiers(trade, ledger, exit_);
        emit VerifiersChanged(trade, ledger, exit_);
    }

    /// @inheritdoc IRollup
    function setOracleSet(uint256 oracleSetHash_) external onlyGovernance {
        oracleSetHash = oracleSetHash_;
        emit OracleSetChanged(oracleSetHash_);
    }

    /// @inheritdoc IRollup
    function setOperator(address operator_) external onlyGovernance {
        _seat.seat(operator_);
        emit OperatorChanged(operator_);
    }

    /// @inheritdoc IRollup
    function setMinimumDeposit(uint256 minimumDeposit_) external onlyGovernance {
        _setMinimumDeposit(minimumDeposit_);
        emit MinimumDepositChanged(minimumDeposit_);
    }

    /// @inheritdoc IRollup
    function pause() external onlyPauser {
        uint256 end = _seat.pause(pauseDuration, forcedDeadline);
        emit Paused(msg.sender, end);
    }

    /// @inheritdoc IRollup
    function unpause() external onlyPauser {
        _seat.unpause();
        emit Unpaused(msg.sender);
    }
}
