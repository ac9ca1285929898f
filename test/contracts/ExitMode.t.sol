// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ExitMode} from "../../contracts/libraries/ExitMode.sol";
import {Vm} from "./RollupFixture.sol";

/// @dev Invariant I9: an account exits at most once, and payments never exceed the pool.
contract ExitModeTest {
    using ExitMode for ExitMode.State;

    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 private constant WINDOW = 10 days;
    uint256 private constant START = 1_700_000_000;

    ExitMode.State private exits;

    function testFuzz_payments_neverExceedPool(
        uint64[] memory claims,
        uint8 lateCount,
        uint64 pool
    ) external {
        vm.warp(START);
        exits.freeze(START);
        uint256 timely = claims.length - (lateCount % (claims.length + 1));
        uint256 total = 0;
        for (uint256 i = 0; i < timely; i++) {
            // From 1: nobody claims nothing.
            exits.claim(i, address(1), uint256(claims[i]) + 1, WINDOW);
            total += uint256(claims[i]) + 1;
        }
        vm.warp(START + WINDOW);
        uint256 paid = 0;
        // Late claims first: arriving early at the counter must not cost the timely ones.
        for (uint256 i = timely; i < claims.length; i++) {
            paid += exits.claimLate(i, address(1), uint256(claims[i]) + 1, pool, WINDOW);
        }
        for (uint256 i = 0; i < timely; i++) {
            // The pool offered now is another; only the first one counts.
            (, uint256 payment) = exits.settle(i, claims.length == timely ? pool : 0, WINDOW);
            uint256 claimed = uint256(claims[i]) + 1;
            assert(payment <= claimed);
            if (total <= pool) assert(payment == claimed);
            else assert(payment == (claimed * pool) / total);
            paid += payment;
        }
        assert(paid <= pool || claims.length == 0);
    }

    function claim(uint256 account, address owner, uint256 amount) external {
        exits.claim(account, owner, amount, WINDOW);
    }

    function settle(uint256 account) external returns (uint256 payment) {
        (, payment) = exits.settle(account, 100, WINDOW);
    }

    function claimLate(uint256 account, uint256 amount) external returns (uint256) {
        return exits.claimLate(account, address(1), amount, 100, WINDOW);
    }

    function freeze(uint256 deadline) external {
        exits.freeze(deadline);
    }

    function testFuzz_freeze_onlyFromDeadline(uint32 deadline, uint32 now_) external {
        vm.assume(now_ > 0);
        vm.warp(now_);
        if (now_ < deadline) {
            vm.expectRevert(
                abi.encodeWithSelector(ExitMode.NothingOverdue.selector, deadline, now_)
            );
        }
        this.freeze(deadline);
        if (now_ >= deadline) assert(exits.frozenAt == now_);
    }

    function test_windowBoundary() external {
        vm.warp(START);
        this.freeze(START);
        vm.warp(START + WINDOW - 1);
        this.claim(1, address(1), 60);
        vm.expectRevert(_with(ExitMode.ClaimWindowOpen.selector));
        this.settle(1);
        vm.expectRevert(_with(ExitMode.ClaimWindowOpen.selector));
        this.claimLate(2, 60);
        vm.warp(START + WINDOW);
        vm.expectRevert(_with(ExitMode.ClaimWindowOver.selector));
        this.claim(2, address(1), 60);
        assert(this.claimLate(2, 60) == 40);
        assert(this.settle(1) == 60);
    }

    function test_once() external {
        vm.warp(START);
        vm.expectRevert(abi.encodeWithSelector(ExitMode.NotFrozen.selector));
        this.claim(1, address(1), 1);
        this.freeze(START);
        this.claim(1, address(1), 1);
        vm.expectRevert(abi.encodeWithSelector(ExitMode.AlreadyClaimed.selector, 1));
        this.claim(1, address(1), 1);
        vm.expectRevert(abi.encodeWithSelector(ExitMode.ClaimOwnerZero.selector, 2));
        this.claim(2, address(0), 1);
        vm.warp(START + WINDOW);
        this.settle(1);
        vm.expectRevert(abi.encodeWithSelector(ExitMode.ClaimAlreadyPaid.selector, 1));
        this.settle(1);
        vm.expectRevert(abi.encodeWithSelector(ExitMode.ClaimMissing.selector, 3));
        this.settle(3);
        vm.expectRevert(abi.encodeWithSelector(ExitMode.AlreadyClaimed.selector, 1));
        this.claimLate(1, 1);
    }

    function test_claimOfNothingOrTooMuch_reverts() external {
        vm.warp(START);
        this.freeze(START);
        uint256 most = type(uint88).max;
        uint256[3] memory amounts = [0, most + 1, type(uint256).max];
        for (uint256 i = 0; i < amounts.length; i++) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    ExitMode.ClaimAmountOutOfRange.selector,
                    1,
                    amounts[i],
                    most
                )
            );
            this.claim(1, address(1), amounts[i]);
        }
        this.claim(1, address(1), most);
    }

    function _with(bytes4 selector) private view returns (bytes memory) {
        return abi.encodeWithSelector(selector, START + WINDOW, block.timestamp);
    }
}
