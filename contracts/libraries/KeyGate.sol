// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IKeyOrigin} from "../interfaces/IVerifier.sol";

/// @title Keeps verifiers whose proving secret is known off every chain that matters
/// @dev Whoever knows the secret of a key can prove anything, and so empty the vault. The check
/// stands in the rollup's constructor because a deployment script can be skipped.
library KeyGate {
    bytes32 private constant INSECURE = keccak256("insecure-development");

    error VerifierKeyInsecure(address verifier, uint256 chainId);
    error VerifierKeyOriginMissing(address verifier, uint256 chainId);

    /// @notice Chains that exist on one machine only.
    function isDevelopmentChain(uint256 chainId) internal pure returns (bool) {
        return chainId == 31337 || chainId == 1337;
    }

    /// @notice Elsewhere a verifier must name its key's origin, and it must not be development.
    function check(address verifier) internal view {
        if (isDevelopmentChain(block.chainid)) return;
        try IKeyOrigin(verifier).KEY_ORIGIN() returns (string memory origin) {
            if (bytes(origin).length == 0) {
                revert VerifierKeyOriginMissing(verifier, block.chainid);
            }
            if (keccak256(bytes(origin)) == INSECURE) {
                revert VerifierKeyInsecure(verifier, block.chainid);
            }
        } catch {
            revert VerifierKeyOriginMissing(verifier, block.chainid);
        }
    }
}
