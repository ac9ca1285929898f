// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {RollupSettings} from "./RollupSettings.sol";
import {ProtocolConstants} from "./generated/ProtocolConstants.sol";
import {IRollup, RollupConfig} from "./interfaces/IRollup.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {Accounts} from "./libraries/Accounts.sol";
import {ExitMode} from "./libraries/ExitMode.sol";
import {OperationQueue, Request} from "./libraries/OperationQueue.sol";
import {OperatorSeat} from "./libraries/OperatorSeat.sol";
import {PublicData} from "./libraries/PublicData.sol";
import {Key, TradingKeys} from "./libraries/TradingKeys.sol";
import {Withdrawals} from "./libraries/Withdrawals.sol";

/// @title Rollup
/// @dev Live until frozen, then only exits; there is no way back. The rules are in the libraries.
contract Rollup is RollupSettings, ReentrancyGuardTransient {
    using Accounts for Accounts.State;
    using ExitMode for ExitMode.State;
    using OperationQueue for OperationQueue.State;
    using OperatorSeat for OperatorSeat.State;
    using TradingKeys for Key;
    using Withdrawals for Withdrawals.State;

    /// @dev How far a batch's time may run ahead of the chain's, ms: clocks differ, blocks wait.
    uint256 private constant TIME_TOLERANCE_MS = 15 minutes * 1000;
    /// @dev How old a batch's time may be, ms: nobody anchors at last month's prices.
    uint256 private constant BATCH_AGE_MAX_MS = 7 days * 1000;
    /// @dev After this much time without a certificate the proof alone is enough, seconds.
    uint256 private constant VALIDATOR_SILENCE_MAX = 24 hours;
    /// @dev After this much silence of the operator anybody may submit, seconds.
    uint256 private constant OPERATOR_SILENCE_MAX = 24 hours;

    /// @dev Nobody has the key of this address.
    address payable private constant BURNT = payable(0x000000000000000000000000000000000000dEaD);
    uint256 private constant LOTS_MAX = (1 << ProtocolConstants.LOTS_BITS) - 1;

    constructor(RollupConfig memory config) RollupSettings(config) {}

    /// @inheritdoc IRollup
    function deposit(
        uint256 amount,
        Key calldata key
    ) external payable nonReentrant returns (uint256 queueId) {
        _exits.checkLive();
        _seat.checkNotPaused();
        _checkAmount(amount, minimumDeposit);
        key.checkOptional();
        uint256 heldAfter = vault.held() + amount;
        if (heldAfter > ProtocolConstants.VAULT_CAP) {
            revert VaultCapExceeded(heldAfter, ProtocolConstants.VAULT_CAP);
        }
        uint256 account = _accounts.idOf[msg.sender];
        if (account == 0) {
            account = _accounts.open(msg.sender, _accountEnd());
            emit AccountOpened(account, msg.sender);
        }
        Request memory request;
        request.kind = ProtocolConstants.LEDGER_KIND_DEPOSIT;
        request.account = account;
        request.amount = amount;
        request.key = key;
        queueId = _enqueue(request, !key.isAbsent());
        vault.receiveFrom(msg.sender, amount);
    }

    /// @inheritdoc IRollup
    function registerKey(
        Key calldata key
    ) external payable nonReentrant returns (uint256 queueId) {
        _exits.checkLive();
        key.check();
        uint256 account = _accounts.idOfOwner(msg.sender);
        Request memory request;
        request.kind = ProtocolConstants.LEDGER_KIND_REGISTER_KEY;
        request.account = account;
        request.key = key;
        queueId = _enqueue(request, true);
    }

    /// @inheritdoc IRollup
    function forceWithdraw(uint256 amount) external payable nonReentrant returns (uint256 queueId) {
        _exits.checkLive();
        _checkAmount(amount, 1);
        Request memory request = _forced(ProtocolConstants.LEDGER_KIND_FORCED_WITHDRAW);
        request.amount = amount;
        queueId = _enqueue(request, false);
    }

    /// @inheritdoc IRollup
    function forceCancelAll() external payable nonReentrant returns (uint256 queueId) {
        _exits.checkLive();
        queueId = _enqueue(_forced(ProtocolConstants.LEDGER_KIND_FORCED_CANCEL_ALL), false);
    }

    /// @inheritdoc IRollup
    function forceClose(
        uint256 slot,
        uint256 lots
    ) external payable nonReentrant returns (uint256 queueId) {
        _exits.checkLive();
        _checkPosition(slot, lots);
        Request memory request = _forced(ProtocolConstants.LEDGER_KIND_FORCED_CLOSE);
        if (request.account == ProtocolConstants.INSURANCE_ACCOUNT) revert CloseByInsurance();
        request.slot = slot;
        request.lots = lots;
        queueId = _enqueue(request, false);
    }

    /// @inheritdoc IRollup
    function submitBatch(
        uint256[] calldata words,
        uint256 commitment,
        uint256[8] calldata proof,
        bytes calldata certificate
    ) external nonReentrant {
        _exits.checkLive();
        _seat.checkNotPaused();
        _checkSubmitter();
        uint256 kind = _checkLength(words);
        _checkHeader(words);
        bytes32 wordsHash = PublicData.hash(words);
        uint256 gamma = PublicData.challenge(commitment, wordsHash);
        uint256 evaluation = PublicData.evaluate(words, gamma);
        _verifyBatch(kind, [commitment, gamma, evaluation], proof);

        // Everything below follows from what the proof and the queue say.
        uint256 number = uint256(_batchCount) + 1;
        uint256 rootAfter = words[ProtocolConstants.HEADER_ROOT_AFTER];
        _certify(number, rootAfter, certificate);
        _batchCount = SafeCast.toUint64(number);
        _lastBatchTime = SafeCast.toUint64(words[ProtocolConstants.HEADER_TIME]);
        _lastAnchoredAt = SafeCast.toUint64(block.timestamp);
        stateRoot = rootAfter;
        if (kind == ProtocolConstants.BATCH_KIND_LEDGER) _applyLedger(words, number);
        emit BatchAnchored(number, kind, rootAfter, commitment, wordsHash);
    }

    /// @inheritdoc IRollup
    function withdraw(address owner) external nonReentrant {
        _pay(owner, owner);
    }

    /// @inheritdoc IRollup
    function withdrawTo(address to) external nonReentrant {
        // The vault would count its own tokens twice.
        if (to == address(0) || to == address(vault)) revert WithdrawalTargetInvalid(to);
        _pay(msg.sender, to);
    }

    /// @inheritdoc IRollup
    function freeze() external nonReentrant {
        _exits.checkLive();
        _exits.freeze(_queue.oldestQueuedAt() + forcedDeadline);
        emit RollupFrozen(_queue.start, block.timestamp, block.timestamp + claimWindow);
    }

    /// @inheritdoc IRollup
    function exit(
        uint256 account,
        address owner,
        uint256 claim,
        uint256[8] calldata proof
    ) external nonReentrant {
        _exits.claim(account, owner, claim, claimWindow);
        _verifyExit(account, owner, claim, proof);
        emit ExitClaimed(account, owner, claim);
    }

    /// @inheritdoc IRollup
    function payExit(uint256 account) external nonReentrant {
        (address owner, uint256 amount) = _exits.settle(account, _exitFunds(), claimWindow);
        emit ExitPaid(account, owner, amount);
        _payOrCredit(owner, amount);
    }

    /// @inheritdoc IRollup
    function exitLate(
        uint256 account,
        address owner,
        uint256 claim,
        uint256[8] calldata proof
    ) external nonReentrant {
        uint256 funds = _exitFunds();
        uint256 amount = _exits.claimLate(account, owner, claim, funds, claimWindow);
        _verifyExit(account, owner, claim, proof);
        emit ExitClaimed(account, owner, claim);
        emit ExitPaid(account, owner, amount);
        _payOrCredit(owner, amount);
    }

    /// @inheritdoc IRollup
    function refundDeposit(uint256 queueId) external nonReentrant {
        _exits.checkFrozen();
        (uint256 account, uint256 amount) = _queue.refund(queueId);
        address owner = _accounts.byId[account].owner;
        emit DepositRefunded(queueId, owner, amount);
        _payOrCredit(owner, amount);
    }

    function _checkPosition(uint256 slot, uint256 lots) private view {
        if (slot >= _slots) revert SlotOutOfRange(slot, _slots);
        if (lots == 0 || lots > LOTS_MAX) revert LotsOutOfRange(lots, LOTS_MAX);
    }

    /// @dev What an owner may order without proof, money or key.
    function _forced(uint256 kind) private view returns (Request memory request) {
        request.kind = kind;
        request.account = _accounts.idOfOwner(msg.sender);
    }

    function _enqueue(
        Request memory request,
        bool registersKey
    ) private returns (uint256 queueId) {
        uint256 due = _queue.premium();
        if (msg.value < due) revert PremiumTooLow(msg.value, due);
        _accounts.enter(request.account, registersKey);
        queueId = _queue.push(msg.sender, request);
        emit OperationQueued(
            queueId,
            request.account,
            msg.sender,
            request.kind,
            request.amount,
            request.slot,
            request.lots,
            request.key
        );
        // Nobody gains by a full queue: the premium is burnt. The price may have fallen meanwhile.
        if (due > 0) Address.sendValue(BURNT, due);
        if (msg.value > due) Address.sendValue(payable(msg.sender), msg.value - due);
    }

    function _applyLedger(uint256[] calldata words, uint256 number) private {
        uint256 servedFrom = _queue.start;
        for (
            uint256 offset = PublicData.firstStepWord(_slots);
            offset < words.length;
            offset += ProtocolConstants.LEDGER_OP_WORDS
        ) {
            uint256 first = words[offset];
            uint256 kind = ProtocolConstants.ledgerOpKind(first);
            if (OperationQueue.isQueueKind(kind)) _accounts.release(_queue.serve(words, offset));
            if (_releasesMoney(kind, first)) _creditWithdrawal(first, words[offset + 1], number);
        }
        if (_queue.start > servedFrom) emit OperationsServed(number, servedFrom, _queue.start);
        // What is pending is paid without asking again, so it must be there: a market that owes
        // more than it holds stops here, and freezes into equal shares.
        uint256 owed = _withdrawals.total + _queue.unservedDeposits;
        uint256 held = vault.held();
        if (owed > held) revert WithdrawalsExceedCustody(owed, held);
    }

    function _creditWithdrawal(uint256 first, uint256 ownerWord, uint256 number) private {
        uint256 account = ProtocolConstants.ledgerOpAccount(first);
        uint256 amount = ProtocolConstants.ledgerOpAmount(first);
        address owner = address(SafeCast.toUint160(ownerWord));
        _withdrawals.credit(owner, amount);
        emit WithdrawalCredited(number, account, owner, amount);
    }

    function _pay(address owner, address to) private {
        uint256 amount = _withdrawals.take(owner);
        emit WithdrawalPaid(owner, to, amount);
        vault.pay(to, amount);
    }

    /// @dev A token that refuses the owner leaves the money pending, for `withdrawTo`.
    function _payOrCredit(address owner, uint256 amount) private {
        try vault.pay(owner, amount) {} catch {
            _withdrawals.credit(owner, amount);
        }
    }

    /// @dev Validators guard against a proof system that is wrong; they are not needed for one
    /// that is right, so their silence delays and never stops.
    function _certify(uint256 number, uint256 root, bytes calldata certificate) private {
        if (validators.certifies(number, root, certificate)) {
            _lastCertifiedAt = SafeCast.toUint64(block.timestamp);
            return;
        }
        uint256 proofOnlyAt = _lastCertifiedAt + VALIDATOR_SILENCE_MAX;
        if (block.timestamp < proofOnlyAt) revert CertificateMissing(number, proofOnlyAt);
    }

    function _checkSubmitter() private view {
        uint256 openToAllAt = _lastAnchoredAt + OPERATOR_SILENCE_MAX;
        address operator_ = _seat.operator;
        if (msg.sender != operator_ && block.timestamp < openToAllAt) {
            revert SubmitterNotOperator(msg.sender, operator_, openToAllAt);
        }
    }

    function _checkLength(uint256[] calldata words) private view returns (uint256 kind) {
        uint256 headerLength = ProtocolConstants.HEADER_WORDS;
        if (words.length < headerLength) {
            revert PublicData.PublicDataLengthUnequal(words.length, headerLength);
        }
        kind = words[ProtocolConstants.HEADER_KIND];
        uint256 expected = PublicData.expectedLength(kind, _slots, _tradeSteps, _ledgerSteps);
        if (words.length != expected) {
            revert PublicData.PublicDataLengthUnequal(words.length, expected);
        }
    }

    function _checkHeader(uint256[] calldata words) private view {
        uint256 number = words[ProtocolConstants.HEADER_NUMBER];
        uint256 expectedNumber = uint256(_batchCount) + 1;
        if (number != expectedNumber) revert BatchNumberUnequal(number, expectedNumber);
        uint256 root = words[ProtocolConstants.HEADER_ROOT_BEFORE];
        if (root != stateRoot) revert BatchRootUnequal(root, stateRoot);
        uint256 stated = words[ProtocolConstants.HEADER_DOMAIN];
        if (stated != domain()) revert BatchDomainUnequal(stated, domain());
        uint256 oracleSet = words[ProtocolConstants.HEADER_ORACLE_SET];
        if (oracleSet != oracleSetHash) revert BatchOracleSetUnequal(oracleSet, oracleSetHash);
        uint256 time = words[ProtocolConstants.HEADER_TIME];
        if (time <= _lastBatchTime) revert BatchTimeNotAfter(time, _lastBatchTime);
        uint256 latest = block.timestamp * 1000 + TIME_TOLERANCE_MS;
        if (time > latest) revert BatchTimeInFuture(time, latest);
        uint256 earliest = block.timestamp * 1000 - BATCH_AGE_MAX_MS;
        if (time < earliest) revert BatchTimeTooOld(time, earliest);
        uint256 snapshotTime = words[ProtocolConstants.HEADER_SNAPSHOT_TIME];
        if (snapshotTime > time) revert BatchSnapshotInFuture(snapshotTime, time);
    }

    function _verifyBatch(
        uint256 kind,
        uint256[3] memory signals,
        uint256[8] calldata proof
    ) private view {
        IVerifier verifier = kind == ProtocolConstants.BATCH_KIND_TRADE
            ? tradeVerifier
            : ledgerVerifier;
        bool holds = verifier.verifyProof(
            [proof[0], proof[1]],
            [[proof[2], proof[3]], [proof[4], proof[5]]],
            [proof[6], proof[7]],
            signals
        );
        if (!holds) revert BatchProofInvalid(signals[0], signals[1], signals[2]);
    }

    function _verifyExit(
        uint256 account,
        address owner,
        uint256 claim,
        uint256[8] calldata proof
    ) private view {
        if (account >= _accountEnd()) revert AccountOutOfRange(account, _accountEnd());
        bool holds = exitVerifier.verifyProof(
            [proof[0], proof[1]],
            [[proof[2], proof[3]], [proof[4], proof[5]]],
            [proof[6], proof[7]],
            [stateRoot, account, uint256(uint160(owner)), claim]
        );
        if (!holds) revert ExitProofInvalid(account, owner, claim);
    }

    /// @dev What claims may share: everything in the vault that is not owed already.
    function _exitFunds() private view returns (uint256) {
        uint256 balance = token.balanceOf(address(vault));
        uint256 owed = _withdrawals.total + _queue.unservedDeposits;
        return balance > owed ? balance - owed : 0;
    }

    function _releasesMoney(uint256 kind, uint256 first) private pure returns (bool) {
        bool isWithdrawal = kind == ProtocolConstants.LEDGER_KIND_WITHDRAW ||
            kind == ProtocolConstants.LEDGER_KIND_FORCED_WITHDRAW;
        return isWithdrawal && ProtocolConstants.ledgerOpExecuted(first) == 1;
    }

}
