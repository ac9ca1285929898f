// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IKeyOrigin, IKeySetup} from "../interfaces/IVerifier.sol";

/// @title Keeps verifiers whose proving secret is known off every chain that matters
/// @dev Whoever knows the secret of a key can prove anything, and so empty the vault. The check
/// stands in the rollup's constructor because a deployment script can be skipped. What a verifier
/// says of itself protects from mistakes, not from a deployer who lies: anybody can compare the
/// hashes that it states with circuit and transcript (`npm run reproduce`).
library KeyGate {
    bytes32 private constant INSECURE = keccak256("insecure-development");
    bytes32 private constant CEREMONY = keccak256("ceremony");
    /// @dev Two points of four words each.
    uint256 private constant KEY_POINTS_BYTES = 256;

    error VerifierKeyInsecure(address verifier, uint256 chainId);
    error VerifierKeyOriginMissing(address verifier, uint256 chainId);
    error VerifierKeyOriginUnknown(address verifier, string origin);
    error VerifierSetupMissing(address verifier, uint256 chainId);
    error VerifierKeyForgeable(address verifier);

    /// @notice Chains that exist on one machine only.
    function isDevelopmentChain(uint256 chainId) internal pure returns (bool) {
        return chainId == 31337 || chainId == 1337;
    }

    /// @notice A key that anybody can forge is refused everywhere. Off development chains a
    /// verifier must also come from a ceremony, and state the hashes of circuit and transcript.
    function check(address verifier) internal view {
        bool isDevelopment = isDevelopmentChain(block.chainid);
        if (!isDevelopment) _checkOrigin(verifier);
        bool statesPoints = _checkPoints(verifier);
        if (isDevelopment) return;
        bool statesHashes = _statesHash(verifier, IKeySetup.R1CS_HASH.selector) &&
            _statesHash(verifier, IKeySetup.SETUP_HASH.selector);
        if (!statesHashes || !statesPoints) revert VerifierSetupMissing(verifier, block.chainid);
    }

    function _checkOrigin(address verifier) private view {
        if (verifier.code.length == 0) revert VerifierKeyOriginMissing(verifier, block.chainid);
        try IKeyOrigin(verifier).KEY_ORIGIN() returns (string memory origin) {
            bytes32 hash = keccak256(bytes(origin));
            if (bytes(origin).length == 0) {
                revert VerifierKeyOriginMissing(verifier, block.chainid);
            }
            if (hash == INSECURE) revert VerifierKeyInsecure(verifier, block.chainid);
            if (hash != CEREMONY) revert VerifierKeyOriginUnknown(verifier, origin);
        } catch {
            revert VerifierKeyOriginMissing(verifier, block.chainid);
        }
    }

    /// @dev With gamma = +-delta, (alpha, beta, -+vk_x) proves every statement; so it does with
    /// either of them zero. Points with the same x are the same or opposite.
    function _checkPoints(address verifier) private view returns (bool areStated) {
        bytes memory call = abi.encodeCall(IKeySetup.keyPoints, ());
        (bool success, bytes memory answer) = verifier.staticcall(call);
        if (!success || answer.length != KEY_POINTS_BYTES) return false;
        (uint256[4] memory gamma, uint256[4] memory delta) = abi.decode(
            answer,
            (uint256[4], uint256[4])
        );
        bool areOpposite = gamma[0] == delta[0] && gamma[1] == delta[1];
        if (areOpposite || _isZero(gamma) || _isZero(delta)) revert VerifierKeyForgeable(verifier);
        return true;
    }

    function _isZero(uint256[4] memory point) private pure returns (bool) {
        return point[0] | point[1] | point[2] | point[3] == 0;
    }

    function _statesHash(address verifier, bytes4 selector) private view returns (bool) {
        (bool success, bytes memory answer) = verifier.staticcall(abi.encodeWithSelector(selector));
        return success && answer.length == 32 && abi.decode(answer, (bytes32)) != 0;
    }
}
