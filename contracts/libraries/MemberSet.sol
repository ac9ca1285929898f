// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @title A short list of addresses, kept as the code of a contract that does nothing
/// @dev Every batch reads all of it and hardly anything ever changes it: as code, 16 addresses cost
/// one cold account instead of 16 cold slots.
library MemberSet {
    uint256 private constant ADDRESS_BYTES = 20;
    /// @dev Returns all that follows as the new contract's code.
    bytes private constant CREATION = hex"600b5981380380925939f3";
    /// @dev Begins the code with STOP, so that calls to it do nothing.
    bytes private constant STOP = hex"00";

    struct State {
        address store;
        uint8 count;
    }

    error StoreFailed(uint256 count);

    /// @notice Replaces the list.
    function write(State storage self, address[] memory list) internal {
        bytes memory code = abi.encodePacked(CREATION, STOP);
        for (uint256 i = 0; i < list.length; i++) code = abi.encodePacked(code, list[i]);
        address store;
        assembly ("memory-safe") {
            store := create(0, add(code, 32), mload(code))
        }
        if (store == address(0)) revert StoreFailed(list.length);
        self.store = store;
        self.count = uint8(list.length);
    }

    /// @notice The list as bytes, 20 for each address.
    function read(State memory self) internal view returns (bytes memory packed) {
        uint256 length = self.count * ADDRESS_BYTES;
        // One address more than needed, so that `memberAt` may load whole words.
        packed = new bytes(length + 32);
        address store = self.store;
        if (length == 0) return packed;
        assembly ("memory-safe") {
            extcodecopy(store, add(packed, 32), 1, length)
        }
    }

    /// @notice The address in place `index` of what `read` returned.
    function memberAt(bytes memory packed, uint256 index) internal pure returns (address member) {
        assembly ("memory-safe") {
            member := shr(96, mload(add(add(packed, 32), mul(index, ADDRESS_BYTES))))
        }
    }

    /// @notice How many members a bitmap names: each round clears the lowest bit, so nothing can
    /// overflow.
    function ones(uint256 bitmap) internal pure returns (uint256 count) {
        unchecked {
            for (; bitmap != 0; bitmap &= bitmap - 1) count++;
        }
    }
}
