// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that does what tokens should not: unit tests only
contract HostileToken is ERC20 {
    uint8 private immutable _decimals;

    /// @notice Kept from every transfer.
    uint256 public fee;
    /// @notice Cannot receive.
    mapping(address account => bool) public isBlocked;
    /// @notice Called back in the next transfer, with `callback`.
    address public callee;
    bytes public callback;

    error AccountBlocked(address account);
    error CallbackFailed(bytes reason);

    constructor(uint8 decimals_) ERC20("Hostile", "HOST") {
        _decimals = decimals_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Takes tokens away, as an issuer may.
    function seize(address from, uint256 amount) external {
        _burn(from, amount);
    }

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    function setBlocked(address account, bool isBlocked_) external {
        isBlocked[account] = isBlocked_;
    }

    function setCallback(address callee_, bytes calldata callback_) external {
        callee = callee_;
        callback = callback_;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (isBlocked[to]) revert AccountBlocked(to);
        bool isTransfer = from != address(0) && to != address(0);
        address target = callee;
        if (isTransfer && target != address(0)) {
            // Once: what the callback does to this token must not end it.
            callee = address(0);
            (bool success, bytes memory reason) = target.call(callback);
            if (!success) revert CallbackFailed(reason);
        }
        uint256 kept = isTransfer ? fee : 0;
        super._update(from, to, amount - kept);
        if (kept > 0) super._update(from, address(0), kept);
    }
}
