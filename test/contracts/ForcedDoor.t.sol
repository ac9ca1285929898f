// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {IRollup} from "../../contracts/interfaces/IRollup.sol";
import {OperationQueue} from "../../contracts/libraries/OperationQueue.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev B5: what anybody may ask of layer one. The rule of the door is stated here once more; it
/// is the one that test/property/forced.test.ts holds against the engine.
contract ForcedDoorTest is RollupFixture {
    address private constant OWNER = address(0xA11CE);
    address private constant STRANGER = address(0xBAD);
    uint256 private constant AMOUNT_MAX = (1 << P.AMOUNT_BITS) - 1;
    uint256 private constant LOTS_MAX = (1 << P.LOTS_BITS) - 1;

    struct Asked {
        uint256 kind;
        address sender;
        uint256 amount;
        uint256 slot;
        uint256 lots;
    }

    function setUp() external {
        deployRollup();
        deposit(OWNER, 1);
        deposit(INSURANCE, 1);
        uint256[] memory words = emptyLedgerBatch();
        setOperation(words, 0, operationWord(P.LEDGER_KIND_DEPOSIT, 3, 1), OWNER);
        setOperation(words, 1, operationWord(P.LEDGER_KIND_DEPOSIT, 2, 1), INSURANCE);
        submit(words);
    }

    /// @dev In or out by the rule; what is in is served as an effect and, where the proof may
    /// refuse, as a no-op; in no other words; and the queue is empty again.
    /// forge-config: default.fuzz.runs = 10000
    function testFuzz_B5_whatGetsInIsClearedAndNothingElseGetsIn(
        uint8 who,
        uint8 kind,
        uint256 amount,
        uint256 slot,
        uint256 lots,
        bool executed
    ) external {
        Asked memory asked = Asked({
            kind: _kindOf(kind),
            sender: _senderOf(who),
            amount: _drawn(amount, AMOUNT_MAX),
            slot: _drawn(slot, SLOTS),
            lots: _drawn(lots, LOTS_MAX)
        });
        vm.prank(asked.sender);
        (bool success, bytes memory reason) = address(rollup).call(_callOf(asked));
        assert(success == _isLetIn(asked));
        if (!success) {
            // Every refusal has a name.
            assert(reason.length >= 4);
            assert(rollup.queueEnd() == rollup.queueStart());
            return;
        }
        assert(rollup.queueEnd() == rollup.queueStart() + 1);
        bool mayRefuse = asked.kind != P.LEDGER_KIND_FORCED_CANCEL_ALL;
        uint256 word = _wordOf(asked, executed || !mayRefuse);
        _refusesOtherWords(asked, word, mayRefuse);
        uint256 pending = rollup.totalPendingWithdrawals();
        uint256 held = rollup.vault().held();
        bool pays = asked.kind == P.LEDGER_KIND_FORCED_WITHDRAW && executed;
        uint256[] memory words = _batchOf(word, asked.sender);
        if (pays && asked.amount > held) {
            // No proof exists for it: nobody has more than the vault.
            assert(!_submits(words));
            words = _batchOf(_wordOf(asked, false), asked.sender);
            pays = false;
        }
        submit(words);
        assert(rollup.queueEnd() == rollup.queueStart());
        assert(rollup.totalPendingWithdrawals() == pending + (pays ? asked.amount : 0));
        assert(rollup.openOperations(rollup.accountOf(asked.sender)) == 0);
    }

    function _refusesOtherWords(Asked memory asked, uint256 word, bool mayRefuse) private {
        uint256 next = 1 << P.LEDGER_OP_ACCOUNT_OFFSET;
        assert(!_submits(_batchOf(word ^ next, asked.sender)));
        assert(!_submits(_batchOf(word, address(uint160(asked.sender) ^ 1))));
        if (mayRefuse) return;
        uint256 executedBit = 1 << P.LEDGER_OP_EXECUTED_OFFSET;
        assert(!_submits(_batchOf(word ^ executedBit, asked.sender)));
    }

    function _submits(uint256[] memory words) private returns (bool success) {
        bytes memory call = abi.encodeCall(rollup.submitBatch, (words, 1, noProof(), ""));
        vm.prank(OPERATOR, OPERATOR);
        (success, ) = address(rollup).call(call);
    }

    function _batchOf(uint256 word, address owner) private view returns (uint256[] memory words) {
        words = emptyLedgerBatch();
        setOperation(words, 0, word, owner);
    }

    function _wordOf(Asked memory asked, bool executed) private view returns (uint256 word) {
        uint256 account = rollup.accountOf(asked.sender);
        word = asked.kind == P.LEDGER_KIND_FORCED_CLOSE
            ? OperationQueue.closeWord(account, asked.slot, asked.lots)
            : operationWord(
                asked.kind,
                account,
                asked.kind == P.LEDGER_KIND_FORCED_WITHDRAW ? asked.amount : 0
            );
        if (!executed) word ^= 1 << P.LEDGER_OP_EXECUTED_OFFSET;
    }

    function _isLetIn(Asked memory asked) private pure returns (bool) {
        // The treasury has an account, but never made a deposit: the ledger does not know it.
        if (asked.sender == STRANGER || asked.sender == TREASURY) return false;
        if (asked.kind == P.LEDGER_KIND_FORCED_CANCEL_ALL) return true;
        if (asked.kind == P.LEDGER_KIND_FORCED_WITHDRAW) {
            return asked.amount >= 1 && asked.amount <= AMOUNT_MAX;
        }
        bool isInRange = asked.slot < SLOTS && asked.lots >= 1 && asked.lots <= LOTS_MAX;
        return isInRange && asked.sender != INSURANCE;
    }

    function _callOf(Asked memory asked) private pure returns (bytes memory) {
        if (asked.kind == P.LEDGER_KIND_FORCED_CANCEL_ALL) {
            return abi.encodeCall(IRollup.forceCancelAll, ());
        }
        if (asked.kind == P.LEDGER_KIND_FORCED_WITHDRAW) {
            return abi.encodeCall(IRollup.forceWithdraw, (asked.amount));
        }
        return abi.encodeCall(IRollup.forceClose, (asked.slot, asked.lots));
    }

    function _kindOf(uint8 drawn) private pure returns (uint256) {
        if (drawn % 4 == 0) return P.LEDGER_KIND_FORCED_CANCEL_ALL;
        if (drawn % 4 == 1) return P.LEDGER_KIND_FORCED_WITHDRAW;
        return P.LEDGER_KIND_FORCED_CLOSE;
    }

    function _senderOf(uint8 drawn) private pure returns (address) {
        if (drawn % 8 == 0) return STRANGER;
        if (drawn % 8 == 1) return INSURANCE;
        if (drawn % 8 == 2) return TREASURY;
        return OWNER;
    }

    /// @dev One of the values around the limits, one in range, or anything.
    function _drawn(uint256 seed, uint256 limit) private pure returns (uint256) {
        uint256 kind = seed % 8;
        if (kind == 0) return 0;
        if (kind == 1) return 1;
        if (kind == 2) return limit;
        if (kind == 3) return limit + 1;
        if (kind == 4) return seed;
        return (seed >> 3) % (limit + 1);
    }
}
