// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {CustodyHandler} from "./CustodyHandler.sol";

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
        require(handler.root() == handler.rootExpected(), "each root follows the last");
        require(handler.batches() == handler.batchesTaken(), "one number for each batch");
        require(!handler.chainBroken(), "no batch out of turn");
        require(!handler.rootMovedWhileFrozen(), "a frozen root stays");
        require(!handler.thawed(), "a freeze is for good");
        require(!handler.queueWentBack(), "the queue only goes forward");
        require(!handler.queueJumped(), "the queue is served in order");
        require(handler.openSum() == handler.queueLength(), "open operations add up");
        require(!handler.claimedTwice(), "an account claims once");
        require(!handler.paidTwice(), "an account exits once");
        require(!handler.refundedTwice(), "a deposit is refunded once");
        require(!handler.configurationMoved(), "settings move by proposals only");
        require(!handler.pauseStoppedExit(), "a pause stops no exit");
        require(handler.stuckEther() == 0, "no ether is stuck");
        require(!handler.etherKept(), "what is above the premium comes back");
    }

    /// @dev The actions do what they are called; else nothing above would mean anything.
    function test_D2_actionsReachEveryState() external {
        for (uint256 i = 0; i < 5; i++) handler.depositSome(i, 999);
        assert(handler.deposited() == 5000 && handler.queueLength() == 5);
        handler.batchOutOfOrder(0, true);
        handler.batchOutOfTurn(0, 0);
        assert(handler.batches() == 0 && handler.queueLength() == 5);
        handler.batch(0, 599, 5, true);
        assert(handler.queueLength() == 0 && handler.batches() == 1);
        assert(handler.pendingTotal() == 600);
        handler.withdrawSome(0);
        handler.forceSome(1, 5);
        assert(handler.pendingTotal() == 0 && handler.queueLength() == 1);
        handler.overpay(1 ether);
        assert(handler.queueLength() == 3 && !handler.etherKept());
        handler.pause(true);
        handler.depositSome(2, 1);
        assert(handler.deposited() == 5001);
        for (uint256 kind = 0; kind < 11; kind++) handler.actWhilePaused(1, kind);
        assert(handler.queueLength() == 7 && !handler.pauseStoppedExit());
        for (uint256 i = 0; i < 2; i++) handler.pass(5 days - 1);
        handler.freeze();
        handler.exit(2, 0, 70);
        handler.exit(2, 0, 70);
        assert(!handler.claimedTwice());
        for (uint256 i = 0; i < 7; i++) handler.pass(5 days - 1);
        uint256 custody = handler.custody();
        handler.payExit(2);
        assert(handler.custody() < custody && !handler.paidTwice());
        handler.payExit(2);
        handler.exitLate(2, 0, 70);
        assert(!handler.paidTwice());
    }
}
