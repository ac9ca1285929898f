// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {ValidatorRegistry} from "../../contracts/ValidatorRegistry.sol";
import {
    IValidatorRegistry,
    LogRecord,
    SignedVote,
    Sitting,
    TwoHistories,
    ValidatorStatus,
    VoteKind
} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {Evidence} from "../../contracts/libraries/Evidence.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev Evidence of any length and contents: two logs are punished, one never is.
contract EvidenceTest is RollupFixture {
    uint256 private constant VALIDATORS = 4;
    address private constant REPORTER = address(0x5EE);

    ValidatorRegistry private registry;

    function setUp() external {
        registry = deployWithValidators(VALIDATORS);
    }

    function _signature(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The hash as the log has it, written as plainly as can be.
    function _recordHash(
        uint64 position,
        bytes32 link,
        LogRecord memory record
    ) private pure returns (bytes32) {
        bytes memory digits = bytes(Strings.toHexString(uint256(link), 32));
        bytes memory text = abi.encodePacked(
            Strings.toString(position),
            " ",
            Strings.toString(record.epoch),
            " "
        );
        for (uint256 i = 2; i < digits.length; i++) text = abi.encodePacked(text, digits[i]);
        return sha256(abi.encodePacked(text, " ", record.entry));
    }

    function _histories(
        uint256 key,
        uint64 position,
        bytes32 hash,
        bytes32 link,
        LogRecord[] memory records
    ) private view returns (TwoHistories memory) {
        bytes memory signature = _signature(key, registry.receiptDigest(position, hash));
        bytes32 last = link;
        for (uint256 i = 0; i < records.length; i++) {
            last = _recordHash(position + 1 + uint64(i), last, records[i]);
        }
        bytes32 digest = registry.receiptDigest(position + uint64(records.length), last);
        return TwoHistories(position, hash, signature, link, records, _signature(key, digest));
    }

    function _records(
        uint8 count,
        uint64 epoch,
        bytes memory entry
    ) private pure returns (LogRecord[] memory records) {
        records = new LogRecord[](count % 6);
        for (uint256 i = 0; i < records.length; i++) {
            records[i] = LogRecord(epoch, abi.encodePacked(entry, uint8(i)));
        }
    }

    function _slashed(uint256 key) private view returns (bool) {
        return registry.validator(vm.addr(key)).status == ValidatorStatus.Slashed;
    }

    /// forge-config: default.fuzz.runs = 300
    function testFuzz_twoHistories_costTheStake(
        uint8 keySeed,
        uint48 position,
        bytes32 hash,
        bytes32 link,
        uint8 count,
        uint64 epoch,
        bytes memory entry
    ) external {
        vm.assume(hash != link);
        uint256 key = 1 + (keySeed % VALIDATORS);
        LogRecord[] memory records = _records(count, epoch, entry);
        TwoHistories memory both = _histories(key, position, hash, link, records);
        vm.prank(REPORTER);
        registry.slashReceipts(both);
        assert(_slashed(key));
        assert(registry.credit(REPORTER) == STAKE / 10);
        assert(registry.credit(INSURANCE) == STAKE - STAKE / 10);
        assert(registry.members().length == VALIDATORS - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IValidatorRegistry.StatusUnequal.selector,
                vm.addr(key),
                ValidatorStatus.Slashed,
                ValidatorStatus.Active
            )
        );
        registry.slashReceipts(both);
    }

    /// @dev Whatever else somebody puts beside what a validator signed about one log.
    /// forge-config: default.fuzz.runs = 300
    function testFuzz_oneHistory_slashesNobody(
        uint48 position,
        bytes32 link,
        uint8 count,
        uint64 epoch,
        bytes memory entry,
        bytes32 other
    ) external {
        LogRecord[] memory records = _records(count, epoch, entry);
        TwoHistories memory both = _histories(1, position, link, link, records);
        assert(!_punishes(both));
        vm.assume(other != link);
        both.link = other;
        assert(!_punishes(both));
        if (records.length > 0) {
            both.records[0].epoch = epoch ^ 1;
            assert(!_punishes(both));
        }
        both.records = new LogRecord[](0);
        assert(!_punishes(both));
    }

    /// @dev Any changed byte of the call makes evidence worthless.
    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_changedEvidence_slashesNobody(uint16 at_, uint8 change) external {
        LogRecord[] memory records = _records(3, 1, "{}");
        TwoHistories memory both = _histories(2, 7, bytes32(uint256(5)), bytes32(0), records);
        bytes memory call = abi.encodeCall(registry.slashReceipts, (both));
        uint256 index = 4 + (at_ % (call.length - 4));
        call[index] ^= bytes1(change == 0 ? 1 : change);
        (bool success, ) = address(registry).call(call);
        // Bytes that only fill up a word say nothing, and may be anything.
        assert(!success || _isSame(call, both));
    }

    function _isSame(bytes memory call, TwoHistories memory both) private view returns (bool) {
        bytes memory content = new bytes(call.length - 4);
        for (uint256 i = 0; i < content.length; i++) content[i] = call[i + 4];
        TwoHistories memory read = abi.decode(content, (TwoHistories));
        return keccak256(abi.encode(read)) == keccak256(abi.encode(both)) && _slashed(2);
    }

    function _punishes(TwoHistories memory both) private returns (bool success) {
        (success, ) = address(registry).call(abi.encodeCall(registry.slashReceipts, (both)));
        for (uint256 key = 1; key <= VALIDATORS; key++) assert(success || !_slashed(key));
    }

    /// @dev A receipt of a fork of the chain is none here.
    function test_otherChain_slashesNobody() external {
        LogRecord[] memory none = new LogRecord[](0);
        bytes32 hash = bytes32(uint256(5));
        vm.chainId(1);
        TwoHistories memory there = _histories(3, 7, hash, bytes32(0), none);
        vm.chainId(31337);
        assert(!_punishes(there));
        TwoHistories memory here = _histories(3, 7, hash, bytes32(0), none);
        TwoHistories memory mixed = _histories(3, 7, hash, bytes32(0), none);
        mixed.laterSignature = there.laterSignature;
        assert(!_punishes(mixed) && _punishes(here));
    }

    /// @dev Two blocks notarized at one view, whichever it is; at two views nothing is proven.
    /// forge-config: default.fuzz.runs = 300
    function testFuzz_twoNotarized_costTheStake(
        uint64 epoch,
        uint64 term,
        uint64 index,
        bytes32 blockA,
        bytes32 blockB
    ) external {
        vm.assume(blockA != blockB && index < type(uint64).max);
        address[] memory members = new address[](VALIDATORS);
        for (uint256 i = 0; i < VALIDATORS; i++) members[i] = vm.addr(i + 1);
        Sitting memory sitting = Sitting(epoch, members);
        SignedVote memory first = _vote(sitting, term, index, blockA);
        SignedVote memory second = _vote(sitting, term, index + 1, blockB);
        vm.expectRevert(abi.encodeWithSelector(IValidatorRegistry.VotesCompatible.selector));
        registry.slashVotes(sitting, first, second);
        registry.slashVotes(sitting, first, _vote(sitting, term, index, blockB));
        assert(_slashed(4));
    }

    function isOffence(
        SignedVote calldata a,
        SignedVote calldata b
    ) external pure returns (bool) {
        return Evidence.isOffence(a, b);
    }

    /// @dev Two votes of one kind: of one view, or of one term where they nullify, that differ.
    function testFuzz_votesOfOneKind_areAnOffence(
        uint8 kind_,
        uint8[3] memory a,
        uint8[3] memory b,
        bool isSameBlock
    ) external view {
        VoteKind kind = VoteKind(1 + (kind_ % 3));
        SignedVote memory first = SignedVote(kind, a[0] % 2, a[1] % 2, a[2] % 2, 0, "");
        bytes32 other = bytes32(uint256(isSameBlock ? 0 : 1));
        SignedVote memory second = SignedVote(kind, b[0] % 2, b[1] % 2, b[2] % 2, other, "");
        bool isSameTerm = first.term == second.term;
        bool isSameView = first.viewTerm == second.viewTerm &&
            first.viewIndex == second.viewIndex;
        bool differ = !(isSameTerm && isSameView && isSameBlock);
        bool meet = kind == VoteKind.Nullify ? isSameTerm : isSameView;
        assert(this.isOffence(first, second) == (differ && meet));
    }

    /// @dev A block finalized after the view that a nullify vote of its term or a later one names.
    function testFuzz_nullifyAndFinalize_areAnOffence(
        uint8 nullifyTerm,
        uint8 nullifyIndex,
        uint8 viewTerm,
        uint8 finalizeTerm,
        uint8 index
    ) external view {
        (nullifyTerm, finalizeTerm, viewTerm) = (
            nullifyTerm % 4,
            finalizeTerm % 4,
            viewTerm % 4
        );
        (nullifyIndex, index) = (nullifyIndex % 4, index % 4);
        SignedVote memory nullify = SignedVote(
            VoteKind.Nullify,
            nullifyTerm,
            viewTerm,
            nullifyIndex,
            bytes32(uint256(1)),
            ""
        );
        SignedVote memory finalize = SignedVote(
            VoteKind.Finalize,
            finalizeTerm,
            finalizeTerm,
            index,
            bytes32(uint256(2)),
            ""
        );
        uint256 named = uint256(viewTerm) * 4 + nullifyIndex;
        uint256 final_ = uint256(finalizeTerm) * 4 + index;
        bool expected = finalizeTerm <= nullifyTerm && final_ > named;
        assert(this.isOffence(nullify, finalize) == expected);
        assert(this.isOffence(finalize, nullify) == expected);
    }

    function _vote(
        Sitting memory sitting,
        uint64 term,
        uint64 index,
        bytes32 blockHash
    ) private view returns (SignedVote memory vote) {
        vote = SignedVote(VoteKind.Notarize, term, term, index, blockHash, "");
        vote.signature = _signature(4, registry.voteDigest(sitting, vote));
    }
}
