// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants} from "../../contracts/generated/ProtocolConstants.sol";
import {IVerifier} from "../../contracts/interfaces/IVerifier.sol";
import {BatchedGroth16} from "../../contracts/libraries/BatchedGroth16.sol";
import {Vm} from "./RollupFixture.sol";

/// @dev A key whose secrets are all in the open: every point is a small multiple of a generator.
contract SmallKey {
    uint256[22] private _key;

    constructor(uint256[22] memory key) {
        _key = key;
    }

    function verifyingKey() external view returns (uint256[22] memory) {
        return _key;
    }
}

/// @dev Answers with so many zero words, whatever it is asked.
contract WordyKey {
    uint256 private immutable _words;

    constructor(uint256 words) {
        _words = words;
    }

    fallback() external {
        uint256 length = 32 * _words;
        assembly {
            calldatacopy(0, calldatasize(), length)
            return(0, length)
        }
    }
}

/// @dev The check of many proofs at once, alone: points that are none, sums of several keys.
/// With G the first and H the second generator, a proof (aG, H, cG) of a key alpha G, beta H,
/// gamma H, delta H, IC_j = i_j G holds if a = alpha beta + gamma X + c delta, where
/// X = i_0 + x_1 i_1 + x_2 i_2 + x_3 i_3. Only H and -H occur, so beta, gamma, delta are 1 or -1.
contract BatchedGroth16Test {
    using BatchedGroth16 for bytes;

    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 private constant R = ProtocolConstants.FIELD_MODULUS;
    uint256 private constant Q =
        21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// @dev A precompile that refuses takes all that it is given.
    uint256 private constant GAS = 1_500_000;
    uint256[4] private _h = [
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
        8495653923123431417604973247489272438418190587263600148770280649306958101930
    ];

    uint256[4] private _stray = [
        1,
        2,
        19659275751359636165940301690575149581329631496732780143538578556285923319774,
        7292567877523311580221095596750716176434782432868683424513645834767876293070
    ];

    /// @dev A key: alpha, then the signs of beta, gamma and delta, then IC_0 to IC_3.
    function keyOf(
        uint256 alpha,
        bool[3] memory negative,
        uint256[4] memory ic
    ) private returns (IVerifier) {
        uint256[22] memory key;
        (key[0], key[1]) = times(alpha);
        for (uint256 i = 0; i < 3; i++) {
            uint256 place = 2 + 4 * i;
            (key[place], key[place + 1]) = (_h[0], _h[1]);
            (key[place + 2], key[place + 3]) = (_h[2], _h[3]);
            if (negative[i]) (key[place + 2], key[place + 3]) = (Q - _h[2], Q - _h[3]);
        }
        for (uint256 j = 0; j < 4; j++) (key[14 + 2 * j], key[15 + 2 * j]) = times(ic[j]);
        return IVerifier(address(new SmallKey(key)));
    }

    function times(uint256 scalar) private view returns (uint256 x, uint256 y) {
        bytes memory input = abi.encode(uint256(1), uint256(2), scalar);
        (, bytes memory answer) = address(7).staticcall(input);
        (x, y) = abi.decode(answer, (uint256, uint256));
    }

    function proofOf(uint256 a, uint256 c) private view returns (uint256[8] memory proof) {
        (proof[0], proof[1]) = times(a);
        for (uint256 i = 0; i < 4; i++) proof[2 + i] = _h[i];
        (proof[6], proof[7]) = times(c);
    }

    struct Statement {
        uint256 key;
        uint256[8] proof;
        uint256[3] signals;
    }

    function check(
        IVerifier[2] calldata keys,
        Statement[] calldata statements
    ) external view returns (bool) {
        bytes memory transcript = BatchedGroth16.open(statements.length);
        for (uint256 key = 0; key < 2; key++) {
            if (address(keys[key]) != address(0)) transcript.loadKey(key, keys[key]);
        }
        for (uint256 i = 0; i < statements.length; i++) {
            transcript.put(i, statements[i].key, statements[i].proof, statements[i].signals);
        }
        return transcript.holds();
    }

    /// @dev Proofs of both keys, `count` in all, by turns.
    function statementsOf(
        uint256 count,
        uint256[2] memory alphas,
        bool[3][2] memory negative,
        uint256[4] memory ic
    ) private view returns (Statement[] memory statements) {
        statements = new Statement[](count);
        for (uint256 i = 0; i < count; i++) {
            uint256 key = i % 2;
            uint256[3] memory signals = [i + 1, 100 + i, R - 1 - i];
            uint256 x = ic[0];
            for (uint256 j = 0; j < 3; j++) x = addmod(x, mulmod(signals[j], ic[j + 1], R), R);
            uint256 c = 7 + i;
            uint256 a = signed(alphas[key], negative[key][0]);
            a = addmod(a, signed(x, negative[key][1]), R);
            a = addmod(a, signed(c, negative[key][2]), R);
            statements[i] = Statement(key, proofOf(a, c), signals);
        }
    }

    function signed(uint256 value, bool isNegative) private pure returns (uint256) {
        return isNegative ? (R - value) % R : value;
    }

    /// @dev Which second points two keys share decides how many pairs there are, and nothing else.
    function test_twoKeysWhateverTheyShare() external {
        uint256[4] memory ic = [uint256(3), 5, 11, 13];
        uint256[2] memory alphas = [uint256(2), 9];
        for (uint256 bits = 0; bits < 64; bits++) {
            bool[3][2] memory negative;
            for (uint256 i = 0; i < 6; i++) negative[i / 3][i % 3] = (bits >> i) & 1 == 1;
            IVerifier[2] memory keys = [
                keyOf(alphas[0], negative[0], ic),
                keyOf(alphas[1], negative[1], ic)
            ];
            for (uint256 count = 1; count <= 3; count++) {
                Statement[] memory statements = statementsOf(count, alphas, negative, ic);
                require(this.check{gas: GAS}(keys, statements), "proofs that hold");
                for (uint256 i = 0; i < count; i++) {
                    statements[i].signals[i] ^= 1;
                    require(!this.check{gas: GAS}(keys, statements), "another signal");
                    statements[i].signals[i] ^= 1;
                    statements[i].key ^= 1;
                    require(!this.check{gas: GAS}(keys, statements), "another key");
                    statements[i].key ^= 1;
                }
            }
        }
    }

    /// @dev Errors that a plain product would not see, in every place and of every size.
    function testFuzz_errorsThatCancel(uint256 error, uint8 first, uint8 second) external {
        error = 1 + (error % (R - 1));
        uint256 count = 4;
        (uint256 i, uint256 j) = (first % count, second % count);
        vm.assume(i != j);
        uint256[4] memory ic = [uint256(3), 5, 11, 13];
        bool[3][2] memory negative;
        IVerifier[2] memory keys = [
            keyOf(2, negative[0], ic),
            keyOf(9, negative[1], ic)
        ];
        Statement[] memory good = statementsOf(count, [uint256(2), 9], negative, ic);
        require(this.check{gas: GAS}(keys, good), "proofs that hold");
        uint256 point = error % 2 == 0 ? 0 : 6;
        Statement[] memory bad = statementsOf(count, [uint256(2), 9], negative, ic);
        shift(bad[i].proof, point, error);
        require(!this.check{gas: GAS}(keys, bad), "one error");
        shift(bad[j].proof, point, R - error);
        require(!this.check{gas: GAS}(keys, bad), "two errors that cancel");
    }

    /// @dev Adds a multiple of the generator to one of the proof's points.
    function shift(uint256[8] memory proof, uint256 place, uint256 scalar) private view {
        (uint256 x, uint256 y) = times(scalar);
        bytes memory input = abi.encode(proof[place], proof[place + 1], x, y);
        (, bytes memory answer) = address(6).staticcall(input);
        (proof[place], proof[place + 1]) = abi.decode(answer, (uint256, uint256));
    }

    /// @dev Every word of every proof, in a form that is no point or no element of the field.
    function test_whatIsNoPointIsRefused() external {
        uint256[4] memory ic = [uint256(3), 5, 11, 13];
        bool[3][2] memory negative;
        IVerifier[2] memory keys = [keyOf(2, negative[0], ic), keyOf(9, negative[1], ic)];
        Statement[] memory statements = statementsOf(3, [uint256(2), 9], negative, ic);
        for (uint256 i = 0; i < 3; i++) {
            for (uint256 place = 0; place < 8; place++) {
                uint256 word = statements[i].proof[place];
                uint256[4] memory others = [word + Q, word ^ 1, Q, type(uint256).max];
                for (uint256 k = 0; k < 4; k++) {
                    statements[i].proof[place] = others[k];
                    require(!this.check{gas: GAS}(keys, statements), "no point");
                }
                statements[i].proof[place] = word;
            }
            for (uint256 place = 0; place < 3; place++) {
                uint256 signal = statements[i].signals[place];
                statements[i].signals[place] = signal + R;
                require(!this.check{gas: GAS}(keys, statements), "a signal in other bytes");
                statements[i].signals[place] = signal;
            }
        }
        require(this.check{gas: GAS}(keys, statements), "proofs that hold");
    }

    /// @dev y = Q would be negated to 0: infinity in other bytes, and the one A that no
    /// multiplication looks at.
    function test_theFirstPointIsLookedAtToo() external {
        uint256[22] memory none;
        IVerifier[2] memory keys = [IVerifier(address(new SmallKey(none))), IVerifier(address(0))];
        Statement[] memory statements = new Statement[](1);
        require(this.check{gas: GAS}(keys, statements), "points at infinity");
        statements[0].proof[1] = Q;
        require(!this.check{gas: GAS}(keys, statements), "not below Q");
    }

    /// @dev x = 2 + i, on the curve of G2, whose order is R times a cofactor; not in the subgroup.
    function test_aPointOutsideTheSubgroupIsRefused() external {
        uint256[22] memory none;
        IVerifier[2] memory keys = [IVerifier(address(new SmallKey(none))), IVerifier(address(0))];
        Statement[] memory statements = new Statement[](2);
        for (uint256 i = 0; i < 2; i++) {
            // A is infinity: whatever is paired with it is 1, so only membership is in question.
            for (uint256 k = 0; k < 4; k++) statements[i].proof[2 + k] = _h[k];
            require(this.check{gas: GAS}(keys, statements), "the generator");
            for (uint256 k = 0; k < 4; k++) statements[i].proof[2 + k] = _stray[k];
            require(!this.check{gas: GAS}(keys, statements), "a point of another order");
            for (uint256 k = 0; k < 4; k++) statements[i].proof[2 + k] = _h[k];
        }
    }

    /// @dev A verifier without a key, with a shorter or a longer one, or none at all.
    function test_aKeyIsWholeOrMissing() external {
        Statement[] memory statements = new Statement[](1);
        uint256[3] memory sizes = [uint256(21), 23, 0];
        for (uint256 i = 0; i < 4; i++) {
            address verifier = i == 3 ? address(0xBEEF) : address(new WordyKey(sizes[i]));
            IVerifier[2] memory keys = [IVerifier(verifier), IVerifier(address(0))];
            vm.expectRevert(
                abi.encodeWithSelector(BatchedGroth16.VerifyingKeyMissing.selector, verifier)
            );
            this.check{gas: GAS}(keys, statements);
        }
        IVerifier whole = IVerifier(address(new WordyKey(22)));
        require(this.check{gas: GAS}([whole, IVerifier(address(0))], statements), "22 words");
    }
}
