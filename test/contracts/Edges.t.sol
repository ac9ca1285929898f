// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Governance} from "../../contracts/Governance.sol";
import {IRollup} from "../../contracts/interfaces/IRollup.sol";
import {IKeySetup} from "../../contracts/interfaces/IVerifier.sol";
import {KeyGate} from "../../contracts/libraries/KeyGate.sol";
import {Key, TradingKeys} from "../../contracts/libraries/TradingKeys.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev States its hashes as it is told to, and its points never.
contract WordyVerifier {
    string public constant KEY_ORIGIN = "ceremony";
    uint256 private immutable _words;

    constructor(uint256 words) {
        _words = words;
    }

    fallback() external {
        bool asksForHash = msg.sig == IKeySetup.R1CS_HASH.selector ||
            msg.sig == IKeySetup.SETUP_HASH.selector;
        require(asksForHash);
        uint256 length = 32 * _words;
        assembly {
            mstore(0, 1)
            mstore(32, 1)
            return(0, length)
        }
    }
}

/// @dev What the contracts do at the edges of their rules, where other tests do not look.
contract EdgesTest is RollupFixture {
    uint256 private constant REAL_CHAIN = 10;

    function gate(address candidate) external view {
        KeyGate.check(candidate);
    }

    function checkKey(Key calldata key) external pure {
        TradingKeys.check(key);
    }

    /// @dev What waits in the queue stops a change when it is overdue, and not a second before.
    function test_changesPassUntilSomethingIsOverdue() external {
        address governance = address(deployGoverned());
        deposit(address(0xA11CE), 5);
        vm.prank(governance);
        rollup.setMinimumDeposit(2);
        uint256 deadline = rollup.freezableAt();
        vm.warp(deadline - 1);
        vm.prank(governance);
        rollup.setMinimumDeposit(3);
        vm.warp(deadline);
        vm.expectRevert(
            abi.encodeWithSelector(IRollup.ChangeWhileOverdue.selector, deadline, deadline)
        );
        vm.prank(governance);
        rollup.setMinimumDeposit(4);
        assert(rollup.minimumDeposit() == 3);
    }

    function test_guardianMayPauseAndProposerMayNot() external {
        Governance governance = deployGoverned();
        assert(governance.mayPause(GUARDIAN) && !governance.mayPause(PROPOSER));
        assert(!governance.mayPause(address(governance)) && !governance.mayPause(address(0)));
    }

    /// @dev Hashes alone are not enough: without points nobody can tell a forgeable key.
    function test_keyGate_verifierWithoutPoints_reverts() external {
        _expectSetupMissing(address(new WordyVerifier(1)));
    }

    /// @dev A hash is one word; an answer of another length is no hash.
    function test_keyGate_hashOfTwoWords_reverts() external {
        _expectSetupMissing(address(new WordyVerifier(2)));
    }

    function test_keyGate_bothDevelopmentChainsAndNoOther() external pure {
        assert(KeyGate.isDevelopmentChain(31337) && KeyGate.isDevelopmentChain(1337));
        uint256[6] memory others = [uint256(1), 1336, 1338, 31336, 31338, 0];
        for (uint256 i = 0; i < others.length; i++) assert(!KeyGate.isDevelopmentChain(others[i]));
    }

    /// @dev One coordinate of zero does not make a key absent.
    function test_tradingKeys_oneCoordinateZero_reverts() external {
        for (uint256 i = 0; i < 2; i++) {
            (uint256 x, uint256 y) = i == 0 ? (uint256(0), uint256(2)) : (uint256(2), uint256(0));
            vm.expectRevert(abi.encodeWithSelector(TradingKeys.KeyNotOnCurve.selector, x, y));
            this.checkKey(Key(0, 1, x, y));
        }
    }

    function _expectSetupMissing(address verifier_) private {
        vm.chainId(REAL_CHAIN);
        vm.expectRevert(
            abi.encodeWithSelector(KeyGate.VerifierSetupMissing.selector, verifier_, REAL_CHAIN)
        );
        this.gate(verifier_);
        vm.chainId(31337);
    }
}
