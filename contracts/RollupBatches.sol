// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {RollupSettings} from "./RollupSettings.sol";
import {Progress} from "./RollupState.sol";
import {BatchHeader, ProtocolConstants} from "./generated/ProtocolConstants.sol";
import {BatchSubmission, RollupConfig} from "./interfaces/IRollup.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {BatchedGroth16} from "./libraries/BatchedGroth16.sol";
import {ExitMode} from "./libraries/ExitMode.sol";
import {OperationQueue} from "./libraries/OperationQueue.sol";
import {OperatorSeat} from "./libraries/OperatorSeat.sol";
import {PublicData} from "./libraries/PublicData.sol";

/// @title RollupBatches
/// @dev What a batch must be to be anchored, who may submit it, and how it moves the root.
abstract contract RollupBatches is RollupSettings {
    using BatchedGroth16 for bytes;
    using ExitMode for ExitMode.State;
    using OperationQueue for OperationQueue.State;
    using OperatorSeat for OperatorSeat.State;

    /// @dev How far a batch's time may run ahead of the chain's, ms: clocks differ, blocks wait.
    uint256 private constant TIME_TOLERANCE_MS = 15 minutes * 1000;
    /// @dev How old a batch's time may be, seconds, besides the length of a pause: accounts leave
    /// at the last batch's marks, and whoever could choose among old ones would choose well.
    uint256 private constant BATCH_AGE_MAX = 24 hours;
    /// @dev The same for whoever is not the operator and has no sealed batches to catch up with.
    uint256 private constant OUTSIDER_BATCH_AGE_MAX = 1 hours;
    /// @dev After this much time without a certificate the proof alone is enough, seconds.
    uint256 private constant VALIDATOR_SILENCE_MAX = 24 hours;
    /// @dev After this much silence of the operator anybody may serve the queue, seconds.
    uint256 private constant OPERATOR_SILENCE_MAX = 24 hours;

    constructor(RollupConfig memory config) RollupSettings(config) {}

    /// @dev Validators guard against a proof system that is wrong; they are not needed for one
    /// that is right, so their silence delays and never stops.
    /// @return When the newest certified batch is anchored.
    function _certify(
        BatchHeader calldata header,
        uint256 certifiedAt,
        bytes32 wordsHash,
        bytes calldata certificate
    ) internal view returns (uint256) {
        if (validators.certifies(header.number, header.rootAfter, wordsHash, certificate)) {
            return block.timestamp;
        }
        // A pause stops them as well: it must not pass for their silence.
        uint256 silentSince = Math.max(certifiedAt, _seat.pausedUntil);
        uint256 proofOnlyAt = silentSince + VALIDATOR_SILENCE_MAX;
        if (block.timestamp < proofOnlyAt) {
            revert CertificateMissing(header.number, proofOnlyAt);
        }
        return certifiedAt;
    }

    function _advance(BatchHeader calldata header, uint256 certifiedAt) internal {
        stateRoot = header.rootAfter;
        _progress = Progress({
            batchCount: SafeCast.toUint64(header.number),
            batchTime: SafeCast.toUint64(header.time),
            anchoredAt: SafeCast.toUint64(block.timestamp),
            certifiedAt: SafeCast.toUint64(certifiedAt)
        });
    }

    /// @dev Only an account without code, and only as the transaction itself: its calldata then
    /// holds every word, and whoever has the chain's transactions can rebuild the ledger.
    /// @return ageMax How old the submitter's batch may be, seconds.
    function _checkSubmitter(uint256 anchoredAt) internal view returns (uint256 ageMax) {
        address operator_ = _seat.operator;
        // A freeze empties the seat for good; asking the seat costs no slot more.
        if (operator_ == address(0)) _exits.checkLive();
        // solhint-disable-next-line avoid-tx-origin
        if (msg.sender != tx.origin || msg.sender.code.length > 0) {
            revert SubmitterNotPlain(msg.sender);
        }
        if (msg.sender == operator_) return BATCH_AGE_MAX + pauseDuration;
        uint256 openToAllAt = _openToAllAt(anchoredAt);
        if (block.timestamp < openToAllAt) {
            revert SubmitterNotOperator(msg.sender, operator_, openToAllAt);
        }
        return OUTSIDER_BATCH_AGE_MAX;
    }

    /// @dev Others are let in for what waits in the queue, and when the operator could have served
    /// it for a day and did not: their batch makes void what the operator has sealed.
    function _openToAllAt(uint256 anchoredAt) private view returns (uint256) {
        if (_queue.start == _queue.end) return type(uint256).max;
        uint256 silentSince = Math.max(anchoredAt, _seat.pausedUntil);
        return Math.max(silentSince, _queue.oldestQueuedAt()) + OPERATOR_SILENCE_MAX;
    }

    /// @return kind What the batch says that it is; `words` are as many as that asks for.
    function _checkLength(uint256[] calldata words) private view returns (uint256 kind) {
        if (words.length < ProtocolConstants.HEADER_WORDS) {
            revert PublicData.PublicDataLengthUnequal(
                words.length,
                ProtocolConstants.HEADER_WORDS
            );
        }
        kind = PublicData.header(words).kind;
        bool isTrade = kind == ProtocolConstants.BATCH_KIND_TRADE;
        if (!isTrade && kind != ProtocolConstants.BATCH_KIND_LEDGER) {
            revert PublicData.BatchKindUnknown(kind);
        }
        uint256 expected = isTrade ? _tradeWords : _ledgerWords;
        if (words.length != expected) {
            revert PublicData.PublicDataLengthUnequal(words.length, expected);
        }
    }

    function _checkHeader(
        BatchHeader calldata header,
        Progress memory progress,
        uint256 root,
        uint256 ageMax
    ) private view {
        uint256 expectedNumber = uint256(progress.batchCount) + 1;
        if (header.number != expectedNumber) {
            revert BatchNumberUnequal(header.number, expectedNumber);
        }
        if (header.rootBefore != root) revert BatchRootUnequal(header.rootBefore, root);
        uint256 ownDomain = domain();
        if (header.domain != ownDomain) revert BatchDomainUnequal(header.domain, ownDomain);
        uint256 oracleSet = oracleSetHash;
        if (header.oracleSet != oracleSet) {
            revert BatchOracleSetUnequal(header.oracleSet, oracleSet);
        }
        uint256 time = header.time;
        if (time <= progress.batchTime) revert BatchTimeNotAfter(time, progress.batchTime);
        uint256 latest = block.timestamp * 1000 + TIME_TOLERANCE_MS;
        if (time > latest) revert BatchTimeInFuture(time, latest);
        uint256 earliest = (block.timestamp - ageMax) * 1000;
        if (time < earliest) revert BatchTimeTooOld(time, earliest);
        if (header.snapshotTime > time) revert BatchSnapshotInFuture(header.snapshotTime, time);
    }

    /// @dev The checks of one batch after the other, each as if those before were anchored, and one
    /// of all their proofs. Nothing is written.
    /// @return hashes Of each batch's words.
    function _checkTogether(
        BatchSubmission[] calldata batches,
        Progress memory progress
    ) internal view returns (bytes32[] memory hashes) {
        uint256 ageMax = _checkSubmitter(progress.anchoredAt);
        _seat.checkNotPaused();
        uint256 count = batches.length;
        if (count == 0 || count > ProtocolConstants.BATCHES_TOGETHER_MAX) {
            revert BatchesOutOfRange(count, ProtocolConstants.BATCHES_TOGETHER_MAX);
        }
        // The first ends the silence that lets others in.
        if (count > 1) ageMax = _checkSubmitter(block.timestamp);
        uint256 before = progress.batchCount;
        uint256 root = stateRoot;
        bytes memory transcript = BatchedGroth16.open(count);
        hashes = new bytes32[](count);
        bool[2] memory isLoaded;
        for (uint256 i = 0; i < count; i++) {
            BatchSubmission calldata batch = batches[i];
            uint256 kind = _checkNext(batch.words, progress, root, ageMax);
            uint256[3] memory signals;
            (hashes[i], signals) = PublicData.statement(batch.words, batch.commitment);
            uint256 key = kind == ProtocolConstants.BATCH_KIND_TRADE ? 0 : 1;
            if (!isLoaded[key]) transcript.loadKey(key, _verifierOf(kind));
            isLoaded[key] = true;
            transcript.put(i, key, batch.proof, signals);
            BatchHeader calldata header = PublicData.header(batch.words);
            root = header.rootAfter;
            progress.batchCount += 1;
            progress.batchTime = SafeCast.toUint64(header.time);
            progress.anchoredAt = SafeCast.toUint64(block.timestamp);
        }
        if (!transcript.holds()) revert BatchProofsInvalid(before + 1, before + count);
    }

    /// @dev What can be seen of a batch without its proof and its certificate.
    /// @return kind What the batch says that it is.
    function _checkNext(
        uint256[] calldata words,
        Progress memory progress,
        uint256 root,
        uint256 ageMax
    ) internal view returns (uint256 kind) {
        kind = _checkLength(words);
        _checkHeader(PublicData.header(words), progress, root, ageMax);
    }

    function _verifyBatch(
        uint256 kind,
        uint256[3] memory signals,
        uint256[8] calldata proof
    ) internal view {
        address verifier = address(_verifierOf(kind));
        bytes4 selector = IVerifier.verifyProof.selector;
        bool holds;
        // Arrays of known length are encoded flat: eight words are the call's three points, and
        // three its public signals.
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            calldatacopy(add(data, 0x04), proof, 0x100)
            mcopy(add(data, 0x104), signals, 0x60)
            let answers := staticcall(gas(), verifier, data, 0x164, 0, 0x20)
            holds := and(eq(mload(0), 1), and(answers, eq(returndatasize(), 0x20)))
        }
        if (!holds) revert BatchProofInvalid(signals[0], signals[1], signals[2]);
    }

    function _verifierOf(uint256 kind) private view returns (IVerifier) {
        return kind == ProtocolConstants.BATCH_KIND_TRADE ? tradeVerifier : ledgerVerifier;
    }
}
