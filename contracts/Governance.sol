// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IGovernance} from "./interfaces/IGovernance.sol";

/// @title Governance
/// @dev OpenZeppelin's timelock, which administers itself, with a delay that cannot be lowered
/// below the one it was born with. Nobody is its admin: roles change by delayed proposals too, or
/// are renounced. Anybody executes what is due, so nobody can hold a due change back; and what
/// nobody executes in time is void, so that no old proposal surprises those who came after it.
contract Governance is TimelockController, IGovernance {
    /// @notice May pause, and cancel proposals.
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");
    /// @notice Seconds for which a due proposal can be executed.
    uint256 public constant GRACE_PERIOD = 14 days;
    /// @inheritdoc IGovernance
    uint256 public immutable delayFloor;

    error DelayBelowFloor(uint256 delay, uint256 floor);
    error ProposalExpired(bytes32 id, uint256 expiry, uint256 timestamp);
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

    /// @notice Executes a proposal that is due and not out of date.
    function execute(
        address target,
        uint256 value,
        bytes calldata payload,
        bytes32 predecessor,
        bytes32 salt
    ) public payable override {
        _checkFresh(hashOperation(target, value, payload, predecessor, salt));
        super.execute(target, value, payload, predecessor, salt);
    }

    /// @notice Executes a proposal of several calls that is due and not out of date.
    function executeBatch(
        address[] calldata targets,
        uint256[] calldata values,
        bytes[] calldata payloads,
        bytes32 predecessor,
        bytes32 salt
    ) public payable override {
        _checkFresh(hashOperationBatch(targets, values, payloads, predecessor, salt));
        super.executeBatch(targets, values, payloads, predecessor, salt);
    }

    /// @inheritdoc IGovernance
    function mayPause(address caller) external view returns (bool) {
        return hasRole(PAUSER_ROLE, caller);
    }

    /// @dev Cancelled, it can be proposed again, with its whole notice.
    function _checkFresh(bytes32 id) private view {
        if (!isOperationReady(id)) return;
        uint256 expiry = getTimestamp(id) + GRACE_PERIOD;
        if (block.timestamp >= expiry) revert ProposalExpired(id, expiry, block.timestamp);
    }

    function _only(address holder) private pure returns (address[] memory holders) {
        holders = new address[](1);
        holders[0] = holder;
    }
}
