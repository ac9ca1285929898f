// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Rollup} from "../../contracts/Rollup.sol";
import {Governance} from "../../contracts/Governance.sol";
import {IRollup, RollupConfig} from "../../contracts/interfaces/IRollup.sol";
import {KeyGate} from "../../contracts/libraries/KeyGate.sol";
import {OperatorSeat} from "../../contracts/libraries/OperatorSeat.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev A4: no change without its notice, whatever is drawn; no pause in an exit's way.
contract GovernanceTest is RollupFixture {
    Governance private governance;

    function setUp() public {
        governance = deployGoverned();
    }

    function create(RollupConfig calldata config_) external returns (Rollup) {
        return new Rollup(config_);
    }

    function _propose(bytes memory call, uint256 delay) private {
        vm.prank(PROPOSER);
        governance.schedule(address(rollup), 0, call, 0, 0, delay);
    }

    function execute(bytes calldata call) external {
        governance.execute(address(rollup), 0, call, 0, 0);
    }

    /// @dev Any deadline and window: a timelock that is not slower than both is refused.
    function testFuzz_A4_delayExceedsDeadlineAndWindow(
        uint32 deadline,
        uint32 window,
        uint32 delay
    ) external {
        RollupConfig memory config_ = config();
        config_.forcedDeadline = 1 + uint256(deadline);
        config_.claimWindow = 1 + uint256(window);
        config_.governance = new Governance(delay, PROPOSER, GUARDIAN);
        uint256 notice = config_.forcedDeadline + config_.claimWindow;
        if (delay <= notice) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IRollup.GovernanceDelayTooShort.selector,
                    delay,
                    notice
                )
            );
        }
        this.create(config_);
    }

    /// @dev On chains that matter: neither a deadline that makes a freeze of an ordinary delay, nor
    /// one that nobody lives to see.
    function testFuzz_A4_durationsAreDaysAndNotYears(uint256 deadline, uint256 window) external {
        vm.chainId(1);
        RollupConfig memory config_ = config();
        config_.forcedDeadline = _near(deadline, 3 days, 30 days);
        config_.claimWindow = _near(window, 7 days, 90 days);
        bytes memory reason;
        try this.create(config_) {} catch (bytes memory found) {
            reason = found;
        }
        bytes memory expected;
        if (config_.forcedDeadline < 3 days || config_.forcedDeadline > 30 days) {
            expected = abi.encodeWithSelector(
                IRollup.DurationOutOfRange.selector,
                config_.forcedDeadline,
                3 days,
                30 days
            );
        } else if (config_.claimWindow < 7 days || config_.claimWindow > 90 days) {
            expected = abi.encodeWithSelector(
                IRollup.DurationOutOfRange.selector,
                config_.claimWindow,
                7 days,
                90 days
            );
        } else {
            // What comes next: the verifier's key is everybody's.
            expected = abi.encodeWithSelector(
                KeyGate.VerifierKeyInsecure.selector,
                address(verifier),
                1
            );
        }
        assert(keccak256(reason) == keccak256(expected));
    }

    /// @dev Around both limits, in between, or anything.
    function _near(uint256 seed, uint256 low, uint256 high) private pure returns (uint256) {
        uint256 kind = seed % 4;
        if (kind == 0) return low - 1 + ((seed >> 2) % 3);
        if (kind == 1) return high - 1 + ((seed >> 2) % 3);
        return kind == 2 ? bound(seed >> 2, low, high) : seed;
    }

    /// @dev Nothing that is proposed happens a second before the delay, and then it does.
    function testFuzz_A4_changesWait(address operator, uint32 early, uint32 more) external {
        vm.assume(operator != address(0));
        bytes memory call = abi.encodeCall(IRollup.setOperator, (operator));
        uint256 delay = DELAY + more;
        uint256 due = block.timestamp + delay;
        _propose(call, delay);
        vm.warp(due - 1 - (early % delay));
        (bool success, ) = address(this).call(abi.encodeCall(this.execute, (call)));
        assert(!success && rollup.operator() == OPERATOR);
        vm.warp(due);
        this.execute(call);
        assert(rollup.operator() == operator);
    }

    function testFuzz_A4_delayNeverFallsBelowItsFloor(uint256 delay) external {
        bytes memory call = abi.encodeCall(governance.updateDelay, (delay));
        vm.prank(PROPOSER);
        governance.schedule(address(governance), 0, call, 0, 0, DELAY);
        vm.warp(block.timestamp + DELAY);
        (bool success, ) = address(governance).call(
            abi.encodeCall(governance.execute, (address(governance), 0, call, 0, 0))
        );
        assert(success == (delay >= DELAY));
        assert(governance.getMinDelay() == (success ? delay : DELAY));
    }

    /// @dev Pauses as often as anybody likes: never longer than their share of the time.
    function testFuzz_A4_pausesEndAndRest(uint32[8] memory waits) external {
        uint256 start = block.timestamp;
        uint256 paused = 0;
        for (uint256 i = 0; i < waits.length; i++) {
            uint256 allowed = rollup.pausableAt();
            vm.prank(GUARDIAN);
            (bool success, bytes memory reason) = address(rollup).call(
                abi.encodeCall(rollup.pause, ())
            );
            assert(success == (block.timestamp >= allowed));
            if (success) paused += rollup.pauseDuration();
            else assert(bytes4(reason) == OperatorSeat.PauseTooSoon.selector);
            vm.warp(block.timestamp + (waits[i] % 20 days));
        }
        uint256 period = rollup.pauseDuration() + DEADLINE;
        uint256 elapsed = block.timestamp - start;
        assert(paused <= (elapsed / period + 1) * rollup.pauseDuration());
    }
}
