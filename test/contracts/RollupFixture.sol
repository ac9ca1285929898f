// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Rollup} from "../../contracts/Rollup.sol";
import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {Governance} from "../../contracts/Governance.sol";
import {ValidatorRegistry} from "../../contracts/ValidatorRegistry.sol";
import {IGovernance} from "../../contracts/interfaces/IGovernance.sol";
import {Candidate, ValidatorConfig} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {RollupConfig, Sizes} from "../../contracts/interfaces/IRollup.sol";
import {OperationQueue} from "../../contracts/libraries/OperationQueue.sol";
import {PublicData} from "../../contracts/libraries/PublicData.sol";
import {Key} from "../../contracts/libraries/TradingKeys.sol";
import {AcceptingVerifier} from "../../contracts/mocks/AcceptingVerifier.sol";
import {HostileToken} from "../../contracts/mocks/HostileToken.sol";

/// @dev The part of the test runner's cheat codes that these tests use.
interface Vm {
    function warp(uint256 timestamp) external;

    function prank(address sender) external;

    function prank(address sender, address origin) external;

    function deal(address account, uint256 balance) external;

    function chainId(uint256 id) external;

    function assume(bool condition) external pure;

    function expectRevert(bytes calldata reason) external;

    function expectCall(address callee, bytes calldata data) external;

    function sign(uint256 key, bytes32 digest) external pure returns (uint8, bytes32, bytes32);

    function addr(uint256 key) external pure returns (address);
}

/// @dev A rollup with verifiers that accept everything, and batches to feed it.
abstract contract RollupFixture {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 internal constant SLOTS = 16;
    uint256 internal constant LEDGER_STEPS = 6;
    uint256 internal constant DEADLINE = 7 days;
    uint256 internal constant WINDOW = 28 days;
    uint256 internal constant ORACLE_SET = 77;
    uint256 internal constant STAKE = 1_000e6;
    uint256 internal constant EVIDENCE_WINDOW = 14 days;
    uint256 internal constant UNBONDING = 21 days;
    uint256 internal constant DELAY = 42 days;
    address internal constant PROPOSER = address(0x9406);
    address internal constant GUARDIAN = address(0x60A4D);
    address internal constant OPERATOR = address(0x09E7A704);
    address internal constant TREASURY = address(0xFEE);
    address internal constant INSURANCE = address(0xF00D);

    HostileToken internal token;
    AcceptingVerifier internal verifier;
    Rollup internal rollup;

    function deployRollup() internal {
        vm.warp(1_700_000_000);
        token = new HostileToken(6);
        verifier = new AcceptingVerifier();
        rollup = new Rollup(config());
    }

    /// @dev A rollup with governance.
    function deployGoverned() internal returns (Governance governance) {
        vm.warp(1_700_000_000);
        token = new HostileToken(6);
        verifier = new AcceptingVerifier();
        governance = new Governance(DELAY, PROPOSER, GUARDIAN);
        RollupConfig memory governed = config();
        governed.governance = governance;
        rollup = new Rollup(governed);
    }

    /// @dev A rollup with `count` validators, whose keys are 1 to `count`, all bonded.
    function deployWithValidators(uint256 count) internal returns (ValidatorRegistry registry) {
        vm.warp(1_700_000_000);
        token = new HostileToken(6);
        verifier = new AcceptingVerifier();
        RollupConfig memory certified = config();
        certified.validators.candidates = new Candidate[](count);
        for (uint256 i = 0; i < count; i++) {
            certified.validators.candidates[i] = Candidate(vm.addr(i + 1), address(this));
        }
        rollup = new Rollup(certified);
        registry = ValidatorRegistry(address(rollup.validators()));
        token.mint(address(this), count * STAKE);
        token.approve(address(registry), count * STAKE);
        for (uint256 i = 0; i < count; i++) registry.bond(vm.addr(i + 1));
    }

    function config() internal view returns (RollupConfig memory) {
        return
            RollupConfig({
                token: token,
                tradeVerifier: verifier,
                ledgerVerifier: verifier,
                exitVerifier: verifier,
                genesisRoot: 1,
                oracleSetHash: ORACLE_SET,
                operator: OPERATOR,
                treasury: TREASURY,
                insurance: INSURANCE,
                sizes: Sizes({
                    slots: uint32(SLOTS),
                    tradeFills: 4,
                    ledgerSteps: uint32(LEDGER_STEPS),
                    accountLevels: 4
                }),
                forcedDeadline: DEADLINE,
                claimWindow: WINDOW,
                minimumDeposit: 1,
                governance: IGovernance(address(0)),
                validators: ValidatorConfig({
                    candidates: new Candidate[](0),
                    stake: STAKE,
                    evidenceWindow: EVIDENCE_WINDOW,
                    unbondingDelay: UNBONDING
                })
            });
    }

    function noKey() internal pure returns (Key memory key) {}

    function noProof() internal pure returns (uint256[8] memory proof) {}

    function fund(address owner, uint256 amount) internal {
        // Asked first: a call in between would take the cheat code for itself.
        address vault = address(rollup.vault());
        token.mint(owner, amount);
        vm.prank(owner);
        token.approve(vault, amount);
    }

    function deposit(address owner, uint256 amount) internal returns (uint256) {
        fund(owner, amount);
        vm.prank(owner);
        return rollup.deposit(amount, noKey());
    }

    /// @dev A ledger batch with a right header and no operation.
    function emptyLedgerBatch() internal view returns (uint256[] memory words) {
        uint256 first = PublicData.firstStepWord(SLOTS);
        words = new uint256[](first + LEDGER_STEPS * P.LEDGER_OP_WORDS);
        words[P.HEADER_KIND] = P.BATCH_KIND_LEDGER;
        words[P.HEADER_NUMBER] = rollup.batchCount() + 1;
        words[P.HEADER_TIME] = max(rollup.lastBatchTime() + 1, block.timestamp * 1000);
        words[P.HEADER_ROOT_BEFORE] = rollup.stateRoot();
        words[P.HEADER_ROOT_AFTER] = rollup.stateRoot() + 1;
        words[P.HEADER_ORACLE_SET] = ORACLE_SET;
        words[P.HEADER_DOMAIN] = rollup.domain();
        words[P.HEADER_SNAPSHOT_TIME] = words[P.HEADER_TIME];
    }

    function setOperation(
        uint256[] memory words,
        uint256 index,
        uint256 first,
        address owner
    ) internal pure {
        uint256 at_ = PublicData.firstStepWord(SLOTS) + index * P.LEDGER_OP_WORDS;
        words[at_] = first;
        words[at_ + 1] = uint256(uint160(owner));
    }

    function operationWord(
        uint256 kind,
        uint256 account,
        uint256 amount
    ) internal pure returns (uint256) {
        return OperationQueue.firstWord(kind, account, amount, 0, 0);
    }

    function submit(uint256[] memory words) internal {
        vm.prank(OPERATOR, OPERATOR);
        rollup.submitBatch(words, 1, noProof(), "");
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }

    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + (value % (high - low + 1));
    }
}
