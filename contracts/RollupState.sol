// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {
    IERC20Metadata
} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {CollateralVault} from "./CollateralVault.sol";
import {ProtocolConstants} from "./generated/ProtocolConstants.sol";
import {ICollateralVault} from "./interfaces/ICollateralVault.sol";
import {IRollup, RollupConfig, Sizes} from "./interfaces/IRollup.sol";
import {IExitVerifier, IVerifier} from "./interfaces/IVerifier.sol";
import {Accounts} from "./libraries/Accounts.sol";
import {Claim, ExitMode} from "./libraries/ExitMode.sol";
import {KeyGate} from "./libraries/KeyGate.sol";
import {OperationQueue, QueuedOperation} from "./libraries/OperationQueue.sol";
import {Withdrawals} from "./libraries/Withdrawals.sol";

/// @title RollupState
/// @dev What a rollup is wired to and remembers, and how to read it. Immutable where it can be.
abstract contract RollupState is IRollup {
    using Accounts for Accounts.State;
    using OperationQueue for OperationQueue.State;

    uint256 private constant TOKEN_DECIMALS = 6;
    uint256 private constant AMOUNT_MAX = (1 << ProtocolConstants.AMOUNT_BITS) - 1;

    /// @inheritdoc IRollup
    IERC20 public immutable token;
    /// @inheritdoc IRollup
    ICollateralVault public immutable vault;
    /// @inheritdoc IRollup
    IVerifier public immutable tradeVerifier;
    /// @inheritdoc IRollup
    IVerifier public immutable ledgerVerifier;
    /// @inheritdoc IRollup
    IExitVerifier public immutable exitVerifier;
    /// @inheritdoc IRollup
    uint256 public immutable oracleSetHash;
    /// @inheritdoc IRollup
    address public immutable operator;
    /// @inheritdoc IRollup
    uint256 public immutable forcedDeadline;
    /// @inheritdoc IRollup
    uint256 public immutable claimWindow;
    /// @inheritdoc IRollup
    uint256 public immutable minimumDeposit;
    uint256 internal immutable _slots;
    uint256 internal immutable _tradeSteps;
    uint256 internal immutable _ledgerSteps;
    uint256 internal immutable _accountLevels;

    /// @inheritdoc IRollup
    uint256 public stateRoot;
    uint64 internal _batchCount;
    uint64 internal _lastBatchTime;
    uint64 internal _lastAnchoredAt;
    Accounts.State internal _accounts;
    OperationQueue.State internal _queue;
    Withdrawals.State internal _withdrawals;
    ExitMode.State internal _exits;

    constructor(RollupConfig memory config) {
        uint256 decimals = IERC20Metadata(address(config.token)).decimals();
        if (decimals != TOKEN_DECIMALS) revert TokenDecimalsUnequal(decimals, TOKEN_DECIMALS);
        if (config.operator == address(0)) revert OperatorZero();
        if (config.forcedDeadline == 0 || config.claimWindow == 0) revert DurationZero();
        _checkRange(config.sizes.slots, 1, ProtocolConstants.SLOTS_MAX);
        _checkRange(config.sizes.tradeSteps, 1, type(uint32).max);
        _checkRange(config.sizes.ledgerSteps, 1, type(uint32).max);
        _checkRange(config.sizes.accountLevels, 1, ProtocolConstants.ACCOUNT_BITS / 2);
        _checkAmount(config.minimumDeposit, 1);
        KeyGate.check(address(config.tradeVerifier));
        KeyGate.check(address(config.ledgerVerifier));
        KeyGate.check(address(config.exitVerifier));
        token = config.token;
        tradeVerifier = config.tradeVerifier;
        ledgerVerifier = config.ledgerVerifier;
        exitVerifier = config.exitVerifier;
        oracleSetHash = config.oracleSetHash;
        operator = config.operator;
        forcedDeadline = config.forcedDeadline;
        claimWindow = config.claimWindow;
        minimumDeposit = config.minimumDeposit;
        _slots = config.sizes.slots;
        _tradeSteps = config.sizes.tradeSteps;
        _ledgerSteps = config.sizes.ledgerSteps;
        _accountLevels = config.sizes.accountLevels;
        stateRoot = config.genesisRoot;
        _lastAnchoredAt = SafeCast.toUint64(block.timestamp);
        vault = new CollateralVault(config.token);
        _openVenueAccounts(config.treasury, config.insurance);
    }

    /// @inheritdoc IRollup
    function sizes() external view returns (Sizes memory) {
        return
            Sizes({
                slots: SafeCast.toUint32(_slots),
                tradeSteps: SafeCast.toUint32(_tradeSteps),
                ledgerSteps: SafeCast.toUint32(_ledgerSteps),
                accountLevels: SafeCast.toUint32(_accountLevels)
            });
    }

    /// @inheritdoc IRollup
    function batchCount() external view returns (uint256) {
        return _batchCount;
    }

    /// @inheritdoc IRollup
    function lastBatchTime() external view returns (uint256) {
        return _lastBatchTime;
    }

    /// @inheritdoc IRollup
    function lastAnchoredAt() external view returns (uint256) {
        return _lastAnchoredAt;
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
