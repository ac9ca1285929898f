// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {RollupBatches} from "./RollupBatches.sol";
import {Progress} from "./RollupState.sol";
import {BatchHeader, ProtocolConstants} from "./generated/ProtocolConstants.sol";
import {BatchSubmission, IRollup, RollupConfig} from "./interfaces/IRollup.sol";
import {Accounts} from "./libraries/Accounts.sol";
import {ExitMode} from "./libraries/ExitMode.sol";
import {OperationQueue, Request} from "./libraries/OperationQueue.sol";
import {OperatorSeat} from "./libraries/OperatorSeat.sol";
import {PublicData} from "./libraries/PublicData.sol";
import {Key, TradingKeys} from "./libraries/TradingKeys.sol";
import {Withdrawals} from "./libraries/Withdrawals.sol";

/// @title Rollup
/// @dev Live until frozen, then only exits; there is no way back. The rules are in the libraries.
contract Rollup is RollupBatches, ReentrancyGuardTransient {
    using Accounts for Accounts.State;
    using ExitMode for ExitMode.State;
    using OperationQueue for OperationQueue.State;
    using OperatorSeat for OperatorSeat.State;
    using TradingKeys for Key;
    using Withdrawals for Withdrawals.State;

    /// @dev Nobody has the key of this address.
    address payable private constant BURNT = payable(0x000000000000000000000000000000000000dEaD);
    uint256 private constant LOTS_MAX = (1 << ProtocolConstants.LOTS_BITS) - 1;

    constructor(RollupConfig memory config) RollupBatches(config) {}

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
        Progress memory progress = _progress;
        uint256 ageMax = _checkSubmitter(progress.anchoredAt);
        _seat.checkNotPaused();
        uint256 kind = _checkNext(words, progress, stateRoot, ageMax);
        (bytes32 wordsHash, uint256[3] memory signals) = PublicData.statement(words, commitment);
        _verifyBatch(kind, signals, proof);
        _anchor(words, commitment, certificate, wordsHash, progress.certifiedAt);
    }

    /// @inheritdoc IRollup
    function submitBatches(BatchSubmission[] calldata batches) external nonReentrant {
        Progress memory progress = _progress;
        bytes32[] memory hashes = _checkTogether(batches, progress);
        uint256 certifiedAt = progress.certifiedAt;
        for (uint256 i = 0; i < hashes.length; i++) {
            BatchSubmission calldata batch = batches[i];
            certifiedAt = _anchor(
                batch.words,
                batch.commitment,
                batch.certificate,
                hashes[i],
                certifiedAt
            );
        }
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
        _seat.vacate();
        emit RollupFrozen(_queue.start, block.timestamp, block.timestamp + claimWindow);
    }

    /// @inheritdoc IRollup
    function exit(
        uint256 account,
        address owner,
        uint256 claim,
        uint256[8] calldata proof
    ) external nonReentrant {
        address payee = _payeeOf(account, owner);
        _exits.claim(account, payee, claim, claimWindow);
        _verifyExit(account, owner, claim, proof);
        emit ExitClaimed(account, payee, claim);
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
        address payee = _payeeOf(account, owner);
        uint256 amount = _exits.claimLate(account, payee, claim, funds, claimWindow);
        _verifyExit(account, owner, claim, proof);
        emit ExitClaimed(account, payee, claim);
        emit ExitPaid(account, payee, amount);
        _payOrCredit(payee, amount);
    }

    /// @inheritdoc IRollup
    function refundDeposit(uint256 queueId) external nonReentrant {
        _exits.checkFrozen();
        (uint256 account, uint256 amount) = _queue.refund(queueId);
        address owner = _accounts.byId[account].owner;
        emit DepositRefunded(queueId, owner, amount);
        _payOrCredit(owner, amount);
    }

    /// @dev What follows from a batch whose proof holds, and from the queue.
    /// @return When the newest certified batch is anchored.
    function _anchor(
        uint256[] calldata words,
        uint256 commitment,
        bytes calldata certificate,
        bytes32 wordsHash,
        uint256 certifiedBefore
    ) private returns (uint256) {
        BatchHeader calldata header = PublicData.header(words);
        uint256 certifiedAt = _certify(header, certifiedBefore, wordsHash, certificate);
        _advance(header, certifiedAt);
        uint256 kind = header.kind;
        if (kind == ProtocolConstants.BATCH_KIND_LEDGER) _applyLedger(words, header.number);
        emit BatchAnchored(header.number, kind, header.rootAfter, commitment, wordsHash);
        return certifiedAt;
    }

    /// @dev The ledger learns of an owner by the first deposit. The treasury earns without one.
    function _payeeOf(uint256 account, address owner) private view returns (address) {
        return owner == address(0) ? _accounts.byId[account].owner : owner;
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
        uint256 due = _premiumOf(request.account);
        if (msg.value < due) revert PremiumTooLow(msg.value, due);
        _accounts.enter(
            request.account,
            registersKey,
            request.kind == ProtocolConstants.LEDGER_KIND_DEPOSIT,
            _slots
        );
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
        uint256 snapshotTime = PublicData.header(words).snapshotTime;
        for (
            uint256 offset = PublicData.firstStepWord(_slots);
            offset < words.length;
            offset += ProtocolConstants.LEDGER_OP_WORDS
        ) {
            uint256 first = words[offset];
            uint256 kind = ProtocolConstants.ledgerOpKind(first);
            if (OperationQueue.isQueueKind(kind)) {
                _accounts.release(_queue.serve(words, offset, snapshotTime));
            }
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
