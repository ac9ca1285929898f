// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {IRollup} from "../../contracts/interfaces/IRollup.sol";
import {Accounts} from "../../contracts/libraries/Accounts.sol";
import {OperationQueue, QueuedOperation} from "../../contracts/libraries/OperationQueue.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev B4: nobody can fill the queue so that an honest order finds no place, nor so that the
/// operator cannot clear it.
contract ForcedLaneTest is RollupFixture {
    address private constant BURNT = address(0xdEaD);
    address private constant HONEST = address(0xA11CE);
    /// @dev More than proving and anchoring a ledger batch takes an operator.
    uint256 private constant SECONDS_PER_BATCH = 2 minutes;

    uint256 private lane;
    uint256 private step;

    function setUp() external {
        deployRollup();
        lane = OperationQueue.ORDINARY_OPERATIONS;
        step = OperationQueue.PREMIUM_STEP;
        deposit(HONEST, 1);
        _clear();
        vm.deal(HONEST, 1 ether);
        // Once for all tests: the lane is as full in each of them.
        _flood(lane);
    }

    function test_B4_honestOrderLandsInTheNextBlockWithTheLaneFull() external {
        assert(rollup.premium() == step);
        vm.prank(HONEST);
        try rollup.forceWithdraw(1) {
            assert(false);
        } catch (bytes memory reason) {
            bytes memory due = abi.encodeWithSelector(IRollup.PremiumTooLow.selector, 0, step);
            assert(keccak256(reason) == keccak256(due));
        }
        // The same block: nobody has to act before the order has its place.
        uint256 end = rollup.queueEnd();
        vm.prank(HONEST);
        uint256 id = rollup.forceWithdraw{value: 3 * step}(1);
        assert(id == end);
        assert(HONEST.balance == 1 ether - step && BURNT.balance == step);
        assert(address(rollup).balance == 0);
    }

    function test_B4_eachOrderAboveTheLaneCostsMore() external {
        uint256 paid;
        for (uint256 i = 1; i <= Accounts.FREE_OPERATIONS; i++) {
            uint256 due = rollup.premium();
            assert(due == i * step);
            vm.prank(HONEST);
            rollup.forceCancelAll{value: due}();
            paid += due;
        }
        assert(BURNT.balance == paid && HONEST.balance == 1 ether - paid);
        _serve(LEDGER_STEPS);
        assert(rollup.premium() == (Accounts.FREE_OPERATIONS + 1 - LEDGER_STEPS) * step);
    }

    function test_B4_operatorClearsAFullQueueOfInvalidOrdersInATenthOfTheDeadline() external {
        uint256 begun = block.timestamp;
        for (uint256 i = 0; i < Accounts.FREE_OPERATIONS; i++) {
            uint256 due = rollup.premium();
            vm.prank(HONEST);
            rollup.forceClose{value: due}(i, 1);
        }
        uint256 batches;
        while (rollup.queueStart() < rollup.queueEnd()) {
            vm.warp(block.timestamp + SECONDS_PER_BATCH);
            _serve(LEDGER_STEPS);
            batches++;
        }
        uint256 all = lane + Accounts.FREE_OPERATIONS;
        assert(batches == (all + LEDGER_STEPS - 1) / LEDGER_STEPS);
        assert(block.timestamp - begun <= DEADLINE / 10);
        assert(rollup.premium() == 0);
    }

    function testFuzz_B4_whatIsAboveThePremiumComesBack(uint64 sent) external {
        vm.deal(HONEST, sent);
        vm.prank(HONEST);
        try rollup.forceCancelAll{value: sent}() {
            assert(sent >= step && HONEST.balance == sent - step);
        } catch {
            assert(sent < step && HONEST.balance == sent);
        }
        assert(address(rollup).balance == 0);
    }

    /// @dev Withdrawals of what nobody has, eight by each of as many accounts as it takes.
    function _flood(uint256 count) private {
        uint256 seats = Accounts.FREE_OPERATIONS;
        for (uint256 i = 0; i < count; i++) {
            address owner = address(uint160(0x10000 + i / seats));
            if (i % seats == 0) {
                deposit(owner, 1);
                continue;
            }
            vm.prank(owner);
            rollup.forceWithdraw(1 << 49);
        }
    }

    function _clear() private {
        while (rollup.queueStart() < rollup.queueEnd()) _serve(LEDGER_STEPS);
    }

    /// @dev A batch of what is next: withdrawals and closes as no-ops.
    function _serve(uint256 count) private {
        uint256[] memory words = emptyLedgerBatch();
        uint256 start = rollup.queueStart();
        uint256 end = rollup.queueEnd();
        for (uint256 i = 0; i < count && start + i < end; i++) {
            QueuedOperation memory next = rollup.queuedOperation(start + i);
            uint256 word = next.kind == P.LEDGER_KIND_FORCED_CLOSE
                ? OperationQueue.closeWord(next.account, _slotOf(start + i), 1)
                : operationWord(next.kind, next.account, next.amount);
            bool refused = next.kind == P.LEDGER_KIND_FORCED_CLOSE ||
                next.kind == P.LEDGER_KIND_FORCED_WITHDRAW;
            if (refused) word ^= 1 << P.LEDGER_OP_EXECUTED_OFFSET;
            setOperation(words, i, word, rollup.ownerOf(next.account));
        }
        submit(words);
    }

    /// @dev The closes are the last orders, of slots 0 and up.
    function _slotOf(uint256 id) private view returns (uint256) {
        return id + Accounts.FREE_OPERATIONS - rollup.queueEnd();
    }
}
