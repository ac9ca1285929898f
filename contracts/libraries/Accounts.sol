// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ProtocolConstants} from "../generated/ProtocolConstants.sol";

/// @title Which layer-one address owns which account, and how much of the queue it occupies
/// @dev One account for each address. Id 0 stays unused, so that 0 can mean "none".
library Accounts {
    /// @dev Operations of an account that may wait before it pays for each further one: a flood
    /// from one account would delay everyone's; more accounts cost deposits.
    uint256 internal constant FREE_OPERATIONS = 8;
    /// @dev A key's version counts registrations and must fit its field for a proof to exist.
    uint256 internal constant REGISTRATIONS_MAX = (1 << ProtocolConstants.KEY_VERSION_BITS) - 1;

    struct Account {
        address owner;
        uint32 registrations;
        uint32 open;
        /// @dev The ledger learns of an owner by the first deposit, and proves nothing for others.
        bool hasDeposited;
    }

    struct State {
        /// @dev Accounts opened; ids run from 1 to this number.
        uint256 count;
        mapping(address owner => uint256) idOf;
        mapping(uint256 id => Account) byId;
    }

    error AccountMissing(address owner);
    error DepositMissing(uint256 account);
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

    /// @notice Counts an operation that enters the queue. An account may have as many waiting as
    /// it takes to close a position in every one of `slots` places and leave, all at once.
    function enter(
        State storage self,
        uint256 id,
        bool registersKey,
        bool isDeposit,
        uint256 slots
    ) internal {
        Account storage account = self.byId[id];
        if (isDeposit) account.hasDeposited = true;
        else if (!account.hasDeposited) revert DepositMissing(id);
        uint256 openBefore = account.open;
        uint256 limit = slots + FREE_OPERATIONS;
        if (openBefore >= limit) revert OpenOperationsExceeded(id, limit);
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
