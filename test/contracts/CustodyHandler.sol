// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {OperationQueue, QueuedOperation} from "../../contracts/libraries/OperationQueue.sol";
import {Governance} from "../../contracts/Governance.sol";
import {IValidatorRegistry} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {Key} from "../../contracts/libraries/TradingKeys.sol";
import {OperatorSeat} from "../../contracts/libraries/OperatorSeat.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev Everybody at once, with verifiers that believe everything: what the contracts alone must
/// hold together. Each action catches its refusal, since what is refused is not under test here.
contract CustodyHandler is RollupFixture {
    uint256 private constant OWNERS = 5;
    uint256 private constant CLOSED_SLOT = 1;
    uint256 private constant CLOSED_LOTS = 5;

    uint256 public deposited;
    /// @dev What the batches that were taken lead to.
    uint256 public rootExpected;
    uint256 public batchesTaken;
    bool public rootMovedWhileFrozen;
    bool public chainBroken;
    bool public thawed;
    bool public queueWentBack;
    bool public queueJumped;
    bool public claimedTwice;
    bool public paidTwice;
    bool public refundedTwice;
    mapping(uint256 account => uint256) private _claims;
    mapping(uint256 account => uint256) private _payments;
    mapping(uint256 id => uint256) private _refunds;
    uint256 private _startBefore;
    uint256 private _endBefore;

    bool public etherKept;
    bool public pauseStoppedExit;
    bool public configurationMoved;
    Governance private immutable _governance;
    bytes32 private immutable _configuration;

    constructor() {
        _governance = deployGoverned();
        _configuration = _configurationHash();
        rootExpected = rollup.stateRoot();
    }

    /// @dev Whatever was done: the queue's ends only grow, and never pass each other; and what is
    /// frozen stays so.
    modifier watchesQueue() {
        uint256 frozenBefore = rollup.frozenAt();
        _;
        if (frozenBefore != 0 && rollup.frozenAt() != frozenBefore) thawed = true;
        (uint256 start, uint256 end) = (rollup.queueStart(), rollup.queueEnd());
        if (start < _startBefore || end < _endBefore || start > end) queueWentBack = true;
        (_startBefore, _endBefore) = (start, end);
    }

    /// @dev Whoever it is that tries, nothing but a proposal that waited changes anything.
    function changeSettings(address stranger, uint256 kind) external {
        address caller = [stranger, OPERATOR, PROPOSER, GUARDIAN][kind % 4];
        if (caller == address(_governance)) return;
        bytes32 role = _governance.PROPOSER_ROLE();
        (address target, bytes memory call) = (address(rollup), bytes(""));
        kind = (kind / 4) % 9;
        if (kind == 0) call = abi.encodeCall(rollup.setOperator, (caller));
        if (kind == 1) call = abi.encodeCall(rollup.setOracleSet, (kind));
        if (kind == 2) call = abi.encodeCall(rollup.setMinimumDeposit, (99));
        if (kind == 3) call = abi.encodeCall(rollup.setVerifiers, (verifier, verifier, verifier));
        if (kind >= 4) target = address(rollup.validators());
        if (kind == 4) call = abi.encodeCall(IValidatorRegistry.admit, (caller, caller));
        if (kind == 5) call = abi.encodeCall(IValidatorRegistry.expel, (caller));
        if (kind >= 6) target = address(_governance);
        if (kind == 6) call = abi.encodeCall(_governance.updateDelay, (2 * DELAY));
        if (kind == 7) call = abi.encodeCall(_governance.grantRole, (role, address(0xBAD)));
        if (kind == 8) call = abi.encodeCall(_governance.revokeRole, (role, PROPOSER));
        vm.prank(caller);
        (bool success, ) = target.call(call);
        if (success || _configurationHash() != _configuration) configurationMoved = true;
    }

    function pause(bool begins) external {
        vm.prank(GUARDIAN);
        if (begins) try rollup.pause() {} catch {}
        else try rollup.unpause() {} catch {}
    }

    /// @dev What the pause must not touch fails for reasons of its own, never for the pause.
    function actWhilePaused(uint256 who, uint256 kind) external {
        if (rollup.pausedUntil() <= block.timestamp) return;
        address owner = ownerAt(who);
        uint256 account = claimant(who);
        bytes memory call = abi.encodeCall(rollup.forceWithdraw, (1));
        if (kind % 11 == 1) call = abi.encodeCall(rollup.withdraw, (owner));
        if (kind % 11 == 2) call = abi.encodeCall(rollup.freeze, ());
        if (kind % 11 == 3) call = abi.encodeCall(rollup.refundDeposit, (1e9));
        if (kind % 11 == 4) call = abi.encodeCall(rollup.exit, (account, owner, 1, noProof()));
        if (kind % 11 == 5) call = abi.encodeCall(rollup.forceCancelAll, ());
        if (kind % 11 == 6) call = abi.encodeCall(rollup.forceClose, (CLOSED_SLOT, CLOSED_LOTS));
        if (kind % 11 == 7) call = abi.encodeCall(rollup.withdrawTo, (owner));
        if (kind % 11 == 8) call = abi.encodeCall(rollup.registerKey, (Key(1, 0, 0, 0)));
        if (kind % 11 == 9) call = abi.encodeCall(rollup.payExit, (account));
        if (kind % 11 == 10) {
            call = abi.encodeCall(rollup.exitLate, (account, owner, 1, noProof()));
        }
        vm.prank(owner);
        (bool success, bytes memory reason) = address(rollup).call(call);
        bytes4 pausing = OperatorSeat.PausedUntil.selector;
        if (!success && bytes4(reason) == pausing) pauseStoppedExit = true;
        if (success && kind % 11 == 4 && ++_claims[account] > 1) claimedTwice = true;
        if (success && kind % 11 >= 9 && ++_payments[account] > 1) paidTwice = true;
    }

    function sendEther(bool toVault) external {
        vm.deal(address(this), 1);
        address to = toVault ? address(rollup.vault()) : address(rollup);
        (bool success, ) = to.call{value: 1}("");
        success;
    }

    function stuckEther() external view returns (uint256) {
        address registry = address(rollup.validators());
        return address(rollup).balance + address(rollup.vault()).balance + registry.balance;
    }

    function _configurationHash() private view returns (bytes32) {
        // The freeze empties the operator's seat, which is nobody's choice.
        bool isVacant = rollup.frozenAt() != 0 && rollup.operator() == address(0);
        return
            keccak256(
                abi.encode(
                    isVacant ? OPERATOR : rollup.operator(),
                    rollup.oracleSetHash(),
                    rollup.minimumDeposit(),
                    rollup.tradeVerifier(),
                    rollup.ledgerVerifier(),
                    rollup.exitVerifier(),
                    rollup.validators().admitted(),
                    _governance.getMinDelay(),
                    _governance.hasRole(_governance.PROPOSER_ROLE(), PROPOSER),
                    _governance.hasRole(_governance.PAUSER_ROLE(), GUARDIAN),
                    _governance.hasRole(_governance.PROPOSER_ROLE(), address(0xBAD))
                )
            );
    }

    function depositSome(uint256 who, uint256 amount) external watchesQueue {
        amount = bound(amount, 1, 1e12);
        address owner = ownerAt(who);
        fund(owner, amount);
        vm.prank(owner);
        try rollup.deposit(amount, noKey()) {
            deposited += amount;
        } catch {}
    }

    function forceSome(uint256 who, uint256 amount) external watchesQueue {
        vm.prank(ownerAt(who));
        try rollup.forceWithdraw(bound(amount, 1, 1e12)) {} catch {}
    }

    receive() external payable {}

    /// @dev What is above the price of the place comes back, and all of it if there is no place.
    function overpay(uint256 amount) external watchesQueue {
        if (rollup.accountOf(address(this)) == 0) {
            token.mint(address(this), 1);
            token.approve(address(rollup.vault()), 1);
            try rollup.deposit(1, noKey()) {
                deposited += 1;
            } catch {}
        }
        vm.deal(address(this), 1 ether);
        uint256 left = 1 ether;
        uint256 due = rollup.premiumOf(address(this));
        try rollup.forceCancelAll{value: bound(amount, 0, 1 ether)}() {
            left -= due;
        } catch {}
        if (address(this).balance != left) etherKept = true;
    }

    function cancelSome(uint256 who) external watchesQueue {
        vm.prank(ownerAt(who));
        try rollup.forceCancelAll() {} catch {}
    }

    function closeSome(uint256 who) external watchesQueue {
        vm.prank(ownerAt(who));
        try rollup.forceClose(CLOSED_SLOT, CLOSED_LOTS) {} catch {}
    }

    /// @dev Serves what is next and lets somebody withdraw anything: the proof is a lie.
    function batch(
        uint256 who,
        uint256 amount,
        uint8 count,
        bool executed
    ) external watchesQueue {
        uint256[] memory words = emptyLedgerBatch();
        uint256 start = rollup.queueStart();
        uint256 index = 0;
        for (; index < count % LEDGER_STEPS && start + index < rollup.queueEnd(); index++) {
            _serveAt(words, index, start + index, amount, executed);
        }
        uint256 withdrawal = operationWord(P.LEDGER_KIND_WITHDRAW, 3, bound(amount, 1, 1e12));
        setOperation(words, index, withdrawal, ownerAt(who));
        words[P.HEADER_ROOT_AFTER] = uint256(keccak256(abi.encode(amount, start))) >> 8;
        bool frozen = rollup.frozenAt() != 0;
        vm.prank(OPERATOR, OPERATOR);
        try rollup.submitBatch(words, 1, noProof(), "") {
            if (frozen) rootMovedWhileFrozen = true;
            rootExpected = words[P.HEADER_ROOT_AFTER];
            batchesTaken++;
        } catch {}
    }

    /// @dev A batch that does not follow the last one, however good its proof.
    function batchOutOfTurn(uint256 kind, uint256 other) external watchesQueue {
        uint256[] memory words = emptyLedgerBatch();
        uint256 at_ = [P.HEADER_NUMBER, P.HEADER_ROOT_BEFORE, P.HEADER_DOMAIN][kind % 3];
        uint256 wrong = kind % 6 < 3 ? words[at_] - 1 : other >> 8;
        if (wrong == words[at_]) return;
        words[at_] = wrong;
        vm.prank(OPERATOR, OPERATOR);
        try rollup.submitBatch(words, 1, noProof(), "") {
            chainBroken = true;
        } catch {}
    }

    /// @dev The second in the queue before the first.
    function batchOutOfOrder(uint256 amount, bool executed) external watchesQueue {
        uint256 start = rollup.queueStart();
        if (rollup.queueEnd() < start + 2) return;
        uint256[] memory words = emptyLedgerBatch();
        _serveAt(words, 0, start + 1, amount, executed);
        bytes32 first = rollup.queuedOperation(start).digest;
        bool areAlike = first == rollup.queuedOperation(start + 1).digest;
        vm.prank(OPERATOR, OPERATOR);
        try rollup.submitBatch(words, 1, noProof(), "") {
            if (!areAlike) queueJumped = true;
            rootExpected = words[P.HEADER_ROOT_AFTER];
            batchesTaken++;
        } catch {}
    }

    function _serveAt(
        uint256[] memory words,
        uint256 index,
        uint256 id,
        uint256 amount,
        bool executed
    ) private view {
        QueuedOperation memory next = rollup.queuedOperation(id);
        bool closes = next.kind == P.LEDGER_KIND_FORCED_CLOSE;
        uint256 word = closes
            ? OperationQueue.closeWord(next.account, CLOSED_SLOT, CLOSED_LOTS)
            : operationWord(next.kind, next.account, next.amount);
        bool forced = closes || next.kind == P.LEDGER_KIND_FORCED_WITHDRAW;
        if (closes) word |= bound(amount, 0, 1e9) << P.LEDGER_OP_AMOUNT_OFFSET;
        if (forced && !executed) word ^= 1 << P.LEDGER_OP_EXECUTED_OFFSET;
        if (next.kind == P.LEDGER_KIND_REGISTER_KEY) {
            word |= 1 << P.LEDGER_OP_KEY_INDEX_OFFSET;
        }
        setOperation(words, index, word, rollup.ownerOf(next.account));
    }

    function withdrawSome(uint256 who) external {
        try rollup.withdraw(ownerAt(who)) {} catch {}
    }

    function withdrawElsewhere(uint256 who) external {
        vm.prank(ownerAt(who));
        try rollup.withdrawTo(ownerAt((who % OWNERS) + 1)) {} catch {}
    }

    function blockOwner(uint256 who, bool isBlocked) external {
        token.setBlocked(ownerAt(who), isBlocked);
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 5 days));
    }

    /// @dev Once frozen, the window ends soon enough for claims to be paid in the same campaign.
    function passWindow(uint256 time) external {
        if (rollup.frozenAt() != 0) vm.warp(block.timestamp + bound(time, 1, WINDOW));
    }

    /// @dev Not always, or no campaign would see much of a rollup that lives.
    function freezeWhenDue(uint256 seed) external {
        uint256 due = rollup.freezableAt();
        if (due == 0 || seed % 3 != 0) return;
        if (block.timestamp < due) vm.warp(due);
        try rollup.freeze() {} catch {}
    }

    function freeze() external {
        try rollup.freeze() {} catch {}
    }

    function exit(uint256 account, uint256 who, uint256 amount) external {
        account = claimant(account);
        try rollup.exit(account, ownerAt(who), bound(amount, 0, 1e13), noProof()) {
            if (++_claims[account] > 1) claimedTwice = true;
        } catch {}
    }

    function exitLate(uint256 account, uint256 who, uint256 amount) external {
        account = claimant(account);
        try rollup.exitLate(account, ownerAt(who), bound(amount, 0, 1e13), noProof()) {
            if (++_payments[account] > 1) paidTwice = true;
        } catch {}
    }

    function payExit(uint256 account) external {
        account = claimant(account);
        try rollup.payExit(account) {
            if (++_payments[account] > 1) paidTwice = true;
        } catch {}
    }

    function refund(uint256 seed) external watchesQueue {
        uint256 id = rollup.queueStart() + (seed % 4);
        try rollup.refundDeposit(id) {
            if (++_refunds[id] > 1) refundedTwice = true;
        } catch {}
    }

    /// @dev Few enough to be drawn twice.
    function claimant(uint256 seed) private pure returns (uint256) {
        return 2 + (seed % 3);
    }

    function ownerAt(uint256 who) public pure returns (address) {
        return address(uint160(0xA11CE + (who % OWNERS)));
    }

    function custody() external view returns (uint256) {
        return token.balanceOf(address(rollup.vault()));
    }

    function owed() external view returns (uint256) {
        return rollup.totalPendingWithdrawals() + rollup.unservedDeposits();
    }

    function held() external view returns (uint256) {
        return rollup.vault().held();
    }

    function pendingSum() external view returns (uint256 sum) {
        for (uint256 i = 0; i < OWNERS; i++) sum += rollup.pendingWithdrawals(ownerAt(i));
    }

    function pendingTotal() external view returns (uint256) {
        return rollup.totalPendingWithdrawals();
    }

    function root() external view returns (uint256) {
        return rollup.stateRoot();
    }

    function batches() external view returns (uint256) {
        return rollup.batchCount();
    }

    function openSum() external view returns (uint256 sum) {
        for (uint256 id = 1; id <= rollup.accountCount(); id++) sum += rollup.openOperations(id);
    }

    function queueLength() external view returns (uint256) {
        return rollup.queueEnd() - rollup.queueStart();
    }
}
