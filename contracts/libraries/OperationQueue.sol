// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ProtocolConstants} from "../generated/ProtocolConstants.sol";
import {Key} from "./TradingKeys.sol";

/// @notice What an owner orders. Fields that the kind does not use are 0.
/// @param kind Code of the ledger operation.
/// @param account The account that it is for.
/// @param amount 1e-6 USDC.
/// @param slot Series place of a position that is to be closed.
/// @param lots How much of it, at most.
/// @param key Trading key.
struct Request {
    uint256 kind;
    uint256 account;
    uint256 amount;
    uint256 slot;
    uint256 lots;
    Key key;
}

/// @notice An operation that layer one ordered.
/// @param digest Hash of its four public words, as the batch that serves it must state them.
/// @param queuedAt Unix seconds.
/// @param account The account that it is for.
/// @param amount 1e-6 USDC; 0 for a key.
/// @param kind Code of the ledger operation.
/// @param refunded Whether a deposit was paid back after the freeze.
struct QueuedOperation {
    bytes32 digest;
    uint40 queuedAt;
    uint32 account;
    uint64 amount;
    uint8 kind;
    bool refunded;
}

/// @title First-in-first-out queue of what layer one orders the ledger to do
/// @dev Invariant I8: every operation is served once, in order, or the rollup can be frozen.
/// Two lanes lead to its end: while few operations wait, entering is free; after that it costs a
/// premium that grows with each one that waits, so that filling the queue never shuts anybody out.
library OperationQueue {
    /// @dev Operations that may wait before entering has a price. An operator who takes a minute
    /// for each ledger batch of seven clears them in about an hour.
    uint256 internal constant ORDINARY_OPERATIONS = 512;
    /// @dev By how much the premium grows with each operation above that, wei.
    uint256 internal constant PREMIUM_STEP = 0.0001 ether;

    uint256 private constant EXECUTED = 1 << ProtocolConstants.LEDGER_OP_EXECUTED_OFFSET;
    uint256 private constant AMOUNT =
        ((1 << ProtocolConstants.LEDGER_OP_AMOUNT_BITS) - 1) <<
            ProtocolConstants.LEDGER_OP_AMOUNT_OFFSET;

    struct State {
        /// @dev Id of the oldest operation that no batch has served.
        uint256 start;
        /// @dev Id that the next operation will get.
        uint256 end;
        /// @dev Sum of deposits that no batch has served and nobody was refunded.
        uint256 unservedDeposits;
        mapping(uint256 id => QueuedOperation) operations;
    }

    error QueueEmpty(uint256 end);
    error OperationUnequal(uint256 queueId, bytes32 expected, bytes32 actual);
    error CloseAtOlderMarks(uint256 queueId, uint256 snapshotTime, uint256 queuedAtMs);
    error OperationNotDeposit(uint256 queueId, uint256 kind);
    error OperationAlreadyServed(uint256 queueId, uint256 start);
    error OperationUnknown(uint256 queueId, uint256 end);
    error DepositAlreadyRefunded(uint256 queueId);

    /// @notice Whether a ledger operation may only come from this queue.
    function isQueueKind(uint256 kind) internal pure returns (bool) {
        return
            kind == ProtocolConstants.LEDGER_KIND_DEPOSIT ||
            kind == ProtocolConstants.LEDGER_KIND_REGISTER_KEY ||
            kind == ProtocolConstants.LEDGER_KIND_FORCED_WITHDRAW ||
            kind == ProtocolConstants.LEDGER_KIND_FORCED_CANCEL_ALL ||
            kind == ProtocolConstants.LEDGER_KIND_FORCED_CLOSE;
    }

    /// @notice What it costs to enter now, wei.
    function premium(State storage self) internal view returns (uint256) {
        uint256 open = self.end - self.start;
        if (open < ORDINARY_OPERATIONS) return 0;
        return (open - ORDINARY_OPERATIONS + 1) * PREMIUM_STEP;
    }

    /// @notice First public word of a queue operation, stated as executed.
    function firstWord(
        uint256 kind,
        uint256 account,
        uint256 amount,
        uint256 keyIndex,
        uint256 keyExpiry
    ) internal pure returns (uint256) {
        return
            (kind << ProtocolConstants.LEDGER_OP_KIND_OFFSET) |
            EXECUTED |
            (account << ProtocolConstants.LEDGER_OP_ACCOUNT_OFFSET) |
            (amount << ProtocolConstants.LEDGER_OP_AMOUNT_OFFSET) |
            (keyIndex << ProtocolConstants.LEDGER_OP_KEY_INDEX_OFFSET) |
            (keyExpiry << ProtocolConstants.LEDGER_OP_KEY_EXPIRY_OFFSET);
    }

    /// @notice First public word of a forced close, stated as executed and without its charge.
    function closeWord(
        uint256 account,
        uint256 slot,
        uint256 lots
    ) internal pure returns (uint256) {
        return
            (ProtocolConstants.LEDGER_KIND_FORCED_CLOSE <<
                ProtocolConstants.LEDGER_OP_KIND_OFFSET) |
            EXECUTED |
            (ProtocolConstants.INSURANCE_ACCOUNT <<
                ProtocolConstants.LEDGER_OP_ACCOUNT_OFFSET) |
            (account << ProtocolConstants.LEDGER_OP_TO_OFFSET) |
            (slot << ProtocolConstants.LEDGER_OP_SLOT_OFFSET) |
            (lots << ProtocolConstants.LEDGER_OP_LOTS_OFFSET);
    }

    /// @notice Hash of an operation's four public words.
    /// @dev The proof decides whether a forced withdrawal or close is executed, and what a lot of
    /// a close costs; the queue cannot know.
    function digest(
        uint256 first,
        uint256 owner,
        uint256 keyX,
        uint256 keyY
    ) internal pure returns (bytes32) {
        uint256 kind = ProtocolConstants.ledgerOpKind(first);
        if (kind == ProtocolConstants.LEDGER_KIND_FORCED_WITHDRAW) first |= EXECUTED;
        if (kind == ProtocolConstants.LEDGER_KIND_FORCED_CLOSE) {
            first = (first | EXECUTED) & ~AMOUNT;
        }
        return keccak256(abi.encode(first, owner, keyX, keyY));
    }

    /// @notice Appends an operation. The caller has checked every value's range.
    function push(
        State storage self,
        address owner,
        Request memory request
    ) internal returns (uint256 id) {
        id = self.end++;
        uint256 kind = request.kind;
        Key memory key = request.key;
        uint256 first = kind == ProtocolConstants.LEDGER_KIND_FORCED_CLOSE
            ? closeWord(request.account, request.slot, request.lots)
            : firstWord(kind, request.account, request.amount, key.index, key.expiry);
        self.operations[id] = QueuedOperation({
            digest: digest(first, uint256(uint160(owner)), key.x, key.y),
            queuedAt: SafeCast.toUint40(block.timestamp),
            account: SafeCast.toUint32(request.account),
            amount: SafeCast.toUint64(request.amount),
            kind: SafeCast.toUint8(kind),
            refunded: false
        });
        if (kind == ProtocolConstants.LEDGER_KIND_DEPOSIT) {
            self.unservedDeposits += request.amount;
        }
    }

    /// @notice Serves the operation at the front, which must be the one in the batch.
    /// @dev Whoever orders a close must not know its mark, nor whoever serves it choose an old one.
    /// @param snapshotTime When the batch's marks were taken, Unix ms.
    function serve(
        State storage self,
        uint256[] calldata words,
        uint256 offset,
        uint256 snapshotTime
    ) internal returns (uint256 account) {
        uint256 id = self.start;
        if (id == self.end) revert QueueEmpty(id);
        QueuedOperation storage operation = self.operations[id];
        bytes32 actual = digest(
            words[offset],
            words[offset + 1],
            words[offset + 2],
            words[offset + 3]
        );
        bytes32 expected = operation.digest;
        if (actual != expected) revert OperationUnequal(id, expected, actual);
        self.start = id + 1;
        account = operation.account;
        uint256 queuedAtMs = uint256(operation.queuedAt) * 1000;
        if (
            operation.kind == ProtocolConstants.LEDGER_KIND_FORCED_CLOSE &&
            snapshotTime < queuedAtMs
        ) revert CloseAtOlderMarks(id, snapshotTime, queuedAtMs);
        if (operation.kind == ProtocolConstants.LEDGER_KIND_DEPOSIT) {
            self.unservedDeposits -= operation.amount;
        }
    }

    /// @notice When the oldest unserved operation was queued.
    function oldestQueuedAt(State storage self) internal view returns (uint256) {
        if (self.start == self.end) revert QueueEmpty(self.end);
        return self.operations[self.start].queuedAt;
    }

    /// @notice Takes an unserved deposit out for its owner. Only sound when no batch can follow.
    function refund(
        State storage self,
        uint256 id
    ) internal returns (uint256 account, uint256 amount) {
        if (id >= self.end) revert OperationUnknown(id, self.end);
        if (id < self.start) revert OperationAlreadyServed(id, self.start);
        QueuedOperation storage operation = self.operations[id];
        if (operation.kind != ProtocolConstants.LEDGER_KIND_DEPOSIT) {
            revert OperationNotDeposit(id, operation.kind);
        }
        if (operation.refunded) revert DepositAlreadyRefunded(id);
        operation.refunded = true;
        account = operation.account;
        amount = operation.amount;
        self.unservedDeposits -= amount;
    }
}
