// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title The only holder of traders' collateral; it obeys one rollup and nobody else
interface ICollateralVault {
    /// @notice Tokens arrived from a depositor.
    event CollateralReceived(address indexed from, uint256 amount);
    /// @notice Tokens left to `to`.
    event CollateralPaid(address indexed to, uint256 amount);

    /// @notice Only the rollup may move collateral.
    error CallerNotRollup(address caller, address rollup);
    /// @notice The token credited another amount than it was asked to move.
    error TokenAmountUnequal(uint256 asked, uint256 received);

    /// @notice The token held.
    function token() external view returns (IERC20);

    /// @notice The rollup that created this vault.
    function rollup() external view returns (address);

    /// @notice Tokens received less tokens paid. What was sent here without a deposit is not in it.
    function held() external view returns (uint256);

    /// @notice Pulls exactly `amount` from `from`, who has approved this vault.
    function receiveFrom(address from, uint256 amount) external;

    /// @notice Sends `amount` to `to`.
    function pay(address to, uint256 amount) external;
}
