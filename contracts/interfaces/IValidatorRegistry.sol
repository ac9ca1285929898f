// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice A validator to be: the key it signs with and who puts up its stake.
struct Candidate {
    address signer;
    address owner;
}

/// @notice What a registry is born with.
/// @param candidates Admitted from the beginning; each counts once its owner has bonded.
/// @param stake What each validator bonds: the same for all, so that counting is weighing.
/// @param evidenceWindow Seconds for which a validator that left can be punished.
/// @param unbondingDelay Seconds after which it gets its stake; longer than the window.
struct ValidatorConfig {
    Candidate[] candidates;
    uint256 stake;
    uint256 evidenceWindow;
    uint256 unbondingDelay;
}

enum ValidatorStatus {
    Unknown,
    Admitted,
    Active,
    Left,
    Slashed
}

/// @param owner Who bonds, leaves and gets the stake back.
/// @param status Where it is between admission and the return of its stake.
/// @param leavesAt When it may be taken out of the set, unix seconds; 0 unless it asked to.
/// @param leftAt When it was taken out, unix seconds.
struct Validator {
    address owner;
    ValidatorStatus status;
    uint40 leavesAt;
    uint40 leftAt;
}

/// @notice What a validator signed: EIP-712, as in sequencer/l1/attestation.ts.
struct SignedAttestation {
    uint256 root;
    bytes32 wordsHash;
    bytes32 logHash;
    bytes signature;
}

/// @notice A record of the order log: its place follows from where it stands.
/// @param epoch Number of the log's writer.
/// @param entry The bytes that its hash covers beside place and link.
struct LogRecord {
    uint64 epoch;
    bytes entry;
}

/// @notice Two receipts of one key that cannot be of one log.
/// @param position Of the record that the first receipt is about.
/// @param hash What the first receipt says is its hash.
/// @param signature Of the first receipt: r, s, v.
/// @param link Hash of the record at `position` in the other history.
/// @param records Of that history, those that follow; none if both receipts are of one position.
/// @param laterSignature Of the second receipt: about the last of them.
struct TwoHistories {
    uint64 position;
    bytes32 hash;
    bytes signature;
    bytes32 link;
    LogRecord[] records;
    bytes laterSignature;
}

/// @notice Whom a session of the consensus consisted of.
/// @param epoch Number of the sitting.
/// @param members In the order that the session was made with.
struct Sitting {
    uint64 epoch;
    address[] members;
}

enum VoteKind {
    None,
    Notarize,
    Nullify,
    Finalize
}

/// @notice A vote of the consensus on the order log: SPEC, "Consensus".
struct SignedVote {
    VoteKind kind;
    uint64 term;
    uint64 viewTerm;
    uint64 viewIndex;
    bytes32 blockHash;
    bytes signature;
}

/// @notice What a validator signed two of that exclude each other.
enum Offence {
    Attestations,
    Receipts,
    Votes
}

/// @title Who attests batches, with what at stake, and the check of their certificates
/// @notice A certificate is empty, or a bitmap of the members that signed (2 bytes, bit i for
/// member i), the log's hash that they signed (32 bytes), and their signatures (65 bytes each: r,
/// s, v) in the members' order.
interface IValidatorRegistry {
    /// @notice Governance let `signer` bond.
    event ValidatorAdmitted(address indexed signer, address indexed owner);
    /// @notice Governance withdrew an admission that nobody had bonded for.
    event AdmissionWithdrawn(address indexed signer);
    /// @notice The stake arrived; the validator counts.
    event ValidatorActivated(address indexed signer, uint256 count);
    /// @notice Its owner asked to leave.
    event LeaveRequested(address indexed signer, uint256 leavesAt);
    /// @notice It counts no more.
    event ValidatorLeft(address indexed signer, uint256 count);
    /// @notice It signed what excludes each other: for batch `number`, about log position `number`,
    /// or in term `number`.
    event ValidatorSlashed(
        address indexed signer,
        address indexed reporter,
        Offence offence,
        uint256 number,
        uint256 reward
    );
    /// @notice A stake was released to its owner's credit.
    event StakeReleased(address indexed signer, address indexed owner, uint256 amount);
    /// @notice Credit was paid out.
    event CreditPaid(address indexed to, uint256 amount);

