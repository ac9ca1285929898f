// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Claim} from "../libraries/ExitMode.sol";
import {QueuedOperation} from "../libraries/OperationQueue.sol";
import {Key} from "../libraries/TradingKeys.sol";
import {ICollateralVault} from "./ICollateralVault.sol";
import {IGovernance} from "./IGovernance.sol";
import {IValidatorRegistry, ValidatorConfig} from "./IValidatorRegistry.sol";
import {IExitVerifier, IVerifier} from "./IVerifier.sol";

/// @notice Sizes of the circuits that the verifiers belong to.
/// @param slots Series places of the market.
/// @param tradeFills Fills that a trade batch has room for: one word each.
/// @param ledgerSteps Operations of a ledger batch.
/// @param accountLevels Levels of the quaternary account tree.
struct Sizes {
    uint32 slots;
    uint32 tradeFills;
    uint32 ledgerSteps;
    uint32 accountLevels;
}

/// @notice Everything that a rollup is born with. Governance, if there is one, can change the
/// verifiers, the oracles, the operator and the minimum deposit; nobody can change the rest.
/// @param token Collateral, an ERC-20 with 6 decimals that credits exactly what it moves.
/// @param tradeVerifier Verifier of trade batches.
/// @param ledgerVerifier Verifier of ledger batches.
/// @param exitVerifier Verifier of exits.
/// @param genesisRoot State root before the first batch.
/// @param oracleSetHash The oracles whose snapshots batches may use.
/// @param operator Who submits batches.
/// @param treasury Owner of account 1, which fees are collected into.
/// @param insurance Owner of account 2, the insurance fund.
/// @param sizes Sizes of the circuits.
/// @param forcedDeadline Seconds within which a queued operation must be served.
/// @param claimWindow Seconds for claims after a freeze.
/// @param minimumDeposit Smallest deposit, 1e-6 USDC: what it costs to occupy an account.
/// @param governance The timelock whose proposals change settings; 0 for none, ever.
/// @param validators Who certifies batches, and what they bond.
struct RollupConfig {
    IERC20 token;
    IVerifier tradeVerifier;
    IVerifier ledgerVerifier;
    IExitVerifier exitVerifier;
    uint256 genesisRoot;
    uint256 oracleSetHash;
    address operator;
    address treasury;
    address insurance;
    Sizes sizes;
    uint256 forcedDeadline;
    uint256 claimWindow;
    uint256 minimumDeposit;
    IGovernance governance;
    ValidatorConfig validators;
}

/// @notice A batch as it is submitted.
/// @param words As SPEC 8.
/// @param commitment To the batch's witness; the first public signal.
/// @param proof a, b, c in the verifier's order.
/// @param certificate As the registry says. After a day without a certificate it may be empty.
struct BatchSubmission {
    uint256[] words;
    uint256 commitment;
    uint256[8] proof;
    bytes certificate;
}

