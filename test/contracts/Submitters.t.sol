// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IRollup} from "../../contracts/interfaces/IRollup.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev A1: every batch is the calldata of a transaction, where whoever rebuilds the ledger finds
/// it. A4: who is not the operator is let in for the queue's sake only.
contract SubmittersTest is RollupFixture {
    address private constant STRANGER = address(0xBAD);
    uint256 private constant SILENCE = 24 hours;

    function setUp() external {
        deployRollup();
    }

    function _submitAs(address sender, address origin) private returns (bool, bytes memory) {
        bytes memory call = abi.encodeCall(
            rollup.submitBatch,
            (emptyLedgerBatch(), 1, noProof(), "")
        );
        vm.prank(sender, origin);
        return address(rollup).call(call);
    }

    function _isRefused(address sender, address origin) private returns (bool) {
        (bool success, bytes memory reason) = _submitAs(sender, origin);
        bytes memory expected = abi.encodeWithSelector(
            IRollup.SubmitterNotPlain.selector,
            sender
        );
        return !success && keccak256(reason) == keccak256(expected);
    }

    /// @dev Neither through another contract, nor from an account that has code.
    function testFuzz_A1_batchesAreTransactionsThemselves(address origin) external {
        vm.assume(origin != OPERATOR);
        assert(_isRefused(OPERATOR, origin));
        assert(_isRefused(address(token), address(token)));
        assert(_isRefused(address(this), origin));
        (bool success, ) = _submitAs(OPERATOR, OPERATOR);
        assert(success && rollup.batchCount() == 1);
    }

    /// @dev However long the operator is silent and the oldest order waits: others come in when
    /// both have lasted a day, and never without an order.
    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_A4_strangersServeTheQueueAfterADay(
        uint32 silence,
        uint32 waiting,
        bool hasOrder
    ) external {
        vm.warp(block.timestamp + (silence % 3 days));
        uint256 queuedAt = block.timestamp;
        if (hasOrder) deposit(ownerAt(1), 5);
        vm.warp(block.timestamp + (waiting % 3 days));
        bool isOpen = hasOrder && block.timestamp >= queuedAt + SILENCE;
        (bool success, bytes memory reason) = _submitAs(STRANGER, STRANGER);
        assert(success == isOpen);
        if (success) {
            // The batch broke the silence.
            (success, reason) = _submitAs(STRANGER, STRANGER);
            assert(!success);
        }
        assert(bytes4(reason) == IRollup.SubmitterNotOperator.selector);
        (success, ) = _submitAs(OPERATOR, OPERATOR);
        assert(success);
    }

    function ownerAt(uint256 index) private pure returns (address) {
        return address(uint160(0x1000 + index));
    }
}
