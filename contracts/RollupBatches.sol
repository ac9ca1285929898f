// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {RollupSettings} from "./RollupSettings.sol";
import {Progress} from "./RollupState.sol";
import {BatchHeader, ProtocolConstants} from "./generated/ProtocolConstants.sol";
import {RollupConfig} from "./interfaces/IRollup.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {ExitMode} from "./libraries/ExitMode.sol";
import {OperationQueue} from "./libraries/OperationQueue.sol";
import {OperatorSeat} from "./libraries/OperatorSeat.sol";
import {PublicData} from "./libraries/PublicData.sol";

/// @title RollupBatches
/// @dev What a batch must be to be anchored, who may submit it, and how it moves the root.
abstract contract RollupBatches is RollupSettings {
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
    function _checkLength(uint256[] calldata words) internal view returns (uint256 kind) {
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
        uint256 ageMax
    ) internal view {
        uint256 expectedNumber = uint256(progress.batchCount) + 1;
        if (header.number != expectedNumber) {
            revert BatchNumberUnequal(header.number, expectedNumber);
        }
        uint256 root = stateRoot;
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

    function _verifyBatch(
        uint256 kind,
        uint256 commitment,
        uint256 gamma,
        uint256 evaluation,
        uint256[8] calldata proof
    ) internal view {
        IVerifier verifier = kind == ProtocolConstants.BATCH_KIND_TRADE
            ? tradeVerifier
            : ledgerVerifier;
        // Arrays of known length are encoded flat: eight words are the call's three points, and
        // three its public signals.
        bytes memory call = abi.encodeWithSelector(
            IVerifier.verifyProof.selector,
            proof,
            commitment,
            gamma,
            evaluation
        );
        (bool answers, bytes memory answer) = address(verifier).staticcall(call);
        bool holds = answers && answer.length == 32 && abi.decode(answer, (bool));
        if (!holds) revert BatchProofInvalid(commitment, gamma, evaluation);
    }
}