/// @title Straddle's layer one: anchors proven batches, orders forced operations, lets owners leave
/// @notice No proxy stands before it and no code of it can be replaced. Verifiers, oracles and
/// operator change after a notice longer than a forced operation and an exit take; a pause stops
/// deposits and batches for a while. No role stands between an owner and an exit: the operator's
/// one power is to submit proven batches, and it lapses with silence.
interface IRollup {
    /// @notice A proof moved the state root. The words are the call's data.
    event BatchAnchored(
        uint256 indexed number,
        uint256 indexed kind,
        uint256 stateRoot,
        uint256 commitment,
        bytes32 wordsHash
    );
    /// @notice An address got its account.
    event AccountOpened(uint256 indexed account, address indexed owner);
    /// @notice Layer one ordered an operation of the ledger; `kind` as in public words. What the
    /// kind does not use is 0.
    event OperationQueued(
        uint256 indexed queueId,
        uint256 indexed account,
        address indexed owner,
        uint256 kind,
        uint256 amount,
        uint256 slot,
        uint256 lots,
        Key key
    );
    /// @notice A batch served the operations `firstId .. endId - 1`.
    event OperationsServed(uint256 indexed batchNumber, uint256 firstId, uint256 endId);
    /// @notice A batch released money to its owner.
    event WithdrawalCredited(
        uint256 indexed batchNumber,
        uint256 indexed account,
        address indexed owner,
        uint256 amount
    );
    /// @notice Released money left the vault.
    event WithdrawalPaid(address indexed owner, address indexed to, uint256 amount);
    /// @notice The rollup ended. Claims are accepted before `claimsEnd`.
    event RollupFrozen(uint256 indexed oldestQueueId, uint256 frozenAt, uint256 claimsEnd);
    /// @notice An account proved what it is worth.
    event ExitClaimed(uint256 indexed account, address indexed owner, uint256 amount);
    /// @notice An account got its share. It is pending if the token refused to move it.
    event ExitPaid(uint256 indexed account, address indexed owner, uint256 amount);
    /// @notice A deposit that no batch served went back. Pending if the token refused to move it.
    event DepositRefunded(uint256 indexed queueId, address indexed owner, uint256 amount);

    event VerifiersChanged(IVerifier trade, IVerifier ledger, IExitVerifier exit);
    event OracleSetChanged(uint256 oracleSetHash);
    event OperatorChanged(address indexed operator);
    event MinimumDepositChanged(uint256 minimumDeposit);
    /// @notice Deposits and batches wait until `end`; nothing else does.
    event Paused(address indexed by, uint256 end);
    event Unpaused(address indexed by);

    error TokenDecimalsUnequal(uint256 actual, uint256 expected);
    error SizeOutOfRange(uint256 value, uint256 minimum, uint256 maximum);
    error DurationOutOfRange(uint256 value, uint256 minimum, uint256 maximum);
    error VenueOwnersInvalid(address treasury, address insurance);
    error GovernanceDelayTooShort(uint256 delay, uint256 notice);
    error CallerNotGovernance(address caller, address governance);
    error CallerMayNotPause(address caller);
    error ChangeWhileOverdue(uint256 deadline, uint256 timestamp);
    error CertificateMissing(uint256 number, uint256 proofOnlyAt);
    error SubmitterNotPlain(address submitter);
    error SubmitterNotOperator(address submitter, address operator, uint256 openToAllAt);
    error BatchNumberUnequal(uint256 actual, uint256 expected);
    error BatchRootUnequal(uint256 actual, uint256 expected);
    error BatchDomainUnequal(uint256 actual, uint256 expected);
    error BatchOracleSetUnequal(uint256 actual, uint256 expected);
    error BatchTimeNotAfter(uint256 actual, uint256 previous);
    error BatchTimeInFuture(uint256 actual, uint256 latest);
    error BatchTimeTooOld(uint256 actual, uint256 earliest);
    error BatchSnapshotInFuture(uint256 actual, uint256 batchTime);
    error BatchProofInvalid(uint256 commitment, uint256 gamma, uint256 evaluation);
    error BatchesOutOfRange(uint256 count, uint256 maximum);
    /// @notice One proof at least, of the batches `first .. last`, does not hold.
    error BatchProofsInvalid(uint256 first, uint256 last);
    error ExitProofInvalid(uint256 account, address owner, uint256 claim);
    error WithdrawalsExceedCustody(uint256 owed, uint256 held);
    error AmountOutOfRange(uint256 amount, uint256 minimum, uint256 maximum);
    error VaultCapExceeded(uint256 held, uint256 cap);
    error AccountOutOfRange(uint256 account, uint256 end);
    error WithdrawalTargetInvalid(address to);
    error SlotOutOfRange(uint256 slot, uint256 end);
    error LotsOutOfRange(uint256 lots, uint256 maximum);
    /// @notice The insurance fund is what positions are closed against.
    error CloseByInsurance();
    /// @notice The queue's ordinary lane, or the account's part of it, is full: see `premiumOf`.
    error PremiumTooLow(uint256 paid, uint256 due);

