// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Rollup} from "../../contracts/Rollup.sol";
import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {IExitVerifier, IVerifier} from "../../contracts/interfaces/IVerifier.sol";
import {RollupConfig} from "../../contracts/interfaces/IRollup.sol";
import {Accounts} from "../../contracts/libraries/Accounts.sol";
import {KeyGate} from "../../contracts/libraries/KeyGate.sol";
import {Key, TradingKeys} from "../../contracts/libraries/TradingKeys.sol";
import {RollupFixture} from "./RollupFixture.sol";

contract NamedVerifier {
    string public KEY_ORIGIN;

    constructor(string memory origin) {
        KEY_ORIGIN = origin;
    }
}

contract SilentVerifier {}

/// @dev What is refused at the door: keys that no proof can serve, verifiers anybody can fool.
contract GatesTest is RollupFixture {
    using Accounts for Accounts.State;

    uint256 private constant BASE_X =
        5299619240641551281634865583518297030282874472190772894086521144482721001553;
    uint256 private constant BASE_Y =
        16950150798460657717958625567821834550301663161624707787222815936182638968203;

    Accounts.State private accounts;

    function setUp() public {
        deployRollup();
    }

    function gate(address candidate) external view {
        KeyGate.check(candidate);
    }

    function checkKey(Key calldata key) external pure {
        TradingKeys.check(key);
    }

    function checkOptionalKey(Key calldata key) external pure {
        TradingKeys.checkOptional(key);
    }

    function create(RollupConfig calldata config_) external returns (Rollup) {
        return new Rollup(config_);
    }

    function test_keyGate_developmentKeyOnRealChain_reverts() external {
        this.gate(address(verifier));
        vm.chainId(1337);
        this.gate(address(verifier));
        vm.chainId(10);
        bytes memory reason = abi.encodeWithSelector(
            KeyGate.VerifierKeyInsecure.selector,
            address(verifier),
            10
        );
        vm.expectRevert(reason);
        this.gate(address(verifier));
        // No script is needed for the refusal: the rollup cannot be born with such a verifier.
        vm.expectRevert(reason);
        this.create(config());
        vm.chainId(31337);
    }

    function test_keyGate_originMissing_reverts() external {
        address[2] memory candidates = [
            address(new SilentVerifier()),
            address(new NamedVerifier(""))
        ];
        address named = address(new NamedVerifier("ceremony:0123"));
        vm.chainId(10);
        this.gate(named);
        for (uint256 i = 0; i < candidates.length; i++) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    KeyGate.VerifierKeyOriginMissing.selector,
                    candidates[i],
                    10
                )
            );
            this.gate(candidates[i]);
        }
        vm.chainId(31337);
    }

    function test_keyGate_eachVerifierIsChecked() external {
        address good = address(new NamedVerifier("ceremony:0123"));
        vm.chainId(10);
        for (uint256 i = 0; i < 3; i++) {
            RollupConfig memory config_ = config();
            if (i != 0) config_.tradeVerifier = IVerifier(good);
            if (i != 1) config_.ledgerVerifier = IVerifier(good);
            if (i != 2) config_.exitVerifier = IExitVerifier(good);
            vm.expectRevert(
                abi.encodeWithSelector(
                    KeyGate.VerifierKeyInsecure.selector,
                    address(verifier),
                    10
                )
            );
            this.create(config_);
        }
        vm.chainId(31337);
    }

    function enterWithKey(uint256 id) external {
        accounts.enter(id, true);
    }

    function test_accounts_lastKeyVersion() external {
        // Counted up here: a version that outgrew its field would have no proof, and freeze all.
        accounts.byId[7].registrations = uint32(Accounts.REGISTRATIONS_MAX - 1);
        this.enterWithKey(7);
        vm.expectRevert(
            abi.encodeWithSelector(
                Accounts.KeyRegistrationsExceeded.selector,
                7,
                (1 << P.KEY_VERSION_BITS) - 1
            )
        );
        this.enterWithKey(7);
        accounts.enter(7, false);
    }

    function test_tradingKeys_pointsOfTheCurve_succeed() external view {
        this.checkKey(Key(3, 1, BASE_X, BASE_Y));
        this.checkKey(Key(0, 1, P.FIELD_MODULUS - BASE_X, BASE_Y));
        this.checkKey(Key(1, 0, 0, 0));
        this.checkOptionalKey(Key(0, 0, 0, 0));
    }

    function testFuzz_tradingKeys_offCurve_reverts(uint256 x, uint256 y) external {
        vm.assume(x != 0 || y != 0);
        // A random pair lies on the curve once in 2^254.
        vm.expectRevert(abi.encodeWithSelector(TradingKeys.KeyNotOnCurve.selector, x, y));
        this.checkKey(Key(0, 1, x, y));
    }

    function test_tradingKeys_notReduced_reverts() external {
        uint256 x = BASE_X + P.FIELD_MODULUS;
        vm.expectRevert(abi.encodeWithSelector(TradingKeys.KeyNotOnCurve.selector, x, BASE_Y));
        this.checkKey(Key(0, 1, x, BASE_Y));
    }

    function test_tradingKeys_indexAndAbsence_revert() external {
        vm.expectRevert(abi.encodeWithSelector(TradingKeys.KeyIndexTooLarge.selector, 4, 4));
        this.checkKey(Key(4, 1, BASE_X, BASE_Y));
        vm.expectRevert(
            abi.encodeWithSelector(TradingKeys.KeyAbsentButDescribed.selector, 1, 0)
        );
        this.checkOptionalKey(Key(1, 0, 0, 0));
        vm.expectRevert(
            abi.encodeWithSelector(TradingKeys.KeyAbsentButDescribed.selector, 0, 9)
        );
        this.checkOptionalKey(Key(0, 9, 0, 0));
    }
}
