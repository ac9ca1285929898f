// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {PublicData} from "../../contracts/libraries/PublicData.sol";
import {Vm} from "./RollupFixture.sol";

contract PublicDataTest {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    function evaluate(uint256[] calldata words, uint256 gamma) external pure returns (uint256) {
        return PublicData.evaluate(words, gamma);
    }

    /// @dev As in a call that goes on after the words.
    function evaluateFirst(
        uint256[] calldata words,
        uint256[] calldata,
        uint256 gamma
    ) external pure returns (uint256) {
        return PublicData.evaluate(words, gamma);
    }

    function challenge(uint256 commitment, bytes32 hash) external pure returns (uint256) {
        return PublicData.challenge(commitment, hash);
    }

    function testFuzz_evaluate_equalsSumOfPowers(
        uint256[] memory words,
        uint256 gamma
    ) external view {
        gamma %= P.FIELD_MODULUS;
        uint256 power = 1;
        uint256 sum = 0;
        for (uint256 i = 0; i < words.length; i++) {
            words[i] %= P.FIELD_MODULUS;
            power = mulmod(power, gamma, P.FIELD_MODULUS);
            sum = addmod(sum, mulmod(words[i], power, P.FIELD_MODULUS), P.FIELD_MODULUS);
        }
        assert(this.evaluate(words, gamma) == sum);
    }

    function testFuzz_evaluate_readsTheWordsAlone(
        uint256[] memory words,
        uint256[] memory others
    ) external view {
        for (uint256 i = 0; i < words.length; i++) words[i] %= P.FIELD_MODULUS;
        uint256 alone = this.evaluate(words, 3);
        assert(this.evaluateFirst(words, others, 3) == alone);
    }

    /// @dev Rounds of four words, with and without words that are left over, and nothing larger.
    function test_evaluate_largestWords() external view {
        uint256 last = P.FIELD_MODULUS - 1;
        for (uint256 length = 0; length <= 9; length++) {
            uint256[] memory words = new uint256[](length);
            uint256 sum = 0;
            uint256 power = 1;
            for (uint256 i = 0; i < length; i++) {
                words[i] = last;
                power = mulmod(power, last, P.FIELD_MODULUS);
                sum = addmod(sum, mulmod(last, power, P.FIELD_MODULUS), P.FIELD_MODULUS);
            }
            assert(this.evaluate(words, last) == sum);
        }
    }

    function testFuzz_evaluate_wordNotInField_reverts(
        uint256[] memory words,
        uint256 index,
        uint256 excess
    ) external {
        vm.assume(words.length > 0);
        for (uint256 i = 0; i < words.length; i++) words[i] %= P.FIELD_MODULUS;
        index %= words.length;
        words[index] = P.FIELD_MODULUS + (excess % (type(uint256).max - P.FIELD_MODULUS + 1));
        bytes memory reason = abi.encodeWithSelector(
            PublicData.WordNotInField.selector,
            index,
            words[index]
        );
        vm.expectRevert(reason);
        this.evaluate(words, 3);
    }

    /// @dev Each place of a round and of what is left over, alone and with all others.
    function test_evaluate_everyPlaceIsChecked() external {
        for (uint256 length = 1; length <= 9; length++) {
            for (uint256 index = 0; index < length; index++) {
                for (uint256 excess = 0; excess < 2; excess++) {
                    uint256 word = P.FIELD_MODULUS + excess;
                    uint256[] memory words = new uint256[](length);
                    words[index] = word;
                    _expectNotInField(index, word);
                    this.evaluate(words, 3);
                    for (uint256 i = index; i < length; i++) words[i] = word;
                    _expectNotInField(index, word);
                    this.evaluate(words, 3);
                }
            }
        }
    }

    function _expectNotInField(uint256 index, uint256 word) private {
        vm.expectRevert(
            abi.encodeWithSelector(PublicData.WordNotInField.selector, index, word)
        );
    }

    function testFuzz_challenge_isInField(uint256 commitment, bytes32 hash) external view {
        commitment %= P.FIELD_MODULUS;
        assert(this.challenge(commitment, hash) < P.FIELD_MODULUS);
    }

    function test_challenge_commitmentNotInField_reverts() external {
        uint256 modulus = P.FIELD_MODULUS;
        vm.expectRevert(
            abi.encodeWithSelector(PublicData.CommitmentNotInField.selector, modulus)
        );
        this.challenge(modulus, 0);
    }

    function testFuzz_firstStepWord_holdsAllMarks(uint8 slots) external pure {
        uint256 words = PublicData.firstStepWord(slots) - P.HEADER_WORDS;
        assert(words * P.MARKS_PER_WORD >= slots);
        assert(words == 0 || (words - 1) * P.MARKS_PER_WORD < slots);
    }
}