    /// @notice Pulls `amount` from the caller, who has approved the vault, and orders its deposit.
    /// The first deposit opens the caller's account; accounts 1 and 2 are open from the beginning,
    /// for the treasury and the insurance fund, and take deposits of their owners only.
    /// Key (0, 0) brings no key. As with everything that joins the queue, the ether that is sent
    /// above `premiumOf` the caller comes back.
    function deposit(uint256 amount, Key calldata key) external payable returns (uint256 queueId);

    /// @notice Orders that a trading key be set or, with (0, 0), revoked.
    function registerKey(Key calldata key) external payable returns (uint256 queueId);

    /// @notice Orders a withdrawal that the operator cannot ignore. It does nothing if the
    /// account would not be covered afterwards.
    function forceWithdraw(uint256 amount) external payable returns (uint256 queueId);

    /// @notice Orders that every order of the caller that rests by then be void. The operator
    /// cannot ignore it, and nothing refuses it.
    function forceCancelAll() external payable returns (uint256 queueId);

    /// @notice Orders the close of at most `lots` of the caller's position in `slot`, at the mark
    /// and against the insurance fund, for the slot's short-option minimum. It does nothing if
    /// there is nothing to close, or if the fund or the account could not bear it.
    function forceClose(uint256 slot, uint256 lots) external payable returns (uint256 queueId);

    /// @notice Anchors a batch: `words` as SPEC 8, `proof` as a, b, c in the verifier's order,
    /// `certificate` as the registry says. After a day without a certificate it may be empty.
    /// Whoever is not the operator may once the queue has waited, and the operator been silent, for
    /// a day. A pause counts as nobody's silence.
    function submitBatch(
        uint256[] calldata words,
        uint256 commitment,
        uint256[8] calldata proof,
        bytes calldata certificate
    ) external;

    /// @notice Anchors batches that follow one another, with the effects and events of as many
    /// calls of `submitBatch`, or none of them. Their proofs are verified together, by one random
    /// combination, which is why each costs less. Whoever is not the operator submits one at most,
    /// since a batch ends the silence that lets others in.
    function submitBatches(BatchSubmission[] calldata batches) external;

    /// @notice Sends `owner` what is pending. Anybody may call: the money goes to the owner.
    function withdraw(address owner) external;

    /// @notice Sends what is pending for the caller to `to`.
    function withdrawTo(address to) external;

    /// @notice Ends the rollup for good when its oldest queued operation is overdue.
    function freeze() external;

    /// @notice Claims what a proof says that an account is worth in the last anchored state. Where
    /// it says that the account has no owner, which is so before the first deposit, the account's
    /// owner on layer one is paid.
    function exit(
        uint256 account,
        address owner,
        uint256 claim,
        uint256[8] calldata proof
    ) external;

    /// @notice Pays a claim, or its share if the vault cannot pay all, after the claim window.
    function payExit(uint256 account) external;

    /// @notice Claims after the window. Paid at once, first come first served, from what the
    /// timely claims left: being late loses priority, not the money.
    function exitLate(
        uint256 account,
        address owner,
        uint256 claim,
        uint256[8] calldata proof
    ) external;

    /// @notice Pays back a deposit that no batch served, after a freeze.
    function refundDeposit(uint256 queueId) external;

    /// @notice Replaces the verifiers, checked like the first ones. Governance only.
    function setVerifiers(IVerifier trade, IVerifier ledger, IExitVerifier exit_) external;

    /// @notice Replaces the oracles. Governance only.
    function setOracleSet(uint256 oracleSetHash_) external;

    /// @notice Replaces the operator. Governance only.
    function setOperator(address operator_) external;

