// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {QueuedOperation} from "../../contracts/libraries/OperationQueue.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev Everybody at once, with verifiers that believe everything: what the contracts alone must
/// hold together. Each action catches its refusal, since what is refused is not under test here.
contract CustodyHandler is RollupFixture {
    uint256 private constant OWNERS = 5;

    uint256 public deposited;
    bool public rootMovedWhileFrozen;
    bool public queueWentBack;

    constructor() {
        deployRollup();
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

    /// @dev Serves what is next and lets somebody withdraw anything: the proof is a lie.
    function batch(uint256 who, uint256 amount, uint8 count, bool executed) external {
        uint256[] memory words = emptyLedgerBatch();
        uint256 start = rollup.queueStart();
        uint256 index = 0;
        for (; index < count % LEDGER_STEPS && start + index < rollup.queueEnd(); index++) {
            QueuedOperation memory next = rollup.queuedOperation(start + index);
            uint256 word = operationWord(next.kind, next.account, next.amount);
            bool forced = next.kind == P.LEDGER_KIND_FORCED_WITHDRAW;
            if (forced && !executed) word ^= 1 << P.LEDGER_OP_EXECUTED_OFFSET;
            setOperation(words, index, word, rollup.ownerOf(next.account));
        }
        uint256 withdrawal = operationWord(P.LEDGER_KIND_WITHDRAW, 3, bound(amount, 1, 1e12));
        setOperation(words, index, withdrawal, ownerAt(who));
        bool frozen = rollup.frozenAt() != 0;
        try rollup.submitBatch(words, 1, noProof()) {
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
        try rollup.payExit(bound(account, 1, 8)) {} catch {}
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

    function invariant_custodyCoversWhatIsOwed() external view {
        assert(handler.custody() >= handler.owed());
    }

    function invariant_vaultCountsItsTokens() external view {
        assert(handler.custody() == handler.held());
        assert(handler.custody() <= handler.deposited());
    }

    function invariant_pendingAddsUp() external view {
        assert(handler.pendingSum() == handler.pendingTotal());
    }

    function invariant_rootMovesOnceForEachBatch() external view {
        assert(handler.rootDistance() == handler.batches());
        assert(!handler.rootMovedWhileFrozen());
    }

    function invariant_queueOnlyGoesForward() external view {
        assert(!handler.queueWentBack());
        assert(handler.openSum() == handler.queueLength());
    }
}
