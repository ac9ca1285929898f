// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {
    ReentrancyGuardTransient
} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {
    Candidate,
    IValidatorRegistry,
    Offence,
    SignedAttestation,
    SignedVote,
    Sitting,
    TwoHistories,
    Validator,
    ValidatorConfig,
    ValidatorStatus
} from "./interfaces/IValidatorRegistry.sol";
import {Evidence} from "./libraries/Evidence.sol";
import {MemberSet} from "./libraries/MemberSet.sol";

/// @title ValidatorRegistry
/// @dev The rollup's constructor creates it. Stakes are kept here, apart from all collateral.
contract ValidatorRegistry is IValidatorRegistry, ReentrancyGuardTransient {
    using MemberSet for MemberSet.State;
    using SafeERC20 for IERC20;

    uint256 private constant VALIDATORS_MAX = 16;
    /// @dev The reporter's part of a slashed stake: worth a transaction, not worth a conspiracy.
    uint256 private constant REWARD_DIVISOR = 10;
    uint256 private constant LOG_HASH_OFFSET = 2;
    uint256 private constant CERTIFICATE_HEAD = 34;
    uint256 private constant SIGNATURE_BYTES = 65;
    bytes32 private constant DOMAIN_TYPE =
        keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
        );
    bytes32 private constant ATTESTATION_TYPE =
        keccak256("Attestation(uint256 number,uint256 root,bytes32 wordsHash,bytes32 logHash)");
    bytes32 private constant NAME = keccak256("Straddle");
    bytes32 private constant VERSION = keccak256("1");

    /// @inheritdoc IValidatorRegistry
    address public immutable rollup;
    /// @inheritdoc IValidatorRegistry
    address public immutable governance;
    /// @inheritdoc IValidatorRegistry
    address public immutable insurance;
    /// @inheritdoc IValidatorRegistry
    IERC20 public immutable token;
    /// @inheritdoc IValidatorRegistry
    uint256 public immutable stake;
    /// @inheritdoc IValidatorRegistry
    uint256 public immutable evidenceWindow;
    /// @inheritdoc IValidatorRegistry
    uint256 public immutable unbondingDelay;
    /// @inheritdoc IValidatorRegistry
    uint256 public immutable leaveDelay;

    /// @inheritdoc IValidatorRegistry
    uint256 public admitted;
    /// @inheritdoc IValidatorRegistry
    mapping(address owner => uint256) public credit;
    mapping(address signer => Validator) private _validators;
    MemberSet.State private _set;

    constructor(
        ValidatorConfig memory config,
        IERC20 token_,
        address governance_,
        address insurance_,
        uint256 leaveDelay_
    ) {
        if (config.stake == 0) revert StakeZero();
        if (config.unbondingDelay <= config.evidenceWindow) {
            revert UnbondingTooShort(config.unbondingDelay, config.evidenceWindow);
        }
        rollup = msg.sender;
        governance = governance_;
        insurance = insurance_;
        token = token_;
        stake = config.stake;
        evidenceWindow = config.evidenceWindow;
        unbondingDelay = config.unbondingDelay;
        leaveDelay = leaveDelay_;
        for (uint256 i = 0; i < config.candidates.length; i++) {
            Candidate memory candidate = config.candidates[i];
            _admit(candidate.signer, candidate.owner);
        }
    }

    modifier onlyGovernance() {
        if (msg.sender != governance) revert CallerNotGovernance(msg.sender, governance);
        _;
    }

    /// @inheritdoc IValidatorRegistry
    function admit(address signer, address owner) external onlyGovernance {
        _admit(signer, owner);
    }

    /// @inheritdoc IValidatorRegistry
    function expel(address signer) external onlyGovernance {
        if (_validators[signer].status == ValidatorStatus.Admitted) {
            delete _validators[signer];
            admitted -= 1;
            emit AdmissionWithdrawn(signer);
            return;
        }
        _checkStatus(signer, ValidatorStatus.Active);
        _remove(signer);
    }

    /// @inheritdoc IValidatorRegistry
    function bond(address signer) external nonReentrant {
        _checkStatus(signer, ValidatorStatus.Admitted);
        _checkOwner(signer);
        _validators[signer].status = ValidatorStatus.Active;
        address[] memory list = members();
        address[] memory longer = new address[](list.length + 1);
        for (uint256 i = 0; i < list.length; i++) longer[i] = list[i];
        longer[list.length] = signer;
        _set.write(longer);
        emit ValidatorActivated(signer, longer.length);
        uint256 balanceBefore = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), stake);
        uint256 received = token.balanceOf(address(this)) - balanceBefore;
        if (received != stake) revert StakeAmountUnequal(stake, received);
    }

    /// @inheritdoc IValidatorRegistry
    function requestLeave(address signer) external {
        _checkStatus(signer, ValidatorStatus.Active);
        _checkOwner(signer);
        Validator storage entry = _validators[signer];
        if (entry.leavesAt != 0) revert AlreadyLeaving(signer, entry.leavesAt);
        entry.leavesAt = SafeCast.toUint40(block.timestamp + leaveDelay);
        emit LeaveRequested(signer, entry.leavesAt);
    }

    /// @inheritdoc IValidatorRegistry
    function finishLeave(address signer) external {
        _checkStatus(signer, ValidatorStatus.Active);
        uint256 leavesAt = _validators[signer].leavesAt;
        if (leavesAt == 0 || block.timestamp < leavesAt) {
            revert LeaveTooEarly(leavesAt, block.timestamp);
        }
        _remove(signer);
    }

    /// @inheritdoc IValidatorRegistry
    function release(address signer) external {
        _checkStatus(signer, ValidatorStatus.Left);
        uint256 until = _validators[signer].leftAt + unbondingDelay;
        if (block.timestamp < until) revert StakeLocked(until, block.timestamp);
        address owner = _validators[signer].owner;
        delete _validators[signer];
        credit[owner] += stake;
        emit StakeReleased(signer, owner, stake);
    }

    /// @inheritdoc IValidatorRegistry
    function slash(
        uint256 number,
        SignedAttestation calldata first,
        SignedAttestation calldata second
    ) external {
        if (first.root == second.root && first.wordsHash == second.wordsHash) {
            revert EvidenceEqual(first.root, first.wordsHash);
        }
        address signer = _signerOf(number, first);
        address other = _signerOf(number, second);
        if (signer != other) revert EvidenceSignersUnequal(signer, other);
        _punish(signer, Offence.Attestations, number);
    }

    /// @inheritdoc IValidatorRegistry
    function slashReceipts(TwoHistories calldata histories) external {
        address signer = Evidence.signerOfReceipts(_domain(), histories);
        _punish(signer, Offence.Receipts, histories.position);
    }

    /// @inheritdoc IValidatorRegistry
    function slashVotes(
        Sitting calldata sitting,
        SignedVote calldata first,
        SignedVote calldata second
    ) external {
        address signer = Evidence.signerOfVotes(_domain(), sitting, first, second);
        _punish(signer, Offence.Votes, first.term);
    }

    /// @inheritdoc IValidatorRegistry
    function payCredit(address to) external nonReentrant {
        uint256 amount = credit[to];
        if (amount == 0) revert NothingCredited(to);
        credit[to] = 0;
        emit CreditPaid(to, amount);
        token.safeTransfer(to, amount);
    }

    /// @inheritdoc IValidatorRegistry
    function certifies(
        uint256 number,
        uint256 root,
        bytes32 wordsHash,
        bytes calldata certificate
    ) external view returns (bool) {
        MemberSet.State memory set = _set;
        if (certificate.length == 0) return set.count == 0;
        if (certificate.length < CERTIFICATE_HEAD) {
            revert CertificateLengthUnequal(certificate.length, CERTIFICATE_HEAD);
        }
        uint256 bitmap = uint16(bytes2(certificate));
        uint256 signatures = MemberSet.ones(bitmap);
        uint256 length = CERTIFICATE_HEAD + signatures * SIGNATURE_BYTES;
        if (certificate.length != length) {
            revert CertificateLengthUnequal(certificate.length, length);
        }
        uint256 needed = _quorum(set.count);
        if (signatures < needed) revert QuorumMissing(signatures, needed);
        bytes32 logHash = _wordAt(certificate, LOG_HASH_OFFSET);
        bytes32 digest = attestationDigest(number, root, wordsHash, logHash);
        _checkSignatures(set, digest, bitmap, certificate);
        // Without members nobody has certified anything, but nobody is missing either.
        return true;
    }

    /// @inheritdoc IValidatorRegistry
    function quorum() external view returns (uint256) {
        return _quorum(_set.count);
    }

    /// @inheritdoc IValidatorRegistry
    function validator(address signer) external view returns (Validator memory) {
        return _validators[signer];
    }

    /// @inheritdoc IValidatorRegistry
    function members() public view returns (address[] memory list) {
        MemberSet.State memory set = _set;
        bytes memory packed = set.read();
        list = new address[](set.count);
        for (uint256 i = 0; i < list.length; i++) list[i] = MemberSet.memberAt(packed, i);
    }

    /// @inheritdoc IValidatorRegistry
    function attestationDigest(
        uint256 number,
        uint256 root,
        bytes32 wordsHash,
        bytes32 logHash
    ) public view returns (bytes32) {
        // Computed anew: a chain that forks gets another domain.
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, rollup));
        bytes32 content = keccak256(
            abi.encode(ATTESTATION_TYPE, number, root, wordsHash, logHash)
        );
        return MessageHashUtils.toTypedDataHash(domain, content);
    }

    /// @inheritdoc IValidatorRegistry
    function receiptDigest(uint64 position, bytes32 hash) external view returns (bytes32) {
        return Evidence.receiptDigest(_domain(), position, hash);
    }

    /// @inheritdoc IValidatorRegistry
    function voteDigest(
        Sitting calldata sitting,
        SignedVote calldata vote
    ) external view returns (bytes32) {
        return Evidence.voteDigest(Evidence.session(_domain(), sitting), vote);
    }

    function _admit(address signer, address owner) private {
        // A stake that is slashed goes to the insurance fund's owner: not back to who lost it.
        bool isInvalid = signer == address(0) || owner == address(0) || owner == insurance;
        if (isInvalid) revert CandidateInvalid(signer, owner);
        _checkStatus(signer, ValidatorStatus.Unknown);
        if (admitted == VALIDATORS_MAX) revert ValidatorsExceeded(VALIDATORS_MAX);
        admitted += 1;
        _validators[signer].owner = owner;
        _validators[signer].status = ValidatorStatus.Admitted;
        emit ValidatorAdmitted(signer, owner);
    }

    /// @dev Takes the stake of who is proven guilty: once, and no later than the window allows.
    function _punish(address signer, Offence offence, uint256 number) private {
        Validator storage entry = _validators[signer];
        if (entry.status == ValidatorStatus.Left) {
            uint256 end = entry.leftAt + evidenceWindow;
            if (block.timestamp >= end) revert EvidenceTooLate(end, block.timestamp);
        } else {
            // At once: what is proven needs no notice.
            _checkStatus(signer, ValidatorStatus.Active);
            _remove(signer);
        }
        entry.status = ValidatorStatus.Slashed;
        uint256 reward = stake / REWARD_DIVISOR;
        credit[msg.sender] += reward;
        credit[insurance] += stake - reward;
        emit ValidatorSlashed(signer, msg.sender, offence, number, reward);
    }

    /// @dev Takes an active validator out of the set; its stake stays.
    function _remove(address signer) private {
        address[] memory list = members();
        address[] memory shorter = new address[](list.length - 1);
        uint256 kept = 0;
        for (uint256 i = 0; i < list.length; i++) {
            if (list[i] != signer) shorter[kept++] = list[i];
        }
        _set.write(shorter);
        admitted -= 1;
        _validators[signer].status = ValidatorStatus.Left;
        _validators[signer].leftAt = SafeCast.toUint40(block.timestamp);
        emit ValidatorLeft(signer, kept);
    }

    /// @dev The certificate must be as long as its bitmap asks for. Unchecked, since nothing can
    /// overflow: there are 16 bits, so `member` stays below 16 and `offset` below 34 + 16 * 65.
    function _checkSignatures(
        MemberSet.State memory set,
        bytes32 digest,
        uint256 bitmap,
        bytes calldata certificate
    ) private view {
        bytes memory packed = set.read();
        uint256 offset = CERTIFICATE_HEAD;
        unchecked {
            for (uint256 member = 0; bitmap != 0; member++) {
                if (bitmap & 1 == 1) {
                    if (member >= set.count) revert CertificateMemberUnknown(member, set.count);
                    (address actual, , ) = ECDSA.tryRecover(
                        digest,
                        uint8(bytes1(_wordAt(certificate, offset + 64))),
                        _wordAt(certificate, offset),
                        _wordAt(certificate, offset + 32)
                    );
                    address expected = MemberSet.memberAt(packed, member);
                    if (actual != expected) {
                        revert CertificateSignatureInvalid(member, expected, actual);
                    }
                    offset += SIGNATURE_BYTES;
                }
                bitmap >>= 1;
            }
        }
    }

    /// @dev The 32 bytes from `offset` on, which the caller knows to begin inside `data`.
    function _wordAt(bytes calldata data, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }

    function _checkOwner(address signer) private view {
        address owner = _validators[signer].owner;
        if (msg.sender != owner) revert CallerNotOwner(msg.sender, owner);
    }

    function _checkStatus(address signer, ValidatorStatus expected) private view {
        ValidatorStatus actual = _validators[signer].status;
        if (actual != expected) revert StatusUnequal(signer, actual, expected);
    }

    /// @dev The rollup's own, as it computes it: a chain that forks gets another domain.
    function _domain() private view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, rollup))) >> 8;
    }

    function _signerOf(
        uint256 number,
        SignedAttestation calldata signed
    ) private view returns (address) {
        bytes32 digest = attestationDigest(
            number,
            signed.root,
            signed.wordsHash,
            signed.logHash
        );
        return ECDSA.recoverCalldata(digest, signed.signature);
    }

    /// @dev Stakes are equal, so two thirds by count are two thirds by stake. Unchecked: there are
    /// at most 16.
    function _quorum(uint256 count) private pure returns (uint256) {
        unchecked {
            return (2 * count + 2) / 3;
        }
    }
}
