// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants} from "../generated/ProtocolConstants.sol";
import {IVerifier} from "../interfaces/IVerifier.sol";

/// @title Many Groth16 proofs, of two verifying keys at most, in one pairing check
/// @dev Proof i of the key k(i) holds if
///
///     t_i = e(A_i, B_i)^-1 * e(alpha, beta) * e(X_i, gamma) * e(C_i, delta) = 1,
///     X_i = IC_0 + sum_j x_ij * IC_j.
///
/// Checked is the product of all t_i^(r_i), with what shares a second point summed before:
///
///     prod_i e(-r_i A_i, B_i) * prod_k [ e((sum r_i) alpha, beta)
///         * e((sum r_i) IC_0 + sum_j (sum r_i x_ij) IC_j, gamma) * e(sum r_i C_i, delta) ] = 1,
///
/// the sums over the proofs of key k. That is n + 3 pairings for one key, instead of 4 n; two keys
/// have up to three more, and share those whose second points are equal.
///
/// Soundness: the small exponents test of Bellare, Garay and Rabin (Fast Batch Verification for
/// Modular Exponentiation and Digital Signatures, Eurocrypt 1998), for these proofs as in the Zcash
/// Protocol Specification, appendix B.2. The target group has the prime order R, so t_i = g^(z_i),
/// and the check says that the linear polynomial sum_i r_i z_i is 0 modulo R. r_0 is 1, the others
/// are 128 bits each of a hash over both keys, all proofs and all public signals: the z_i are fixed
/// before any r_i is known (Fiat and Shamir). If only z_0 is not 0, the sum is z_0. If another z_j
/// is not 0, then whatever the other weights are, one residue of r_j at most makes the sum 0
/// (Schwartz and Zippel, for degree 1): by chance 2^-128, for each set of proofs that a forger
/// hashes.
///
/// That needs points of groups of order R. The precompiles refuse coordinates that are not below Q
/// and points that are not on the curve: EIP-196 for A and C, whose curve has no other points,
/// EIP-197 for whatever is paired, and that B is of the subgroup of order R. A_0 has weight 1 and
/// meets EIP-197 alone, its y negated before, hence the check of that y. Public signals are below
/// R, else two texts would be one statement. What remains is what each Groth16 proof allows: who
/// has one can make others of the same statement, and a statement is anchored once.
library BatchedGroth16 {
    /// @dev Order of the groups, and of the field of public signals.
    uint256 private constant R = ProtocolConstants.FIELD_MODULUS;
    /// @dev Modulus of the points' coordinates.
    uint256 private constant Q =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// @dev alpha, beta, gamma, delta, IC_0 to IC_3: 22 words.
    uint256 private constant KEY_BYTES = 0x2c0;
    uint256 private constant KEYS_BYTES = 0x580;
    /// @dev Which key, A, B, C, three public signals: 12 words.
    uint256 private constant PROOF_BYTES = 0x180;
    /// @dev A point of G1 and one of G2.
    uint256 private constant PAIR_BYTES = 0xc0;
    /// @dev Of a key's proofs: sum r_i C_i, then the scalars sum r_i and sum r_i x_ij.
    uint256 private constant SUM_BYTES = 0xc0;

    error VerifyingKeyMissing(address verifier);

    /// @notice Room for two keys and `count` proofs: all that the check is about, in a row.
    function open(uint256 count) internal pure returns (bytes memory transcript) {
        transcript = new bytes(KEYS_BYTES + count * PROOF_BYTES);
    }

    /// @notice Reads key `key`, 0 or 1, from its verifier.
    function loadKey(bytes memory transcript, uint256 key, IVerifier verifier) internal view {
        bytes4 selector = IVerifier.verifyingKey.selector;
        bool isWhole;
        assembly ("memory-safe") {
            let place := add(add(transcript, 0x20), mul(key, KEY_BYTES))
            mstore(0, selector)
            let answers := staticcall(gas(), verifier, 0, 4, place, KEY_BYTES)
            isWhole := and(answers, eq(returndatasize(), KEY_BYTES))
        }
        if (!isWhole) revert VerifyingKeyMissing(address(verifier));
    }

    /// @notice Puts proof `index` in its place.
    function put(
        bytes memory transcript,
        uint256 index,
        uint256 key,
        uint256[8] calldata proof,
        uint256[3] memory signals
    ) internal pure {
        assembly ("memory-safe") {
            let entry := add(add(transcript, add(0x20, KEYS_BYTES)), mul(index, PROOF_BYTES))
            mstore(entry, key)
            calldatacopy(add(entry, 0x20), proof, 0x100)
            mcopy(add(entry, 0x120), signals, 0x60)
        }
    }

    /// @notice Whether every proof of a full transcript holds. Its keys are filled where a proof
    /// names them.
    function holds(bytes memory transcript) internal view returns (bool isOne) {
        uint256 key;
        uint256 entry;
        uint256 end;
        uint256 sums;
        assembly ("memory-safe") {
            key := add(transcript, 0x20)
            entry := add(key, KEYS_BYTES)
            end := add(key, mload(transcript))
            // All of it zero, for sums: those of two keys, pairs of proofs, pairs of keys.
            sums := mload(0x40)
            let size := add(mul(8, PAIR_BYTES), shr(1, sub(end, entry)))
            calldatacopy(sums, calldatasize(), size)
            mstore(0x40, add(sums, size))
        }
        unchecked {
            uint256 pairs = sums + 2 * SUM_BYTES;
            (bool areWhole, uint256 first) = _addProofs(transcript, entry, end, sums, pairs);
            // A precompile that refuses takes all its gas: what is left must reach the caller.
            if (!areWhole) return false;
            (bool isFirst, uint256 next) = _addKey(key, sums, first, 0);
            uint256 twin = next == first ? 0 : first;
            (bool isSecond, uint256 last) = _addKey(key + KEY_BYTES, sums + SUM_BYTES, next, twin);
            if (!isFirst || !isSecond) return false;
            assembly ("memory-safe") {
                let answers := staticcall(gas(), 8, pairs, sub(last, pairs), 0, 0x20)
                isOne := and(eq(mload(0), 1), and(answers, eq(returndatasize(), 0x20)))
            }
        }
    }

    /// @dev Each proof's own pair, and what it adds to the sums of its key.
    /// @return areWhole Whether all that was added are points and signals.
    /// @return next Where the pairs end.
    function _addProofs(
        bytes memory transcript,
        uint256 entry,
        uint256 end,
        uint256 sums,
        uint256 pairs
    ) private view returns (bool areWhole, uint256 next) {
        uint256 seed = uint256(keccak256(transcript));
        uint256 weight = 1;
        next = pairs;
        unchecked {
            for (; entry < end; entry += PROOF_BYTES) {
                uint256 sum;
                assembly ("memory-safe") {
                    sum := add(sums, mul(mload(entry), SUM_BYTES))
                    mcopy(add(next, 0x40), add(entry, 0x60), 0x80)
                }
                bool isWhole = weight == 1
                    ? _negate(next, entry + 0x20) && _add(sum, entry + 0xe0)
                    : _addMultiple(next, entry + 0x20, R - weight) &&
                        _addMultiple(sum, entry + 0xe0, weight);
                if (!isWhole || !_addSignals(sum + 0x40, entry + 0x120, weight)) {
                    return (false, next);
                }
                next += PAIR_BYTES;
                assembly ("memory-safe") {
                    mstore(0, seed)
                    mstore(0x20, sub(next, pairs))
                    weight := shr(128, keccak256(0, 0x40))
                }
            }
            return (true, next);
        }
    }

    /// @dev A key's pairs with beta, gamma and delta; none of one without weights, which has no
    /// proof. `twin`: where another key's pairs begin, or 0.
    function _addKey(
        uint256 key,
        uint256 sum,
        uint256 pair,
        uint256 twin
    ) private view returns (bool isWhole, uint256 next) {
        unchecked {
            if (_load(sum + 0x40) == 0) return (true, pair);
            isWhole = _addMultiple(pair, key, _load(sum + 0x40));
            (isWhole, next) = _close(isWhole, pair, key + 0x40, twin);
            if (twin != 0) twin += PAIR_BYTES;
            for (uint256 at = 0; at < 0x80; at += 0x20) {
                uint256 scalar = _load(sum + 0x40 + at);
                isWhole = _addMultiple(next, key + 0x1c0 + 2 * at, scalar) && isWhole;
            }
            (isWhole, next) = _close(isWhole, next, key + 0xc0, twin);
            if (twin != 0) twin += PAIR_BYTES;
            isWhole = _add(next, sum) && isWhole;
            return _close(isWhole, next, key + 0x140, twin);
        }
    }

    /// @dev The pair gets its second point. Where `twin` is a pair with the same one, that pair
    /// gets the first point instead, and the place is empty again.
    function _close(
        bool isWholeSoFar,
        uint256 pair,
        uint256 second,
        uint256 twin
    ) private view returns (bool isWhole, uint256 next) {
        bool isTwin;
        assembly ("memory-safe") {
            mcopy(add(pair, 0x40), second, 0x80)
            if twin {
                isTwin := eq(keccak256(add(twin, 0x40), 0x80), keccak256(second, 0x80))
            }
        }
        unchecked {
            if (!isTwin) return (isWholeSoFar, pair + PAIR_BYTES);
        }
        isWhole = _add(twin, pair) && isWholeSoFar;
        assembly ("memory-safe") {
            calldatacopy(pair, calldatasize(), 0x40)
        }
        next = pair;
    }

    /// @dev The point itself is left to the pairing, which sees only the negated one.
    function _negate(uint256 target, uint256 point) private pure returns (bool isWhole) {
        assembly ("memory-safe") {
            let y := mload(add(point, 0x20))
            mstore(target, mload(point))
            mstore(add(target, 0x20), mod(sub(Q, y), Q))
            isWhole := lt(y, Q)
        }
    }

    /// @dev target += point.
    function _add(uint256 target, uint256 point) private view returns (bool isWhole) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mcopy(free, target, 0x40)
            mcopy(add(free, 0x40), point, 0x40)
            isWhole := staticcall(gas(), 6, free, 0x80, target, 0x40)
        }
    }

    /// @dev target += scalar * point.
    function _addMultiple(
        uint256 target,
        uint256 point,
        uint256 scalar
    ) private view returns (bool isWhole) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mcopy(free, point, 0x40)
            mstore(add(free, 0x40), scalar)
            isWhole := staticcall(gas(), 7, free, 0x60, free, 0x40)
            if isWhole {
                mcopy(add(free, 0x40), target, 0x40)
                isWhole := staticcall(gas(), 6, free, 0x80, target, 0x40)
            }
        }
    }

    /// @dev scalars += weight * (1, signals).
    function _addSignals(
        uint256 scalars,
        uint256 signals,
        uint256 weight
    ) private pure returns (bool areInField) {
        uint256 order = R;
        assembly ("memory-safe") {
            // Some weights of 128 bits: their sum is far below the order.
            mstore(scalars, add(mload(scalars), weight))
            areInField := 1
            for {
                let end := add(signals, 0x60)
            } lt(signals, end) {
                signals := add(signals, 0x20)
            } {
                scalars := add(scalars, 0x20)
                let signal := mload(signals)
                areInField := and(areInField, lt(signal, order))
                let product := mulmod(weight, signal, order)
                mstore(scalars, addmod(mload(scalars), product, order))
            }
        }
    }

    function _load(uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(place)
        }
    }
}
