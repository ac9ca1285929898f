// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IExitVerifier} from "../../contracts/interfaces/IVerifier.sol";
import {ExitMode} from "../../contracts/libraries/ExitMode.sol";
import {OperationQueue} from "../../contracts/libraries/OperationQueue.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev The hatch of a whole rollup, drawn at random: when it opens, what it pays and how often.
contract HatchTest is RollupFixture {
    uint256 private constant ACCOUNTS_MAX = 6;

    function setUp() public {
        deployRollup();
    }

    function ownerAt(uint256 index) private pure returns (address) {
        return address(uint160(0xB0B0 + index));
    }

    /// forge-config: default.fuzz.runs = 10000
    function testFuzz_B1_freezesFromTheDeadlineOn(uint32 queuedAfter, uint32 wait) external {
        vm.warp(block.timestamp + queuedAfter);
        deposit(ownerAt(0), 5);
        uint256 deadline = block.timestamp + DEADLINE;
        assert(rollup.freezableAt() == deadline);
        uint256 early = deadline - 1 - (wait % DEADLINE);
        // A third of the runs freezes at the deadline, a third a second later, the others any time.
        uint256 due = deadline + [0, 1, 2 + uint256(wait)][wait % 3];
        uint256[3] memory times = [early, deadline - 1, due];
        for (uint256 i = 0; i < times.length; i++) {
            vm.warp(times[i]);
            if (i < 2) {
                vm.expectRevert(
                    abi.encodeWithSelector(
                        ExitMode.NothingOverdue.selector,
                        deadline,
                        times[i]
                    )
                );
            }
            vm.prank(ownerAt(9));
            rollup.freeze();
            assert(rollup.frozenAt() == (i < 2 ? 0 : due));
        }
    }

    /// @dev Nothing is overdue: nothing waits, or what waits is younger than the deadline, however
    /// old what was served before it would be.
    /// forge-config: default.fuzz.runs = 10000
    function testFuzz_B1_neverFreezesWhenNothingIsOverdue(
        uint32 wait,
        uint8 served,
        uint32 young
    ) external {
        uint256 count = served % LEDGER_STEPS;
        uint256[] memory words = emptyLedgerBatch();
        for (uint256 i = 0; i < count; i++) {
            uint256 id = deposit(ownerAt(i), 5);
            uint256 word = operationWord(1, rollup.queuedOperation(id).account, 5);
            setOperation(words, i, word, ownerAt(i));
        }
        submit(words);
        vm.warp(block.timestamp + wait);
        assert(rollup.freezableAt() == 0);
        vm.expectRevert(abi.encodeWithSelector(OperationQueue.QueueEmpty.selector, count));
        rollup.freeze();
        deposit(ownerAt(6), 5);
        uint256 deadline = block.timestamp + DEADLINE;
        vm.warp(block.timestamp + (young % DEADLINE));
        vm.expectRevert(
            abi.encodeWithSelector(ExitMode.NothingOverdue.selector, deadline, block.timestamp)
        );
        rollup.freeze();
        assert(rollup.frozenAt() == 0);
    }

    /// @dev A book of claims against a vault that may hold less: what is paid adds up to no more
    /// than is there, everybody gets the same share, and nobody is paid twice (B2, B3).
    /// forge-config: default.fuzz.runs = 10000
    function testFuzz_B3_paymentsNeverExceedCustody(
        uint64[6] memory claims,
        uint64 funds,
        uint64 unserved,
        uint8 order
    ) external {
        _frozenWith(1 + (funds % 1e12), 1 + (unserved % 1e12));
        uint256 total = 0;
        for (uint256 i = 0; i < ACCOUNTS_MAX; i++) {
            uint256 claim = 1 + (claims[i] % 1e12);
            // The claim of account 8, the last one, comes too late.
            if (i < 5) rollup.exit(3 + i, ownerAt(i), claim, noProof());
            if (i < 5) total += claim;
        }
        vm.warp(block.timestamp + WINDOW);
        uint256 custody = token.balanceOf(address(rollup.vault()));
        uint256 refund = rollup.unservedDeposits();
        uint256 pool = custody - refund;
        uint256 late = 1 + (claims[5] % 1e12);
        if (order % 2 == 0) rollup.exitLate(8, ownerAt(5), late, noProof());
        if (order % 3 == 0) rollup.refundDeposit(1);
        for (uint256 k = 0; k < 5; k++) {
            uint256 i = (k + order) % 5;
            uint256 claim = 1 + (claims[i] % 1e12);
            rollup.payExit(3 + i);
            uint256 share = total <= pool ? claim : (claim * pool) / total;
            assert(token.balanceOf(ownerAt(i)) == share);
            vm.expectRevert(
                abi.encodeWithSelector(ExitMode.ClaimAlreadyPaid.selector, 3 + i)
            );
            rollup.payExit(3 + i);
            vm.expectRevert(abi.encodeWithSelector(ExitMode.AlreadyClaimed.selector, 3 + i));
            rollup.exitLate(3 + i, ownerAt(i), 1, noProof());
        }
        if (order % 2 != 0) rollup.exitLate(8, ownerAt(5), late, noProof());
        if (order % 3 != 0) rollup.refundDeposit(1);
        uint256 left = total < pool ? pool - total : 0;
        assert(token.balanceOf(ownerAt(5)) == (late < left ? late : left));
        assert(token.balanceOf(ownerAt(6)) == refund);
        uint256 paid = custody - token.balanceOf(address(rollup.vault()));
        assert(paid <= custody);
        // The last one out leaves less than one unit for each claim.
        if (total > pool) assert(token.balanceOf(address(rollup.vault())) < 5);
    }

    /// @dev B8: a batch that the operator keeps to itself cannot hold anybody's money: the exit
    /// counts from the last root that was proven, whatever happened after it.
    function test_B8_exitFromTheLastProvenRoot() external {
        uint256 root = rollup.stateRoot();
        _frozenWith(1000, 7);
        assert(rollup.stateRoot() == root + 1);
        uint256[4] memory signals = [root + 1, 3, uint256(uint160(ownerAt(0))), 600];
        verifier.setOnlySignals(keccak256(abi.encode(signals)));
        vm.prank(ownerAt(9));
        rollup.exit(3, ownerAt(0), 600, noProof());
        vm.warp(block.timestamp + WINDOW);
        rollup.payExit(3);
        assert(token.balanceOf(ownerAt(0)) == 600);
        rollup.refundDeposit(1);
        assert(token.balanceOf(ownerAt(6)) == 7);
    }

    /// @dev A served deposit of `funds`, then one of `unserved` that no batch serves.
    function test_exit_verifierGetsTheProofAsItCame() external {
        _frozenWith(1000, 7);
        uint256[8] memory proof = [uint256(11), 12, 13, 14, 15, 16, 17, 18];
        uint256[4] memory signals = [rollup.stateRoot(), 3, uint256(uint160(ownerAt(0))), 600];
        vm.expectCall(
            address(verifier),
            abi.encodeWithSelector(IExitVerifier.verifyProof.selector, proof, signals)
        );
        rollup.exit(3, ownerAt(0), 600, proof);
    }

    function _frozenWith(uint256 funds, uint256 unserved) private {
        deposit(ownerAt(0), funds);
        uint256[] memory words = emptyLedgerBatch();
        setOperation(words, 0, operationWord(1, 3, funds), ownerAt(0));
        submit(words);
        deposit(ownerAt(6), unserved);
        vm.warp(block.timestamp + DEADLINE);
        rollup.freeze();
    }
}
