// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that anybody may mint, for chains that exist on one machine only
contract TestToken is ERC20 {
    constructor() ERC20("Straddle test USDC", "tUSDC") {}

    /// @notice As USDC.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @notice Gives `to` new tokens.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
