// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {OperationQueue, QueuedOperation} from "../../contracts/libraries/OperationQueue.sol";
import {Governance} from "../../contracts/Governance.sol";
import {OperatorSeat} from "../../contracts/libraries/OperatorSeat.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev Everybody at once, with verifiers that believe everything: what the contracts alone must
/// hold together. Each action catches its refusal, since what is refused is not under test here.
contract CustodyHandler is RollupFixture {
    uint256 private constant OWNERS = 5;
    uint256 private constant CLOSED_SLOT = 1;
    uint256 private constant CLOSED_LOTS = 5;

    uint256 public deposited;
    bool public rootMovedWhileFrozen;
    bool public queueWentBack;
    bool public paidTwice;

    bool public pauseStoppedExit;
    bool public configurationMoved;
    Governance private immutable _governance;
    bytes32 private immutable _configuration;

    constructor() {
        _governance = deployGoverned();
        _configuration = _configurationHash();
    }

    /// @dev Whoever it is that tries, nothing but a proposal that waited changes anything.
    function changeSettings(address caller, uint256 kind) external {
        if (caller == address(_governance)) return;
        vm.prank(caller);
        if (kind % 4 == 0) try rollup.setOperator(caller) {} catch {}
        if (kind % 4 == 1) try rollup.setOracleSet(kind) {} catch {}
        if (kind % 4 == 2) try rollup.setMinimumDeposit(kind) {} catch {}
        if (kind % 4 == 3) try rollup.setVerifiers(verifier, verifier, verifier) {} catch {}
        if (_configurationHash() != _configuration) configurationMoved = true;
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
        bytes memory call = abi.encodeCall(rollup.forceWithdraw, (1));
        if (kind % 5 == 1) call = abi.encodeCall(rollup.withdraw, (owner));
        if (kind % 5 == 2) call = abi.encodeCall(rollup.freeze, ());
        if (kind % 5 == 3) call = abi.encodeCall(rollup.payExit, (1 + (who % 8)));
        if (kind % 5 == 4) call = abi.encodeCall(rollup.refundDeposit, (who % 32));
        vm.prank(owner);
        (bool success, bytes memory reason) = address(rollup).call(call);
        bytes4 pausing = OperatorSeat.PausedUntil.selector;
        if (!success && bytes4(reason) == pausing) pauseStoppedExit = true;
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
        return
            keccak256(
                abi.encode(
                    rollup.operator(),
                    rollup.oracleSetHash(),
                    rollup.minimumDeposit(),
                    rollup.tradeVerifier(),
                    rollup.ledgerVerifier(),
                    rollup.exitVerifier(),
                    rollup.validators().admitted(),
                    _governance.getMinDelay()
                )
            );
    }

    function depositSome(uint256 who, uint256 amount) external {
        amount = bound(amount, 1, 1e12);
        address owner = ownerAt(who);
        fund(owner, amount);
        vm.prank(owner);
        try rollup.deposit(amount, noKey()) {
            deposited += amount;
        } catch {}
    }

    function forceSome(uint256 who, uint256 amount) external {
        vm.prank(ownerAt(who));
        try rollup.forceWithdraw(bound(amount, 1, 1e12)) {} catch {}
    }

    function cancelSome(uint256 who) external {
        vm.prank(ownerAt(who));
        try rollup.forceCancelAll() {} catch {}
    }

    function closeSome(uint256 who) external {
        vm.prank(ownerAt(who));
        try rollup.forceClose(CLOSED_SLOT, CLOSED_LOTS) {} catch {}
    }

    /// @dev Serves what is next and lets somebody withdraw anything: the proof is a lie.
    function batch(uint256 who, uint256 amount, uint8 count, bool executed) external {
        uint256[] memory words = emptyLedgerBatch();
        uint256 start = rollup.queueStart();
        uint256 index = 0;
        for (; index < count % LEDGER_STEPS && start + index < rollup.queueEnd(); index++) {
            QueuedOperation memory next = rollup.queuedOperation(start + index);
            bool closes = next.kind == P.LEDGER_KIND_FORCED_CLOSE;
            uint256 word = closes
                ? OperationQueue.closeWord(next.account, CLOSED_SLOT, CLOSED_LOTS)
                : operationWord(next.kind, next.account, next.amount);
            bool forced = closes || next.kind == P.LEDGER_KIND_FORCED_WITHDRAW;
            if (closes) word |= bound(amount, 0, 1e9) << P.LEDGER_OP_AMOUNT_OFFSET;
            if (forced && !executed) word ^= 1 << P.LEDGER_OP_EXECUTED_OFFSET;
            setOperation(words, index, word, rollup.ownerOf(next.account));
        }
        uint256 withdrawal = operationWord(P.LEDGER_KIND_WITHDRAW, 3, bound(amount, 1, 1e12));
        setOperation(words, index, withdrawal, ownerAt(who));
        bool frozen = rollup.frozenAt() != 0;
        try rollup.submitBatch(words, 1, noProof(), "") {
            if (frozen) rootMovedWhileFrozen = true;
        } catch {}
        if (rollup.queueStart() < start) queueWentBack = true;
    }

    function withdrawSome(uint256 who) external {
        try rollup.withdraw(ownerAt(who)) {} catch {}
    }

    function withdrawElsewhere(uint256 who) external {
        vm.prank(ownerAt(who));
        try rollup.withdrawTo(ownerAt(who + 1)) {} catch {}
    }

    function blockOwner(uint256 who, bool isBlocked) external {
        token.setBlocked(ownerAt(who), isBlocked);
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 5 days));
    }

    function freeze() external {
        try rollup.freeze() {} catch {}
    }

    function exit(uint256 account, uint256 who, uint256 amount) external {
        uint256 claim = bound(amount, 0, 1e13);
        try rollup.exit(bound(account, 1, 8), ownerAt(who), claim, noProof()) {} catch {}
    }

    function exitLate(uint256 account, uint256 who, uint256 amount) external {
        uint256 claim = bound(amount, 0, 1e13);
        try rollup.exitLate(bound(account, 1, 8), ownerAt(who), claim, noProof()) {} catch {}
    }

    function payExit(uint256 account) external {
        account = bound(account, 1, 8);
        bool wasPaid = rollup.exitClaim(account).paid;
        try rollup.payExit(account) {
            if (wasPaid) paidTwice = true;
        } catch {}
    }

    function refund(uint256 id) external {
        try rollup.refundDeposit(bound(id, 0, rollup.queueEnd())) {} catch {}
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

    function rootDistance() external view returns (uint256) {
        return rollup.stateRoot() - 1;
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

contract CustodyTest {
    CustodyHandler private handler;

    function setUp() public {
        handler = new CustodyHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev D2. One campaign for all of them: each would repeat the others' calls.
    function invariant_D2_everythingHolds() external view {
        require(handler.custody() >= handler.owed(), "custody covers what is owed");
        require(handler.custody() == handler.held(), "the vault counts its tokens");
        require(handler.custody() <= handler.deposited(), "nothing comes from nowhere");
        require(handler.pendingSum() == handler.pendingTotal(), "pending adds up");
        require(handler.rootDistance() == handler.batches(), "one root for each batch");
        require(!handler.rootMovedWhileFrozen(), "a frozen root stays");
        require(!handler.queueWentBack(), "the queue only goes forward");
        require(handler.openSum() == handler.queueLength(), "open operations add up");
        require(!handler.paidTwice(), "an account exits once");
        require(!handler.configurationMoved(), "settings move by proposals only");
        require(!handler.pauseStoppedExit(), "a pause stops no exit");
        require(handler.stuckEther() == 0, "no ether is stuck");
    }

    /// @dev The actions do what they are called; else nothing above would mean anything.
    function test_D2_actionsReachEveryState() external {
        for (uint256 i = 0; i < 5; i++) handler.depositSome(i, 999);
        assert(handler.deposited() == 5000 && handler.queueLength() == 5);
        handler.batch(0, 599, 5, true);
        assert(handler.queueLength() == 0 && handler.batches() == 1);
        assert(handler.pendingTotal() == 600);
        handler.withdrawSome(0);
        handler.forceSome(1, 5);
        assert(handler.pendingTotal() == 0 && handler.queueLength() == 1);
        handler.pause(true);
        handler.depositSome(2, 1);
        assert(handler.deposited() == 5000);
        handler.actWhilePaused(1, 0);
        assert(handler.queueLength() == 2);
        for (uint256 i = 0; i < 2; i++) handler.pass(5 days - 1);
        handler.freeze();
        handler.exit(2, 0, 70);
        for (uint256 i = 0; i < 7; i++) handler.pass(5 days - 1);
        uint256 custody = handler.custody();
        handler.payExit(2);
        assert(handler.custody() < custody && !handler.paidTwice());
        handler.payExit(2);
        assert(!handler.paidTwice());
    }
}
