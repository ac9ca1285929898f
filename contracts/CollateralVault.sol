// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ICollateralVault} from "./interfaces/ICollateralVault.sol";

/// @title CollateralVault
/// @dev The rollup's constructor creates it, so that neither can ever be pointed elsewhere.
contract CollateralVault is ICollateralVault {
    using SafeERC20 for IERC20;

    /// @inheritdoc ICollateralVault
    IERC20 public immutable token;
    /// @inheritdoc ICollateralVault
    address public immutable rollup;
    /// @inheritdoc ICollateralVault
    uint256 public held;

    constructor(IERC20 token_) {
        token = token_;
        rollup = msg.sender;
    }

    modifier onlyRollup() {
        if (msg.sender != rollup) revert CallerNotRollup(msg.sender, rollup);
        _;
    }

    /// @inheritdoc ICollateralVault
    function receiveFrom(address from, uint256 amount) external onlyRollup {
        uint256 balanceBefore = token.balanceOf(address(this));
        held += amount;
        token.safeTransferFrom(from, address(this), amount);
        // Measured, not believed: a token that keeps a fee would leave the ledger uncovered.
        uint256 received = token.balanceOf(address(this)) - balanceBefore;
        if (received != amount) revert TokenAmountUnequal(amount, received);
        emit CollateralReceived(from, amount);
    }

    /// @inheritdoc ICollateralVault
    function pay(address to, uint256 amount) external onlyRollup {
        // Only an exit pool swollen by tokens sent without a deposit can pay more than `held`.
        held = amount < held ? held - amount : 0;
        token.safeTransfer(to, amount);
        emit CollateralPaid(to, amount);
    }
}