    /// @notice Changes the smallest deposit. Governance only.
    function setMinimumDeposit(uint256 minimumDeposit_) external;

    /// @notice Stops deposits and batches for `pauseDuration`; the guardian may. Not again before
    /// another forced deadline has passed since its end.
    function pause() external;

    /// @notice Ends a pause early; the guardian may.
    function unpause() external;

    function token() external view returns (IERC20);

    function vault() external view returns (ICollateralVault);

    function tradeVerifier() external view returns (IVerifier);

    function ledgerVerifier() external view returns (IVerifier);

    function exitVerifier() external view returns (IExitVerifier);

    function oracleSetHash() external view returns (uint256);

    /// @notice Who submits batches; 0 once the rollup is frozen, for then nobody does.
    function operator() external view returns (address);

    function forcedDeadline() external view returns (uint256);

    function claimWindow() external view returns (uint256);

    /// @notice The timelock, or 0 if nothing can ever change.
    function governance() external view returns (IGovernance);

    /// @notice The registry of the validators that certify batches.
    function validators() external view returns (IValidatorRegistry);

    /// @notice How long a pause lasts, seconds.
    function pauseDuration() external view returns (uint256);

    /// @notice Unix seconds until which deposits and batches wait; in the past when they do not.
    function pausedUntil() external view returns (uint256);

    /// @notice Unix seconds from which a pause may begin.
    function pausableAt() external view returns (uint256);

    function minimumDeposit() external view returns (uint256);

    function sizes() external view returns (Sizes memory);

    /// @notice Root of the last anchored state.
    function stateRoot() external view returns (uint256);

    /// @notice Batches anchored, which is also the last one's number.
    function batchCount() external view returns (uint256);

    /// @notice Time that the last batch states, unix ms.
    function lastBatchTime() external view returns (uint256);

    /// @notice When the last batch was anchored, or the rollup created: unix seconds.
    function lastAnchoredAt() external view returns (uint256);

    /// @notice When the last certified batch was anchored, or the rollup created: unix seconds.
    function lastCertifiedAt() external view returns (uint256);

    /// @notice What everything signed on layer two is bound to.
    function domain() external view returns (uint256);

    /// @notice Accounts opened, those of the venue among them; ids run from 1 to this number.
    function accountCount() external view returns (uint256);

    /// @notice The account of `owner`, or 0.
    function accountOf(address owner) external view returns (uint256);

    /// @notice The owner of `account`, or 0.
    function ownerOf(uint256 account) external view returns (address);

    /// @notice Operations of `account` that wait in the queue.
    function openOperations(uint256 account) external view returns (uint256);

    /// @notice Id of the oldest unserved operation.
    function queueStart() external view returns (uint256);

    /// @notice Id that the next operation will get.
    function queueEnd() external view returns (uint256);

    /// @notice What it costs to join the queue now, wei: 0 while its ordinary lane has room.
    function premium() external view returns (uint256);

    /// @notice What it costs `owner` to join the queue now, wei: at least one step while eight of
    /// its operations wait.
    function premiumOf(address owner) external view returns (uint256);

    function queuedOperation(uint256 queueId) external view returns (QueuedOperation memory);

    /// @notice From when anybody may freeze, unix seconds; 0 while the queue is empty.
    function freezableAt() external view returns (uint256);

    /// @notice Sum of deposits that no batch has served and nobody was refunded.
    function unservedDeposits() external view returns (uint256);

    function pendingWithdrawals(address owner) external view returns (uint256);

    function totalPendingWithdrawals() external view returns (uint256);

    /// @notice When the rollup was frozen, unix seconds; 0 while it lives.
    function frozenAt() external view returns (uint256);

    function exitClaim(uint256 account) external view returns (Claim memory);

    function totalClaims() external view returns (uint256);

    /// @notice What claims share; known from the first payment on, before it 0.
    function exitPool() external view returns (uint256);
}
