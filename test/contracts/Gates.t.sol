// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {Accounts} from "../../contracts/libraries/Accounts.sol";
import {Key, TradingKeys} from "../../contracts/libraries/TradingKeys.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev What is refused at the door: keys that no proof can serve.
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

    function checkKey(Key calldata key) external pure {
        TradingKeys.check(key);
    }

    function checkOptionalKey(Key calldata key) external pure {
        TradingKeys.checkOptional(key);
    }

    function enterWithKey(uint256 id) external {
        accounts.enter(id, true, true, 0);
    }

    function test_accounts_lastKeyVersion() external {
        // Counted up here: a version that outgrew its field would have no proof, and freeze all.
        accounts.byId[7].registrations = uint32(Accounts.REGISTRATIONS_MAX - 1);
        this.enterWithKey(7);
        assert(accounts.byId[7].registrations == Accounts.REGISTRATIONS_MAX);
        vm.expectRevert(
            abi.encodeWithSelector(
                Accounts.KeyRegistrationsExceeded.selector,
                7,
                (1 << P.KEY_VERSION_BITS) - 1
            )
        );
        this.enterWithKey(7);
        accounts.enter(7, false, false, 0);
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
