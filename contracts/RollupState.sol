// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {
    IERC20Metadata
} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {CollateralVault} from "./CollateralVault.sol";
import {ProtocolConstants} from "./generated/ProtocolConstants.sol";
import {ValidatorRegistry} from "./ValidatorRegistry.sol";
import {ICollateralVault} from "./interfaces/ICollateralVault.sol";
import {IGovernance} from "./interfaces/IGovernance.sol";
import {IRollup, RollupConfig, Sizes} from "./interfaces/IRollup.sol";
import {IValidatorRegistry} from "./interfaces/IValidatorRegistry.sol";
import {IExitVerifier, IVerifier} from "./interfaces/IVerifier.sol";
import {Accounts} from "./libraries/Accounts.sol";
import {Claim, ExitMode} from "./libraries/ExitMode.sol";
import {KeyGate} from "./libraries/KeyGate.sol";
import {OperationQueue, QueuedOperation} from "./libraries/OperationQueue.sol";
import {OperatorSeat} from "./libraries/OperatorSeat.sol";
import {PublicData} from "./libraries/PublicData.sol";
import {Withdrawals} from "./libraries/Withdrawals.sol";

/// @notice How far batches have come: one slot, since every batch reads and writes all of it.
/// @param batchCount Batches anchored.
/// @param batchTime Time that the last one states, unix ms.
/// @param anchoredAt When it was anchored, or the rollup created: unix seconds.
/// @param certifiedAt The same of the last certified one.
struct Progress {
    uint64 batchCount;
    uint64 batchTime;
    uint64 anchoredAt;
    uint64 certifiedAt;
}

