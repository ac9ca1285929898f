// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice What an account claimed after the freeze.
/// @param owner Who is paid; 0 when the account has not claimed.
/// @param amount Value of the account in the last anchored state, 1e-6 USDC.
/// @param paid Whether its share was paid.
struct Claim {
    address owner;
    uint88 amount;
    bool paid;
}

/// @title The end of a rollup: claims for a window of time, then equal shares
/// @dev Marks can promise more than the vault holds. Paying only after every claim is known gives
/// the last to leave what the first got. Invariant I9.
library ExitMode {
    uint256 private constant AMOUNT_MAX = type(uint88).max;

    struct State {
        /// @dev Unix seconds of the freeze; 0 while live. Never returns to 0.
        uint64 frozenAt;
        /// @dev Whether `pool` is known: from the first payment on.
        bool poolFixed;
        /// @dev What the claims share.
        uint256 pool;
        uint256 totalClaims;
        uint256 latePayments;
        mapping(uint256 account => Claim) claims;
    }

    error AlreadyFrozen(uint256 frozenAt);
    error NotFrozen();
    error NothingOverdue(uint256 deadline, uint256 timestamp);
    error ClaimWindowOver(uint256 end, uint256 timestamp);
    error ClaimWindowOpen(uint256 end, uint256 timestamp);
    error AlreadyClaimed(uint256 account);
    error ClaimOwnerZero(uint256 account);
    error ClaimAmountOutOfRange(uint256 account, uint256 amount, uint256 maximum);
    error ClaimMissing(uint256 account);
    error ClaimAlreadyPaid(uint256 account);

    function checkLive(State storage self) internal view {
        if (self.frozenAt != 0) revert AlreadyFrozen(self.frozenAt);
    }

    function checkFrozen(State storage self) internal view {
        if (self.frozenAt == 0) revert NotFrozen();
    }

    /// @notice Freezes for good once `deadline` has come.
    function freeze(State storage self, uint256 deadline) internal {
        if (block.timestamp < deadline) revert NothingOverdue(deadline, block.timestamp);
        self.frozenAt = SafeCast.toUint64(block.timestamp);
    }

    /// @notice Enters a claim. The caller checks its proof in the same call.
    function claim(
        State storage self,
        uint256 account,
        address owner,
        uint256 amount,
        uint256 window
    ) internal {
        checkFrozen(self);
        uint256 end = self.frozenAt + window;
        if (block.timestamp >= end) revert ClaimWindowOver(end, block.timestamp);
        _enter(self, account, owner, amount);
        self.totalClaims += amount;
    }

    /// @notice Enters and settles a claim after the window, from what timely claims leave.
    function claimLate(
        State storage self,
        uint256 account,
        address owner,
        uint256 amount,
        uint256 available,
        uint256 window
    ) internal returns (uint256 payment) {
        _closeWindow(self, available, window);
        _enter(self, account, owner, amount);
        self.claims[account].paid = true;
        uint256 timely = Math.min(self.totalClaims, self.pool);
        payment = Math.min(amount, self.pool - timely - self.latePayments);
        self.latePayments += payment;
    }

    /// @notice Settles one timely claim. `available` is used once, by whoever settles first.
    function settle(
        State storage self,
        uint256 account,
        uint256 available,
        uint256 window
    ) internal returns (address owner, uint256 payment) {
        _closeWindow(self, available, window);
        Claim storage entry = self.claims[account];
        owner = entry.owner;
        if (owner == address(0)) revert ClaimMissing(account);
        if (entry.paid) revert ClaimAlreadyPaid(account);
        entry.paid = true;
        payment = share(entry.amount, self.pool, self.totalClaims);
    }

    /// @notice `claimed * min(1, pool / totalClaims)`, rounded down: shares never exceed the pool.
    function share(
        uint256 claimed,
        uint256 pool,
        uint256 totalClaims
    ) internal pure returns (uint256) {
        return totalClaims <= pool ? claimed : Math.mulDiv(claimed, pool, totalClaims);
    }

    /// @dev The pool is counted once, so that later payments cannot change anybody's share.
    function _closeWindow(State storage self, uint256 available, uint256 window) private {
        checkFrozen(self);
        uint256 end = self.frozenAt + window;
        if (block.timestamp < end) revert ClaimWindowOpen(end, block.timestamp);
        if (self.poolFixed) return;
        self.poolFixed = true;
        self.pool = available;
    }

    function _enter(State storage self, uint256 account, address owner, uint256 amount) private {
        // The empty account has no owner; nobody could ever be paid for it.
        if (owner == address(0)) revert ClaimOwnerZero(account);
        if (self.claims[account].owner != address(0)) revert AlreadyClaimed(account);
        if (amount == 0 || amount > AMOUNT_MAX) {
            revert ClaimAmountOutOfRange(account, amount, AMOUNT_MAX);
        }
        self.claims[account] = Claim({
            owner: owner,
            // In range: checked above.
            amount: uint88(amount),
            paid: false
        });
    }
}
