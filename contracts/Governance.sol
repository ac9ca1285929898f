// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IGovernance} from "./interfaces/IGovernance.sol";

/// @title Governance
/// @dev OpenZeppelin's timelock, which administers itself, with a delay that cannot be lowered
/// below the one it was born with. Nobody is its admin: roles change by delayed proposals too, or
/// are renounced. Anybody executes what is due, so nobody can hold a due change back.
contract Governance is TimelockController, IGovernance {
    /// @notice May pause, and cancel proposals.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    /// @inheritdoc IGovernance
    uint256 public immutable delayFloor;

    error DelayBelowFloor(uint256 delay, uint256 floor);
    error RoleHolderInvalid(address proposer, address guardian);

    /// @param delay Seconds that every proposal waits; the floor of the delay for good.
    /// @param proposer Proposes changes, and may cancel them.
    /// @param guardian Cancels proposals and pauses; proposes nothing.
    constructor(
        uint256 delay,
        address proposer,
        address guardian
    ) TimelockController(delay, _only(proposer), _only(address(0)), address(0)) {
        if (proposer == address(0) || guardian == address(0) || proposer == guardian) {
            revert RoleHolderInvalid(proposer, guardian);
        }
        delayFloor = delay;
        _grantRole(CANCELLER_ROLE, guardian);
        _grantRole(PAUSER_ROLE, guardian);
    }

    /// @notice Changes the delay, by a proposal, to one that is not below the floor.
    function updateDelay(uint256 newDelay) public override {
        if (newDelay < delayFloor) revert DelayBelowFloor(newDelay, delayFloor);
        super.updateDelay(newDelay);
    }

    /// @inheritdoc IGovernance
    function mayPause(address caller) external view returns (bool) {
        return hasRole(PAUSER_ROLE, caller);
    }

    function _only(address holder) private pure returns (address[] memory holders) {
        holders = new address[](1);
        holders[0] = holder;
    }
}
