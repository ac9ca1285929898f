// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @title Where a proving key came from
interface IKeyOrigin {
    /// @notice What vouches for the key. `insecure-development` marks a key whose secret is known.
    // solhint-disable-next-line func-name-mixedcase
    function KEY_ORIGIN() external view returns (string memory);
}

/// @title What a proving key was made from, for anybody to compare
interface IKeySetup is IKeyOrigin {
    /// @notice The sha256 of the circuit's .r1cs file.
    // solhint-disable-next-line func-name-mixedcase
    function R1CS_HASH() external view returns (bytes32);

    /// @notice The sha256 of the setup's transcript.json.
    // solhint-disable-next-line func-name-mixedcase
    function SETUP_HASH() external view returns (bytes32);

    /// @notice The key's gamma and delta. A key in which they are equal has no contribution.
    /// @return gamma (x, y), each with its imaginary part first, as is `delta`.
    function keyPoints()
        external
        view
        returns (uint256[4] memory gamma, uint256[4] memory delta);
}

/// @title Groth16 verifier of a batch, as snarkjs exports it
interface IVerifier {
    /// @param a First point of the proof.
    /// @param b Second point; each coordinate with its imaginary part first.
    /// @param c Third point.
    /// @param publicSignals The batch's (commitment, gamma, evaluation).
    /// @return Whether the proof holds.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[3] calldata publicSignals
    ) external view returns (bool);

    /// @notice The key that `verifyProof` verifies by, for proofs that are verified together.
    /// @return key alpha, beta, gamma, delta, and IC_0 to IC_3, which are of G1 as alpha is; the
    /// points of G2 as `b`.
    function verifyingKey() external view returns (uint256[22] memory key);
}

/// @title Groth16 verifier of one account's exit, as snarkjs exports it
interface IExitVerifier {
    /// @param a First point of the proof.
    /// @param b Second point; each coordinate with its imaginary part first.
    /// @param c Third point.
    /// @param publicSignals The exit's (stateRoot, account, owner, claim).
    /// @return Whether the proof holds.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[4] calldata publicSignals
    ) external view returns (bool);
}
