// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ProtocolConstants} from "../generated/ProtocolConstants.sol";

/// @title Which layer-one address owns which account, and how much of the queue it occupies
/// @dev One account for each address. Id 0 stays unused, so that 0 can mean "none".
library Accounts {
    /// @dev A flood of operations from one account would delay everyone's; more accounts cost
    /// deposits.
    uint256 internal constant OPEN_OPERATIONS_MAX = 8;
    /// @dev A key's version counts registrations and must fit its field for a proof to exist.
    uint256 internal constant REGISTRATIONS_MAX = (1 << ProtocolConstants.KEY_VERSION_BITS) - 1;

    struct Account {
        address owner;
        uint32 registrations;
        uint32 open;
    }

    struct State {
        /// @dev Accounts opened; ids run from 1 to this number.
        uint256 count;
        mapping(address owner => uint256) idOf;
        mapping(uint256 id => Account) byId;
    }

    error AccountMissing(address owner);
    error AccountsExhausted(uint256 capacity);
    error OpenOperationsExceeded(uint256 account, uint256 limit);
    error KeyRegistrationsExceeded(uint256 account, uint256 limit);

    /// @notice Gives `owner` the next free id.
    function open(State storage self, address owner, uint256 idEnd) internal returns (uint256 id) {
        id = self.count + 1;
        if (id >= idEnd) revert AccountsExhausted(idEnd - 1);
        self.count = id;
        self.idOf[owner] = id;
        self.byId[id].owner = owner;
    }

    /// @notice The account of `owner`, which must exist.
    function idOfOwner(State storage self, address owner) internal view returns (uint256 id) {
        id = self.idOf[owner];
        if (id == 0) revert AccountMissing(owner);
    }

    /// @notice Counts an operation that enters the queue.
    function enter(State storage self, uint256 id, bool registersKey) internal {
        Account storage account = self.byId[id];
        uint256 openBefore = account.open;
        if (openBefore >= OPEN_OPERATIONS_MAX) {
            revert OpenOperationsExceeded(id, OPEN_OPERATIONS_MAX);
        }
        account.open = SafeCast.toUint32(openBefore + 1);
        if (!registersKey) return;
        uint256 registrations = account.registrations;
        if (registrations >= REGISTRATIONS_MAX) {
            revert KeyRegistrationsExceeded(id, REGISTRATIONS_MAX);
        }
        account.registrations = SafeCast.toUint32(registrations + 1);
    }

    /// @notice Counts an operation that a batch has served.
    function release(State storage self, uint256 id) internal {
        self.byId[id].open -= 1;
    }
}