    error CallerNotGovernance(address caller, address governance);
    error CallerNotOwner(address caller, address owner);
    error CandidateInvalid(address signer, address owner);
    error ValidatorsExceeded(uint256 maximum);
    error StatusUnequal(address signer, ValidatorStatus actual, ValidatorStatus expected);
    error AlreadyLeaving(address signer, uint256 leavesAt);
    error LeaveTooEarly(uint256 leavesAt, uint256 timestamp);
    error StakeLocked(uint256 until, uint256 timestamp);
    error EvidenceTooLate(uint256 end, uint256 timestamp);
    error EvidenceEqual(uint256 root, bytes32 wordsHash);
    error EvidenceSignersUnequal(address first, address second);
    error EvidenceRecordsExceeded(uint256 records, uint256 maximum);
    error EvidenceBytesExceeded(uint256 length, uint256 maximum);
    error HistoriesEqual(uint256 position, bytes32 hash);
    error VotesCompatible();
    error SignerNotInSitting(address signer);
    error UnbondingTooShort(uint256 unbondingDelay, uint256 evidenceWindow);
    error StakeZero();
    error StakeAmountUnequal(uint256 asked, uint256 received);
    error NothingCredited(address owner);
    error CertificateLengthUnequal(uint256 actual, uint256 expected);
    error CertificateMemberUnknown(uint256 member, uint256 count);
    error CertificateSignatureInvalid(uint256 member, address expected, address actual);
    error QuorumMissing(uint256 signatures, uint256 quorum);

    /// @notice Lets `signer` bond, if fewer than the maximum are admitted. Governance only.
    function admit(address signer, address owner) external;

    /// @notice Takes `signer` out of the set, or back its admission. Governance only.
    function expel(address signer) external;

    /// @notice Pulls the stake from the caller, who owns the admission: the validator counts.
    function bond(address signer) external;

    /// @notice Asks to leave the set: its owner only.
    function requestLeave(address signer) external;

    /// @notice Takes out who asked to leave long enough ago. Anybody may call.
    function finishLeave(address signer) external;

    /// @notice Credits the stake to its owner after the unbonding delay. Anybody may call.
    function release(address signer) external;

    /// @notice Takes the stake of who signed two roots, or two words' hashes, for batch `number`: a
    /// tenth to the caller's credit, the rest to the insurance fund's owner's. Anybody may call.
    function slash(
        uint256 number,
        SignedAttestation calldata first,
        SignedAttestation calldata second
    ) external;

    /// @notice Takes the stake of who signed receipts of two logs, as {slash} does: the records
    /// lead from another hash at the first receipt's position to what the second one signed. At
    /// most 256 records of 65,536 bytes in all.
    function slashReceipts(TwoHistories calldata histories) external;

    /// @notice Takes the stake of who cast two votes in one sitting that no honest validator casts,
    /// as {slash} does.
    function slashVotes(
        Sitting calldata sitting,
        SignedVote calldata first,
        SignedVote calldata second
    ) external;

    /// @notice Pays `to` its credit. Anybody may call.
    function payCredit(address to) external;

    /// @notice Whether validators certify the batch with these public words (their keccak256);
    /// reverts on a certificate that is wrong. True without a certificate when there is no
    /// validator, else false without one.
    function certifies(
        uint256 number,
        uint256 root,
        bytes32 wordsHash,
        bytes calldata certificate
    ) external view returns (bool);

    /// @notice What validators sign.
    function attestationDigest(
        uint256 number,
        uint256 root,
        bytes32 wordsHash,
        bytes32 logHash
    ) external view returns (bytes32);

    /// @notice What a receipt of the log record at `position` signs.
    function receiptDigest(uint64 position, bytes32 hash) external view returns (bytes32);

    /// @notice What a vote in the sitting signs; its own signature does not matter.
    function voteDigest(
        Sitting calldata sitting,
        SignedVote calldata vote
    ) external view returns (bytes32);

    /// @notice Members in the order of a certificate's bits.
    function members() external view returns (address[] memory);

    /// @notice Signatures that a certificate needs: two thirds of the members, rounded up.
    function quorum() external view returns (uint256);

    function validator(address signer) external view returns (Validator memory);

    /// @notice Validators that are admitted or active.
    function admitted() external view returns (uint256);

    function credit(address owner) external view returns (uint256);

    function rollup() external view returns (address);

    function governance() external view returns (address);

    function insurance() external view returns (address);

    function token() external view returns (IERC20);

    function stake() external view returns (uint256);

    function evidenceWindow() external view returns (uint256);

    function unbondingDelay() external view returns (uint256);

    /// @notice Seconds between the wish to leave and leaving.
    function leaveDelay() external view returns (uint256);
}