/// @title RollupState
/// @dev What a rollup is wired to and remembers, and how to read it. Immutable where it can be.
abstract contract RollupState is IRollup {
    using Accounts for Accounts.State;
    using OperationQueue for OperationQueue.State;
    using OperatorSeat for OperatorSeat.State;

    /// @dev A pause is at most so long, and at most half of the forced deadline: what was queued
    /// on its first day can still be served in time.
    uint256 private constant PAUSE_MAX = 3 days;
    /// @dev Longer than a pause and a day of everybody's silence together, so that neither by
    /// itself makes an operation overdue; and short enough to be waited for.
    uint256 private constant DEADLINE_MIN = 3 days;
    uint256 private constant DEADLINE_MAX = 30 days;
    /// @dev Time to hear of a freeze and to prove a claim; and an end to waiting for the money.
    uint256 private constant WINDOW_MIN = 7 days;
    uint256 private constant WINDOW_MAX = 90 days;
    uint256 private constant TOKEN_DECIMALS = 6;
    uint256 private constant AMOUNT_MAX = (1 << ProtocolConstants.AMOUNT_BITS) - 1;

    /// @inheritdoc IRollup
    IERC20 public immutable token;
    /// @inheritdoc IRollup
    ICollateralVault public immutable vault;
    /// @inheritdoc IRollup
    IGovernance public immutable governance;
    /// @inheritdoc IRollup
    IValidatorRegistry public immutable validators;
    /// @inheritdoc IRollup
    uint256 public immutable forcedDeadline;
    /// @inheritdoc IRollup
    uint256 public immutable claimWindow;
    /// @inheritdoc IRollup
    uint256 public immutable pauseDuration;
    uint256 internal immutable _slots;
    uint256 internal immutable _tradeFills;
    uint256 internal immutable _ledgerSteps;
    uint256 internal immutable _accountLevels;
    /// @dev Words of a trade batch and of a ledger batch.
    uint256 internal immutable _tradeWords;
    uint256 internal immutable _ledgerWords;

    /// @inheritdoc IRollup
    IVerifier public tradeVerifier;
    /// @inheritdoc IRollup
    IVerifier public ledgerVerifier;
    /// @inheritdoc IRollup
    IExitVerifier public exitVerifier;
    /// @inheritdoc IRollup
    uint256 public oracleSetHash;
    /// @inheritdoc IRollup
    uint256 public minimumDeposit;
    /// @inheritdoc IRollup
    uint256 public stateRoot;
    Progress internal _progress;
    OperatorSeat.State internal _seat;
    Accounts.State internal _accounts;
    OperationQueue.State internal _queue;
    Withdrawals.State internal _withdrawals;
    ExitMode.State internal _exits;

    constructor(RollupConfig memory config) {
        uint256 decimals = IERC20Metadata(address(config.token)).decimals();
        if (decimals != TOKEN_DECIMALS) revert TokenDecimalsUnequal(decimals, TOKEN_DECIMALS);
        _checkDuration(config.forcedDeadline, DEADLINE_MIN, DEADLINE_MAX);
        _checkDuration(config.claimWindow, WINDOW_MIN, WINDOW_MAX);
        _checkRange(config.sizes.slots, 1, ProtocolConstants.SLOTS_MAX);
        _checkRange(config.sizes.tradeFills, 1, type(uint32).max);
        _checkRange(config.sizes.ledgerSteps, 1, type(uint32).max);
        _checkRange(config.sizes.accountLevels, 1, ProtocolConstants.ACCOUNT_BITS / 2);
        _setMinimumDeposit(config.minimumDeposit);
        _setVerifiers(config.tradeVerifier, config.ledgerVerifier, config.exitVerifier);
        _seat.seat(config.operator);
        token = config.token;
        oracleSetHash = config.oracleSetHash;
        forcedDeadline = config.forcedDeadline;
        claimWindow = config.claimWindow;
        pauseDuration = Math.min(PAUSE_MAX, config.forcedDeadline / 2);
        _slots = config.sizes.slots;
        _tradeFills = config.sizes.tradeFills;
        _ledgerSteps = config.sizes.ledgerSteps;
        _accountLevels = config.sizes.accountLevels;
        _tradeWords = PublicData.tradeWords(config.sizes.slots, config.sizes.tradeFills);
        _ledgerWords = PublicData.ledgerWords(config.sizes.slots, config.sizes.ledgerSteps);
        stateRoot = config.genesisRoot;
        uint64 bornAt = SafeCast.toUint64(block.timestamp);
        _progress = Progress(0, 0, bornAt, bornAt);
        uint256 notice = config.forcedDeadline + config.claimWindow;
        _checkGovernance(config.governance, notice);
        governance = config.governance;
        vault = new CollateralVault(config.token);
        validators = new ValidatorRegistry(
            config.validators,
            config.token,
            address(config.governance),
            config.insurance,
            notice + 1
        );
        _openVenueAccounts(config.treasury, config.insurance);
    }

    /// @inheritdoc IRollup
    function sizes() external view returns (Sizes memory) {
        return
            Sizes({
                slots: SafeCast.toUint32(_slots),
                tradeFills: SafeCast.toUint32(_tradeFills),
                ledgerSteps: SafeCast.toUint32(_ledgerSteps),
                accountLevels: SafeCast.toUint32(_accountLevels)
            });
    }

    /// @inheritdoc IRollup
    function operator() external view returns (address) {
        return _seat.operator;
    }

    /// @inheritdoc IRollup
    function pausedUntil() external view returns (uint256) {
        return _seat.pausedUntil;
    }

    /// @inheritdoc IRollup
    function pausableAt() external view returns (uint256) {
        return _seat.pausableAt;
    }

    /// @inheritdoc IRollup
    function batchCount() external view returns (uint256) {
        return _progress.batchCount;
    }

    /// @inheritdoc IRollup
    function lastBatchTime() external view returns (uint256) {
        return _progress.batchTime;
    }

    /// @inheritdoc IRollup
    function lastAnchoredAt() external view returns (uint256) {
        return _progress.anchoredAt;
    }

    /// @inheritdoc IRollup
    function lastCertifiedAt() external view returns (uint256) {
        return _progress.certifiedAt;
    }

    /// @inheritdoc IRollup
    function accountCount() external view returns (uint256) {
        return _accounts.count;
    }

    /// @inheritdoc IRollup
    function accountOf(address owner) external view returns (uint256) {
        return _accounts.idOf[owner];
    }

    /// @inheritdoc IRollup
    function ownerOf(uint256 account) external view returns (address) {
        return _accounts.byId[account].owner;
    }

    /// @inheritdoc IRollup
    function openOperations(uint256 account) external view returns (uint256) {
        return _accounts.byId[account].open;
    }

    /// @inheritdoc IRollup
    function queueStart() external view returns (uint256) {
        return _queue.start;
    }

    /// @inheritdoc IRollup
    function queueEnd() external view returns (uint256) {
        return _queue.end;
    }

    /// @inheritdoc IRollup
    function queuedOperation(uint256 queueId) external view returns (QueuedOperation memory) {
        return _queue.operations[queueId];
    }

    /// @inheritdoc IRollup
    function premium() external view returns (uint256) {
        return _queue.premium();
    }

    /// @inheritdoc IRollup
    function premiumOf(address owner) external view returns (uint256) {
        return _premiumOf(_accounts.idOf[owner]);
    }

    /// @inheritdoc IRollup
    function freezableAt() external view returns (uint256) {
        if (_queue.start == _queue.end) return 0;
        return _queue.oldestQueuedAt() + forcedDeadline;
    }

    /// @inheritdoc IRollup
    function unservedDeposits() external view returns (uint256) {
        return _queue.unservedDeposits;
    }

    /// @inheritdoc IRollup
    function pendingWithdrawals(address owner) external view returns (uint256) {
        return _withdrawals.pending[owner];
    }

    /// @inheritdoc IRollup
    function totalPendingWithdrawals() external view returns (uint256) {
        return _withdrawals.total;
    }

    /// @inheritdoc IRollup
    function frozenAt() external view returns (uint256) {
        return _exits.frozenAt;
    }

    /// @inheritdoc IRollup
    function exitClaim(uint256 account) external view returns (Claim memory) {
        return _exits.claims[account];
    }

    /// @inheritdoc IRollup
    function totalClaims() external view returns (uint256) {
        return _exits.totalClaims;
    }

    /// @inheritdoc IRollup
    function exitPool() external view returns (uint256) {
        return _exits.pool;
    }

    /// @inheritdoc IRollup
    function domain() public view returns (uint256) {
        // Computed anew: a chain that forks gets another domain.
        return uint256(keccak256(abi.encode(block.chainid, address(this)))) >> 8;
    }

    /// @dev Whoever has many operations waiting pays for more of them even while there is room.
    function _premiumOf(uint256 account) internal view returns (uint256) {
        uint256 due = _queue.premium();
        bool hasFree = _accounts.byId[account].open < Accounts.FREE_OPERATIONS;
        return hasFree ? due : Math.max(due, OperationQueue.PREMIUM_STEP);
    }

    function _setVerifiers(IVerifier trade, IVerifier ledger, IExitVerifier exit_) internal {
        KeyGate.check(address(trade));
        KeyGate.check(address(ledger));
        KeyGate.check(address(exit_));
        tradeVerifier = trade;
        ledgerVerifier = ledger;
        exitVerifier = exit_;
    }

    function _setMinimumDeposit(uint256 minimumDeposit_) internal {
        _checkAmount(minimumDeposit_, 1);
        minimumDeposit = minimumDeposit_;
    }

    /// @dev The ledger's rules name both accounts by number, so they exist before anybody's.
    function _openVenueAccounts(address treasury, address insurance) private {
        if (treasury == address(0) || insurance == address(0) || treasury == insurance) {
            revert VenueOwnersInvalid(treasury, insurance);
        }
        uint256 end = _accountEnd();
        uint256 feeAccount = _accounts.open(treasury, end);
        emit AccountOpened(feeAccount, treasury);
        uint256 insuranceAccount = _accounts.open(insurance, end);
        emit AccountOpened(insuranceAccount, insurance);
        assert(feeAccount == ProtocolConstants.FEE_ACCOUNT);
        assert(insuranceAccount == ProtocolConstants.INSURANCE_ACCOUNT);
    }

    /// @dev Without governance nothing ever changes, which needs no notice.
    function _checkGovernance(IGovernance governance_, uint256 notice) private view {
        if (address(governance_) == address(0)) return;
        uint256 delay = governance_.delayFloor();
        if (delay <= notice) revert GovernanceDelayTooShort(delay, notice);
    }

    /// @dev On development chains nobody waits for days.
    function _checkDuration(uint256 value, uint256 minimum, uint256 maximum) private view {
        if (KeyGate.isDevelopmentChain(block.chainid)) (minimum, maximum) = (1, type(uint64).max);
        if (value < minimum || value > maximum) revert DurationOutOfRange(value, minimum, maximum);
    }

    function _accountEnd() internal view returns (uint256) {
        return 1 << (2 * _accountLevels);
    }

    function _checkAmount(uint256 amount, uint256 minimum) internal pure {
        if (amount < minimum || amount > AMOUNT_MAX) {
            revert AmountOutOfRange(amount, minimum, AMOUNT_MAX);
        }
    }

    function _checkRange(uint256 value, uint256 minimum, uint256 maximum) internal pure {
        if (value < minimum || value > maximum) revert SizeOutOfRange(value, minimum, maximum);
    }
}
