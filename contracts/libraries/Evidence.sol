// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {
    IValidatorRegistry,
    LogRecord,
    SignedVote,
    Sitting,
    TwoHistories,
    VoteKind
} from "../interfaces/IValidatorRegistry.sol";

/// @title Evidence
/// @dev What sequencer and validators sign off this chain, byte for byte, and which two votes no
/// honest validator casts. Twins: sequencer/protocol/evidence.ts, sequencer/consensus/vote.ts.
library Evidence {
    /// @dev With what surrounds them, this many bytes still fit into one transaction.
    uint256 private constant RECORDS_MAX = 256;
    uint256 private constant BYTES_MAX = 65_536;
    uint256 private constant MEMBERS_MAX = 16;

    /// @dev Who signed receipts of two logs.
    function signerOfReceipts(
        uint256 domain,
        TwoHistories calldata histories
    ) internal pure returns (address signer) {
        (uint64 position, bytes32 link) = (histories.position, histories.link);
        if (histories.hash == link) revert IValidatorRegistry.HistoriesEqual(position, link);
        bytes32 digest = receiptDigest(domain, position, histories.hash);
        signer = ECDSA.recoverCalldata(digest, histories.signature);
        bytes32 laterHash = historyHash(position, link, histories.records);
        // Bounded by then: the number of records, and with them the sum.
        uint64 laterPosition = position + uint64(histories.records.length);
        bytes32 laterDigest = receiptDigest(domain, laterPosition, laterHash);
        _checkSame(signer, ECDSA.recoverCalldata(laterDigest, histories.laterSignature));
    }

    /// @dev Who of the sitting cast both votes, where no honest validator does.
    function signerOfVotes(
        uint256 domain,
        Sitting calldata sitting,
        SignedVote calldata first,
        SignedVote calldata second
    ) internal pure returns (address signer) {
        if (!isOffence(first, second)) revert IValidatorRegistry.VotesCompatible();
        bytes32 session_ = session(domain, sitting);
        signer = ECDSA.recoverCalldata(voteDigest(session_, first), first.signature);
        _checkSame(
            signer,
            ECDSA.recoverCalldata(voteDigest(session_, second), second.signature)
        );
        // A stranger's votes count for nothing in a sitting, and so harm nobody.
        for (uint256 i = 0; i < sitting.members.length; i++) {
            if (sitting.members[i] == signer) return signer;
        }
        revert IValidatorRegistry.SignerNotInSitting(signer);
    }

    /// @dev What a receipt's signature covers: the log ends with this hash at this position.
    function receiptDigest(
        uint256 domain,
        uint64 position,
        bytes32 hash
    ) internal pure returns (bytes32) {
        return sha256(abi.encodePacked("straddle receipt 1", domain, position, hash));
    }

    /// @dev Hash of the last of `records`, which follow the record of `position` and hash `link`.
    function historyHash(
        uint64 position,
        bytes32 link,
        LogRecord[] calldata records
    ) internal pure returns (bytes32 hash) {
        if (records.length > RECORDS_MAX) {
            revert IValidatorRegistry.EvidenceRecordsExceeded(records.length, RECORDS_MAX);
        }
        hash = link;
        uint256 length = 0;
        for (uint256 i = 0; i < records.length; i++) {
            LogRecord calldata record = records[i];
            position += 1;
            length += record.entry.length;
            if (length > BYTES_MAX) {
                revert IValidatorRegistry.EvidenceBytesExceeded(length, BYTES_MAX);
            }
            hash = _recordHash(position, hash, record);
        }
    }

    /// @dev What binds votes to a deployment, a sitting and its members.
    function session(uint256 domain, Sitting calldata sitting) internal pure returns (bytes32) {
        address[] calldata members = sitting.members;
        if (members.length > MEMBERS_MAX) {
            revert IValidatorRegistry.ValidatorsExceeded(MEMBERS_MAX);
        }
        bytes memory text = abi.encodePacked(
            "straddle simplex ",
            Strings.toString(domain),
            " ",
            Strings.toString(sitting.epoch)
        );
        for (uint256 i = 0; i < members.length; i++) {
            text = abi.encodePacked(text, " ", Strings.toHexString(members[i]));
        }
        return sha256(text);
    }

    /// @dev 15 bytes of name, session (32), kind (1), term, view's term and index (8 each), block.
    function voteDigest(
        bytes32 session_,
        SignedVote calldata vote
    ) internal pure returns (bytes32) {
        bytes memory numbers = abi.encodePacked(
            uint8(vote.kind),
            vote.term,
            vote.viewTerm,
            vote.viewIndex
        );
        return sha256(abi.encodePacked("straddle vote 1", session_, numbers, vote.blockHash));
    }

    /// @dev Two blocks notarized, or finalized, at one view; two nullify votes of one term that
    /// differ; or a block finalized after the view that a nullify vote of its term or a later one
    /// names.
    function isOffence(
        SignedVote calldata a,
        SignedVote calldata b
    ) internal pure returns (bool) {
        if (a.kind == VoteKind.None || b.kind == VoteKind.None) return false;
        bool isSameView = a.viewTerm == b.viewTerm && a.viewIndex == b.viewIndex;
        if (a.kind == b.kind) {
            bool isSame = isSameView && a.term == b.term && a.blockHash == b.blockHash;
            if (isSame) return false;
            return a.kind == VoteKind.Nullify ? a.term == b.term : isSameView;
        }
        if (a.kind == VoteKind.Nullify) return _breaks(a, b);
        return b.kind == VoteKind.Nullify && _breaks(b, a);
    }

    /// @dev sha256 of position, epoch, link and entry, as text with a space between them.
    function _recordHash(
        uint64 position,
        bytes32 link,
        LogRecord calldata record
    ) private pure returns (bytes32) {
        bytes memory place = abi.encodePacked(
            Strings.toString(position),
            " ",
            Strings.toString(record.epoch),
            " "
        );
        uint256 high = _hexDigits(uint256(link) >> 128);
        uint256 low = _hexDigits(uint256(link) & type(uint128).max);
        return sha256(abi.encodePacked(place, high, low, " ", record.entry));
    }

    /// @dev The 32 lower-case hex digits of 16 bytes. All at once: digit by digit, a hash would
    /// cost more than everything else that is done with its record. Unchecked: no byte overflows.
    function _hexDigits(uint256 x) private pure returns (uint256) {
        uint256 ones = type(uint256).max / 255;
        unchecked {
            x = (x | (x << 64)) & (type(uint256).max / ((1 << 64) + 1));
            x = (x | (x << 32)) & (type(uint256).max / ((1 << 32) + 1));
            x = (x | (x << 16)) & (type(uint256).max / ((1 << 16) + 1));
            x = (x | (x << 8)) & (type(uint256).max / ((1 << 8) + 1));
            x = (x | (x << 4)) & (ones * 15);
            // From ten on, letters: 39 places behind the digits.
            uint256 isLetter = ((x + ones * 6) >> 4) & ones;
            return x + ones * 48 + isLetter * 39;
        }
    }

    function _checkSame(address signer, address other) private pure {
        if (signer != other) {
            revert IValidatorRegistry.EvidenceSignersUnequal(signer, other);
        }
    }

    function _breaks(
        SignedVote calldata nullify,
        SignedVote calldata finalize
    ) private pure returns (bool) {
        if (finalize.kind != VoteKind.Finalize || finalize.term > nullify.term) return false;
        if (finalize.viewTerm != nullify.viewTerm) return finalize.viewTerm > nullify.viewTerm;
        return finalize.viewIndex > nullify.viewIndex;
    }
}
