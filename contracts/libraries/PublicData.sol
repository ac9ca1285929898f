// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {BatchHeader, ProtocolConstants} from "../generated/ProtocolConstants.sol";

/// @title What a batch publishes, and the evaluation that binds a proof to it
/// @dev SPEC 8. Both the commitment and the words are fixed before the challenge exists, so equal
/// evaluations mean equal data. That needs every word to be a field element: w and w + r would
/// evaluate alike. Twins: sequencer/batch/publicInputs.ts, circuits/gadgets/PublicData.circom.
library PublicData {
    uint256 private constant R = ProtocolConstants.FIELD_MODULUS;

    error BatchKindUnknown(uint256 kind);
    error PublicDataLengthUnequal(uint256 actual, uint256 expected);
    error WordNotInField(uint256 index, uint256 word);
    error CommitmentNotInField(uint256 commitment);

    /// @notice Where the fills' or operations' words begin.
    function firstStepWord(uint256 slots) internal pure returns (uint256) {
        uint256 perWord = ProtocolConstants.MARKS_PER_WORD;
        return ProtocolConstants.HEADER_WORDS + (slots + perWord - 1) / perWord;
    }

    /// @notice Words of a trade batch in a market of `slots` slots.
    function tradeWords(uint256 slots, uint256 fills) internal pure returns (uint256) {
        return firstStepWord(slots) + fills;
    }

    /// @notice Words of a ledger batch in a market of `slots` slots.
    function ledgerWords(uint256 slots, uint256 steps) internal pure returns (uint256) {
        return firstStepWord(slots) + steps * ProtocolConstants.LEDGER_OP_WORDS;
    }

    /// @notice The header, read where it stands. The caller has seen that there are as many words.
    function header(uint256[] calldata words) internal pure returns (BatchHeader calldata first) {
        assembly {
            first := words.offset
        }
    }

    /// @notice Hash of the words as they stand in calldata.
    function hash(uint256[] calldata words) internal pure returns (bytes32 wordsHash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let length := shl(5, words.length)
            calldatacopy(free, words.offset, length)
            wordsHash := keccak256(free, length)
        }
    }

    /// @notice What a proof of the words must be of.
    /// @return wordsHash Hash of the words.
    /// @return signals Commitment, challenge and evaluation: the proof's public signals.
    function statement(
        uint256[] calldata words,
        uint256 commitment
    ) internal pure returns (bytes32 wordsHash, uint256[3] memory signals) {
        wordsHash = hash(words);
        uint256 gamma = challenge(commitment, wordsHash);
        signals = [commitment, gamma, evaluate(words, gamma)];
    }

    /// @notice The point at which both sides evaluate the words.
    function challenge(uint256 commitment, bytes32 wordsHash) internal pure returns (uint256) {
        if (commitment >= R) revert CommitmentNotInField(commitment);
        return uint256(keccak256(abi.encode(commitment, wordsHash))) % R;
    }

    /// @notice `sum_i words[i] * gamma^(i+1)` in the field, by Horner's rule from the last word.
    /// @dev In assembly, four words a round: every fill of every batch passes here. The plain sums
    /// cannot overflow: `evaluation` is below R, and so is every word unless all is refused below.
    function evaluate(
        uint256[] calldata words,
        uint256 gamma
    ) internal pure returns (uint256 evaluation) {
        uint256 modulus = R;
        bool allInField = true;
        assembly ("memory-safe") {
            let first := words.offset
            let place := add(first, shl(5, words.length))
            // The last words, one by one, until those before them are whole rounds.
            for {
                let rounds := add(first, shl(7, shr(2, words.length)))
            } gt(place, rounds) {

            } {
                place := sub(place, 0x20)
                let word := calldataload(place)
                allInField := and(allInField, lt(word, modulus))
                evaluation := mulmod(add(evaluation, word), gamma, modulus)
            }
            for {

            } gt(place, first) {

            } {
                place := sub(place, 0x80)
                let a := calldataload(place)
                let b := calldataload(add(place, 0x20))
                let c := calldataload(add(place, 0x40))
                let d := calldataload(add(place, 0x60))
                let abInField := and(lt(a, modulus), lt(b, modulus))
                let cdInField := and(lt(c, modulus), lt(d, modulus))
                allInField := and(allInField, and(abInField, cdInField))
                let tail := mulmod(add(evaluation, d), gamma, modulus)
                tail := mulmod(add(tail, c), gamma, modulus)
                tail := mulmod(add(tail, b), gamma, modulus)
                evaluation := mulmod(add(tail, a), gamma, modulus)
            }
        }
        if (!allInField) _refuse(words);
    }

    /// @dev Says which word it was.
    function _refuse(uint256[] calldata words) private pure {
        for (uint256 i = 0; i < words.length; i++) {
            if (words[i] >= R) revert WordNotInField(i, words[i]);
        }
    }
}
