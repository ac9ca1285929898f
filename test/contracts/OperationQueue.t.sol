// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {OperationQueue, Request} from "../../contracts/libraries/OperationQueue.sol";
import {Key} from "../../contracts/libraries/TradingKeys.sol";
import {Vm} from "./RollupFixture.sol";

/// @dev Invariant I8: served in order, each once, exactly as queued.
contract OperationQueueTest {
    using OperationQueue for OperationQueue.State;

    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 private constant EXECUTED = 1 << P.LEDGER_OP_EXECUTED_OFFSET;

    OperationQueue.State private queue;
    uint256[5] private KINDS = [
        P.LEDGER_KIND_DEPOSIT,
        P.LEDGER_KIND_REGISTER_KEY,
        P.LEDGER_KIND_FORCED_WITHDRAW,
        P.LEDGER_KIND_FORCED_CANCEL_ALL,
        P.LEDGER_KIND_FORCED_CLOSE
    ];

    function serve(uint256[] calldata words) external returns (uint256) {
        return queue.serve(words, 0, 1000 * block.timestamp);
    }

    function refund(uint256 id) external returns (uint256, uint256) {
        return queue.refund(id);
    }

    function testFuzz_serve_acceptsWhatWasQueued(
        uint8 kindSeed,
        uint16 account,
        address owner,
        uint48 amount,
        Key memory key
    ) external {
        (uint256 id, uint256[] memory words) = _push(kindSeed, account, owner, amount, key);
        assert(this.serve(words) == account);
        assert(queue.start == id + 1);
        assert(queue.unservedDeposits == 0);
    }

    function testFuzz_serve_anyOtherBit_reverts(
        uint8 kindSeed,
        uint16 account,
        address owner,
        uint48 amount,
        Key memory key,
        uint8 word,
        uint8 bit
    ) external {
        (uint256 id, uint256[] memory words) = _push(kindSeed, account, owner, amount, key);
        bytes32 expected = keccak256(abi.encodePacked(words));
        uint256 flipped = 1 << uint256(bit);
        words[word % 4] ^= flipped;
        if (word % 4 == 0 && flipped & _freeBits(KINDS[kindSeed % 5]) != 0) {
            assert(this.serve(words) == account);
            return;
        }
        uint256[] memory normal = new uint256[](4);
        for (uint256 i = 0; i < 4; i++) normal[i] = words[i];
        uint256 freeNow = _freeBits(P.ledgerOpKind(words[0]));
        normal[0] = (normal[0] & ~freeNow) | (freeNow & EXECUTED);
        bytes32 actual = keccak256(abi.encodePacked(normal));
        vm.expectRevert(
            abi.encodeWithSelector(
                OperationQueue.OperationUnequal.selector,
                id,
                expected,
                actual
            )
        );
        this.serve(words);
    }

    function testFuzz_serve_outOfOrder_reverts(uint48 first, uint48 second) external {
        vm.assume(first != second);
        Key memory key;
        _push(0, 1, address(1), first, key);
        (, uint256[] memory words) = _push(0, 1, address(1), second, key);
        try this.serve(words) {
            assert(false);
        } catch {
            assert(queue.start == 0);
        }
    }

    function test_serve_empty_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(OperationQueue.QueueEmpty.selector, 0));
        this.serve(new uint256[](4));
    }

    function testFuzz_refund_onlyUnservedDepositsOnce(uint48 amount) external {
        Key memory key;
        (, uint256[] memory words) = _push(0, 1, address(1), amount, key);
        _push(0, 2, address(2), amount, key);
        _push(1, 2, address(2), 0, key);
        this.serve(words);
        _expectRefundReverts(abi.encodeWithSelector(
            OperationQueue.OperationAlreadyServed.selector, 0, 1), 0);
        (uint256 account, uint256 refunded) = this.refund(1);
        assert(account == 2 && refunded == amount && queue.unservedDeposits == 0);
        _expectRefundReverts(abi.encodeWithSelector(
            OperationQueue.DepositAlreadyRefunded.selector, 1), 1);
        _expectRefundReverts(abi.encodeWithSelector(
            OperationQueue.OperationNotDeposit.selector, 2, P.LEDGER_KIND_REGISTER_KEY), 2);
        _expectRefundReverts(abi.encodeWithSelector(
            OperationQueue.OperationUnknown.selector, 3, 3), 3);
    }

    function _expectRefundReverts(bytes memory reason, uint256 id) private {
        vm.expectRevert(reason);
        this.refund(id);
    }

    function _push(
        uint8 kindSeed,
        uint256 account,
        address owner,
        uint256 amount,
        Key memory key
    ) private returns (uint256 id, uint256[] memory words) {
        uint256 kind = KINDS[kindSeed % 5];
        key.index = key.index % uint8(P.KEYS_PER_ACCOUNT);
        Request memory request = Request(kind, account, amount, key.index, 1 + amount % 99, key);
        id = queue.push(owner, request);
        words = new uint256[](4);
        words[0] = kind == P.LEDGER_KIND_FORCED_CLOSE
            ? OperationQueue.closeWord(account, request.slot, request.lots)
            : OperationQueue.firstWord(kind, account, amount, key.index, key.expiry);
        words[1] = uint256(uint160(owner));
        words[2] = key.x;
        words[3] = key.y;
    }

    /// @dev What only the proof knows: whether it came to a withdrawal or close, and its charge.
    function _freeBits(uint256 kind) private pure returns (uint256) {
        if (kind == P.LEDGER_KIND_FORCED_WITHDRAW) return EXECUTED;
        if (kind != P.LEDGER_KIND_FORCED_CLOSE) return 0;
        return EXECUTED | (((1 << P.LEDGER_OP_AMOUNT_BITS) - 1) << P.LEDGER_OP_AMOUNT_OFFSET);
    }

    function testFuzz_premium_growsAboveTheOrdinaryLane(uint16 waiting, uint16 served) external {
        queue.end = uint256(waiting) + served;
        queue.start = served;
        uint256 lane = OperationQueue.ORDINARY_OPERATIONS;
        uint256 above = waiting < lane ? 0 : waiting - lane + 1;
        assert(queue.premium() == above * OperationQueue.PREMIUM_STEP);
    }
}
