// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Rollup} from "../../contracts/Rollup.sol";
import {IExitVerifier, IKeySetup, IVerifier} from "../../contracts/interfaces/IVerifier.sol";
import {RollupConfig} from "../../contracts/interfaces/IRollup.sol";
import {KeyGate} from "../../contracts/libraries/KeyGate.sol";
import {RollupFixture} from "./RollupFixture.sol";

contract NamedVerifier {
    string public KEY_ORIGIN;

    constructor(string memory origin) {
        KEY_ORIGIN = origin;
    }
}

/// @dev Says what it is told to say.
contract StatedVerifier is IKeySetup {
    string public KEY_ORIGIN = "ceremony";
    bytes32 public R1CS_HASH = keccak256("r1cs");
    bytes32 public SETUP_HASH = keccak256("transcript");
    uint256[4] private _gamma = [uint256(1), 2, 3, 4];
    uint256[4] private _delta = [uint256(1), 5, 3, 4];

    function setHashes(bytes32 r1cs, bytes32 setup) external {
        (R1CS_HASH, SETUP_HASH) = (r1cs, setup);
    }

    function setPoints(uint256[4] calldata gamma, uint256[4] calldata delta) external {
        (_gamma, _delta) = (gamma, delta);
    }

    function keyPoints() external view returns (uint256[4] memory, uint256[4] memory) {
        return (_gamma, _delta);
    }
}

contract SilentVerifier {}

/// @dev Verifiers that anybody could fool, or that nobody can check, do not get in.
contract KeyGateTest is RollupFixture {
    uint256 private constant REAL_CHAIN = 10;
    StatedVerifier private stated;

    function setUp() public {
        deployRollup();
        stated = new StatedVerifier();
    }

    function gate(address candidate) external view {
        KeyGate.check(candidate);
    }

    function create(RollupConfig calldata config_) external returns (Rollup) {
        return new Rollup(config_);
    }

    function expectRefusal(bytes4 selector, address candidate) private {
        vm.expectRevert(abi.encodeWithSelector(selector, candidate, REAL_CHAIN));
    }

    function test_A6_developmentKeyOnRealChain_reverts() external {
        this.gate(address(verifier));
        vm.chainId(1337);
        this.gate(address(verifier));
        vm.chainId(1);
        vm.expectRevert(
            abi.encodeWithSelector(KeyGate.VerifierKeyInsecure.selector, address(verifier), 1)
        );
        this.gate(address(verifier));
        vm.chainId(REAL_CHAIN);
        expectRefusal(KeyGate.VerifierKeyInsecure.selector, address(verifier));
        this.gate(address(verifier));
        // No script is needed for the refusal: the rollup cannot be born with such a verifier.
        expectRefusal(KeyGate.VerifierKeyInsecure.selector, address(verifier));
        this.create(config());
        vm.chainId(31337);
    }

    function test_keyGate_ceremonyWithHashes_succeeds() external {
        this.gate(address(stated));
        vm.chainId(REAL_CHAIN);
        this.gate(address(stated));
        vm.chainId(31337);
    }

    function test_keyGate_originMissing_reverts() external {
        address[3] memory candidates = [
            address(new SilentVerifier()),
            address(new NamedVerifier("")),
            address(0xdead)
        ];
        vm.chainId(REAL_CHAIN);
        for (uint256 i = 0; i < candidates.length; i++) {
            expectRefusal(KeyGate.VerifierKeyOriginMissing.selector, candidates[i]);
            this.gate(candidates[i]);
        }
        vm.chainId(31337);
    }

    function test_keyGate_unknownOrigin_reverts() external {
        string[3] memory origins = ["ceremony:0123", "Ceremony", "insecure-development "];
        vm.chainId(REAL_CHAIN);
        for (uint256 i = 0; i < origins.length; i++) {
            address named = address(new NamedVerifier(origins[i]));
            vm.expectRevert(
                abi.encodeWithSelector(
                    KeyGate.VerifierKeyOriginUnknown.selector,
                    named,
                    origins[i]
                )
            );
            this.gate(named);
        }
        vm.chainId(31337);
    }

    function test_A6_setupMissing_reverts() external {
        address named = address(new NamedVerifier("ceremony"));
        vm.chainId(REAL_CHAIN);
        expectRefusal(KeyGate.VerifierSetupMissing.selector, named);
        this.gate(named);
        stated.setHashes(0, keccak256("transcript"));
        expectRefusal(KeyGate.VerifierSetupMissing.selector, address(stated));
        this.gate(address(stated));
        stated.setHashes(keccak256("r1cs"), 0);
        expectRefusal(KeyGate.VerifierSetupMissing.selector, address(stated));
        this.gate(address(stated));
        vm.chainId(31337);
    }

    function testFuzz_A6_forgeableKey_revertsOnEveryChain(
        uint256[4] calldata point,
        uint256[2] calldata otherY,
        uint64 chainId
    ) external {
        vm.assume(chainId != 0);
        stated.setPoints(point, [point[0], point[1], otherY[0], otherY[1]]);
        vm.chainId(chainId);
        vm.expectRevert(
            abi.encodeWithSelector(KeyGate.VerifierKeyForgeable.selector, address(stated))
        );
        this.gate(address(stated));
        vm.chainId(31337);
    }

    function test_keyGate_zeroPoints_revert() external {
        uint256[4] memory zero;
        uint256[4] memory point = [uint256(1), 2, 3, 4];
        stated.setPoints(zero, point);
        vm.expectRevert(
            abi.encodeWithSelector(KeyGate.VerifierKeyForgeable.selector, address(stated))
        );
        this.gate(address(stated));
        stated.setPoints(point, zero);
        vm.expectRevert(
            abi.encodeWithSelector(KeyGate.VerifierKeyForgeable.selector, address(stated))
        );
        this.gate(address(stated));
    }

    function test_keyGate_oneCoordinateIsNotZero_succeeds() external {
        for (uint256 i = 0; i < 4; i++) {
            uint256[4] memory point;
            point[i] = 1;
            stated.setPoints(point, [uint256(1), 2, 3, 4]);
            this.gate(address(stated));
        }
    }

    function test_A6_eachVerifierIsChecked() external {
        address good = address(stated);
        vm.chainId(REAL_CHAIN);
        for (uint256 i = 0; i < 3; i++) {
            RollupConfig memory config_ = config();
            if (i != 0) config_.tradeVerifier = IVerifier(good);
            if (i != 1) config_.ledgerVerifier = IVerifier(good);
            if (i != 2) config_.exitVerifier = IExitVerifier(good);
            expectRefusal(KeyGate.VerifierKeyInsecure.selector, address(verifier));
            this.create(config_);
        }
        vm.chainId(31337);
    }
}
