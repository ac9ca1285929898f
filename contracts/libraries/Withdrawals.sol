// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @title What owners may fetch from the vault
/// @dev Pulled, never pushed: an owner who cannot receive tokens delays nobody but himself.
library Withdrawals {
    struct State {
        uint256 total;
        mapping(address owner => uint256) pending;
    }

    error NothingPending(address owner);

    function credit(State storage self, address owner, uint256 amount) internal {
        self.pending[owner] += amount;
        self.total += amount;
    }

    function take(State storage self, address owner) internal returns (uint256 amount) {
        amount = self.pending[owner];
        if (amount == 0) revert NothingPending(owner);
        self.pending[owner] = 0;
        self.total -= amount;
    }
}
