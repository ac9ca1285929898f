/**
 * The part of `contracts/interfaces/IRollup.sol` that traders use, written by hand so that the
 * client stands alone; test/unit/client/rollupAbi.test.ts compares it with the contract's ABI.
 */
import { parseAbi } from "viem";

const OPERATION = "bytes32 digest; uint40 queuedAt; uint32 account; uint64 amount;";
const QUEUED = "uint256 indexed queueId, uint256 indexed account, address indexed owner";
const ORDERED = "uint256 kind, uint256 amount, uint256 slot, uint256 lots";
const BATCH = "uint256[] words, uint256 commitment, uint256[8] proof";
const ANCHORED = "uint256 indexed number, uint256 indexed kind";

export const ROLLUP_ABI = parseAbi([
  "struct Key { uint8 index; uint32 expiry; uint256 x; uint256 y; }",
  "struct Claim { address owner; uint88 amount; bool paid; }",
  "struct Sizes { uint32 slots; uint32 tradeFills; uint32 ledgerSteps; uint32 accountLevels; }",
  `struct QueuedOperation { ${OPERATION} uint8 kind; bool refunded; }`,
  "function deposit(uint256 amount, Key key) payable returns (uint256 queueId)",
  "function registerKey(Key key) payable returns (uint256 queueId)",
  "function forceWithdraw(uint256 amount) payable returns (uint256 queueId)",
  "function forceCancelAll() payable returns (uint256 queueId)",
  "function forceClose(uint256 slot, uint256 lots) payable returns (uint256 queueId)",
  `function submitBatch(${BATCH}, bytes certificate)`,
  "function withdraw(address owner)",
  "function withdrawTo(address to)",
  "function freeze()",
  "function exit(uint256 account, address owner, uint256 claim, uint256[8] proof)",
  "function exitLate(uint256 account, address owner, uint256 claim, uint256[8] proof)",
  "function payExit(uint256 account)",
  "function refundDeposit(uint256 queueId)",
  "function token() view returns (address)",
  "function vault() view returns (address)",
  "function minimumDeposit() view returns (uint256)",
  "function stateRoot() view returns (uint256)",
  "function batchCount() view returns (uint256)",
  "function domain() view returns (uint256)",
  "function accountOf(address owner) view returns (uint256)",
  "function ownerOf(uint256 account) view returns (address)",
  "function queueStart() view returns (uint256)",
  "function queueEnd() view returns (uint256)",
  "function openOperations(uint256 account) view returns (uint256)",
  "function premiumOf(address owner) view returns (uint256)",
  "function queuedOperation(uint256 queueId) view returns (QueuedOperation)",
  "function sizes() view returns (Sizes)",
  "function freezableAt() view returns (uint256)",
  "function frozenAt() view returns (uint256)",
  "function lastAnchoredAt() view returns (uint256)",
  "function claimWindow() view returns (uint256)",
  "function pendingWithdrawals(address owner) view returns (uint256)",
  "function exitClaim(uint256 account) view returns (Claim)",
  `event BatchAnchored(${ANCHORED}, uint256 stateRoot, uint256 commitment, bytes32 wordsHash)`,
  "event AccountOpened(uint256 indexed account, address indexed owner)",
  `event OperationQueued(${QUEUED}, ${ORDERED}, Key key)`,
  "event WithdrawalPaid(address indexed owner, address indexed to, uint256 amount)",
  "event ExitPaid(uint256 indexed account, address indexed owner, uint256 amount)",
  "event DepositRefunded(uint256 indexed queueId, address indexed owner, uint256 amount)",
  "error AmountOutOfRange(uint256 amount, uint256 minimum, uint256 maximum)",
  "error VaultCapExceeded(uint256 held, uint256 cap)",
  "error AccountOutOfRange(uint256 account, uint256 end)",
  "error AccountMissing(address owner)",
  "error OpenOperationsExceeded(uint256 account, uint256 limit)",
  "error SlotOutOfRange(uint256 slot, uint256 end)",
  "error LotsOutOfRange(uint256 lots, uint256 maximum)",
  "error CloseByInsurance()",
  "error PremiumTooLow(uint256 paid, uint256 due)",
  "error KeyIndexTooLarge(uint256 index, uint256 count)",
  "error KeyNotOnCurve(uint256 x, uint256 y)",
  "error KeyAbsentButDescribed(uint256 index, uint256 expiry)",
  "error AlreadyFrozen(uint256 frozenAt)",
  "error NotFrozen()",
  "error NothingOverdue(uint256 deadline, uint256 timestamp)",
  "error ClaimWindowOver(uint256 end, uint256 timestamp)",
  "error ClaimWindowOpen(uint256 end, uint256 timestamp)",
  "error AlreadyClaimed(uint256 account)",
  "error ClaimMissing(uint256 account)",
  "error ClaimAlreadyPaid(uint256 account)",
  "error ExitProofInvalid(uint256 account, address owner, uint256 claim)",
  "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
  "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
]);

export const TOKEN_ABI = parseAbi([
  "function approve(address spender, uint256 amount) returns (bool)",
  "function allowance(address owner, address spender) view returns (uint256)",
  "function balanceOf(address owner) view returns (uint256)",
  "function mint(address to, uint256 amount)",
]);
