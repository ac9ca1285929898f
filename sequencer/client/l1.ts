/** What an owner does on layer one: deposits, keys, claims, and the ways out without the node. */
import {
  type Account,
  type Chain,
  createPublicClient,
  createWalletClient,
  type PublicClient,
  parseEventLogs,
  type Transport,
  type WalletClient,
} from "viem";
import type { PublicKey } from "../protocol/eddsa.ts";
import { ROLLUP_ABI, TOKEN_ABI } from "./rollupAbi.ts";
import { type WaitingOperation, waitingOf } from "./waitingOperations.ts";

type Hex = `0x${string}`;

/** A trading key as layer one takes it. `expiry` in unix seconds. */
export interface KeyRegistration {
  readonly index: number;
  readonly key: PublicKey;
  readonly expiry: number;
}

export interface OwnerOptions {
  /** `http(url)` or `custom(window.ethereum)` of viem. */
  readonly transport: Transport;
  readonly chain: Chain;
  /** A local account, or the address of one that the transport's wallet holds. */
  readonly account: Account | Hex;
  readonly rollup: Hex;
}

export interface Mined {
  readonly transaction: Hex;
  readonly block: bigint;
}

/** Where an ordered operation waits, and the account it is for. */
export interface Queued {
  readonly account: number;
  readonly queueId: number;
}

/** 1e-6 USDC that a transaction moved; pending where the token refused the owner. */
export interface Paid {
  readonly amount: number;
}

export interface Owner {
  readonly address: Hex;
  readonly rollup: Hex;
  readonly client: PublicClient;
  /** Approves what is missing, then deposits. The first deposit opens the account. */
  deposit(options: { amount: number; key?: KeyRegistration }): Promise<Mined & Queued>;
  registerKey(key: KeyRegistration): Promise<Mined & Queued>;
  revokeKey(index: number): Promise<Mined & Queued>;
  /** A withdrawal that the sequencer must serve in time, or anybody may freeze the rollup. */
  forceWithdraw(amount: number): Promise<Mined & Queued>;
  /** Voids every order of the account, as soon as the sequencer must serve it. */
  forceCancelAll(): Promise<Mined & Queued>;
  /** Closes at most `lots` at the mark, against the insurance fund; what expired is paid out. */
  forceClose(slot: number, lots: number): Promise<Mined & Queued>;
  /** Wei that joining the queue costs the owner now; 0 while its ordinary lane has room. */
  premium(): Promise<bigint>;
  /** Takes out what anchored withdrawals left pending. */
  claim(): Promise<Mined & { readonly amount: number }>;
  /** 1e-6 USDC that {@link Owner.claim} would pay. */
  pending(): Promise<number>;
  /** The owner's account, 0 before the first deposit. */
  accountId(): Promise<number>;
  tokenBalance(): Promise<number>;
  /** Mints test tokens, where the token allows it. */
  mint(amount: number): Promise<Mined>;
  freeze(): Promise<Mined>;
  /** Claims by proof after a freeze, in the window or (`isLate`, paid at once) after it. */
  exit(options: ExitClaim & { isLate: boolean }): Promise<Mined & Partial<Paid>>;
  payExit(account: number): Promise<Mined & Paid>;
  /** An earlier claim; undefined where there is none. */
  exitClaim(account: number): Promise<{ amount: number; isPaid: boolean } | undefined>;
  /** Queue ids of the account's deposits that a frozen rollup still owes. */
  refundable(account: number): Promise<readonly number[]>;
  refundDeposit(queueId: number): Promise<Mined & Paid>;
  /** The account's operations that no batch has served, the oldest first. */
  waiting(account: number): Promise<readonly WaitingOperation[]>;
  /** Who owns an account; undefined where nobody does. */
  ownerOf(account: number): Promise<Hex | undefined>;
  /** What layer one knows of layer two, at one block. */
  anchored(blockNumber: bigint): Promise<AnchoredState>;
  /** 0: the rollup lives. Unix seconds, as are the others. */
  frozenAt(): Promise<number>;
  freezableAt(): Promise<number>;
  claimWindow(): Promise<number>;
  /** When the last batch was anchored, or the rollup created. */
  lastAnchoredAt(): Promise<number>;
}

export interface AnchoredState {
  /** Batches. */
  readonly count: number;
  readonly root: bigint;
  readonly sizes: { readonly slots: number; readonly accountLevels: number };
}

export interface ExitClaim {
  readonly account: number;
  /** Who owns the account and is paid (default: the caller). */
  readonly owner?: Hex;
  /** 1e-6 USDC. */
  readonly claim: number;
  readonly proof: readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
}

/** What is sent for a place in the queue, in percent of the price at that moment. */
const PREMIUM_PERCENT = 150n;

const NO_KEY = { index: 0, expiry: 0, x: 0n, y: 0n };

/** The transaction was mined and did nothing. */
export class TransactionError extends Error {
  override name = "TransactionError";
}

export function createOwner(options: OwnerOptions): Owner {
  const { transport, chain, account, rollup } = options;
  const client: PublicClient = createPublicClient({ transport, chain });
  const wallet = createWalletClient({ transport, chain, account });
  const address = typeof account === "string" ? account : account.address;
  const reads = createReads(client, rollup, address);
  const sender = { client, wallet, address };
  const write = (functionName: string, args: readonly unknown[]) =>
    mined({ ...sender, call: { address: rollup, abi: ROLLUP_ABI, functionName, args } });
  const enqueue = async (functionName: string, args: readonly unknown[]) => {
    // The contract returns what is too much, and others may join in between.
    const value = ((await reads.premium()) * PREMIUM_PERCENT) / 100n;
    const call = { address: rollup, abi: ROLLUP_ABI, functionName, args };
    const done = await mined({ ...sender, call, value });
    return { ...done, ...(await reads.queued(done.transaction)) };
  };
  return {
    address,
    rollup,
    client,
    ...reads,
    ...createExitReads(client, rollup),
    async deposit({ amount, key }) {
      const held = await reads.tokenBalance();
      if (held < amount) {
        const text = `the wallet holds \`${held}\` of the \`${amount}\` (1e-6 USDC) to deposit.`;
        throw new TransactionError(text);
      }
      await approve({ ...sender, rollup, token: await reads.token(), amount });
      return enqueue("deposit", [BigInt(amount), keyWords(key)]);
    },
    registerKey: (key) => enqueue("registerKey", [keyWords(key)]),
    revokeKey: (index) => enqueue("registerKey", [{ ...NO_KEY, index }]),
    forceWithdraw: (amount) => enqueue("forceWithdraw", [BigInt(amount)]),
    forceCancelAll: () => enqueue("forceCancelAll", []),
    forceClose: (slot, lots) => enqueue("forceClose", [BigInt(slot), BigInt(lots)]),
    async claim() {
      const amount = await reads.pending();
      if (amount === 0) throw new TransactionError("nothing is pending on layer one.");
      return { ...(await write("withdraw", [address])), amount };
    },
    async mint(amount) {
      const args = [address, BigInt(amount)];
      const call = { address: await reads.token(), abi: TOKEN_ABI, functionName: "mint", args };
      return mined({ ...sender, call });
    },
    freeze: () => write("freeze", []),
    async exit({ account: id, owner = address, claim, proof, isLate }) {
      const args = [BigInt(id), owner, BigInt(claim), proof];
      if (!isLate) return write("exit", args);
      return reads.withAmount(await write("exitLate", args), "ExitPaid");
    },
    payExit: async (id) => reads.withAmount(await write("payExit", [BigInt(id)]), "ExitPaid"),
    refundDeposit: async (queueId) => {
      return reads.withAmount(await write("refundDeposit", [BigInt(queueId)]), "DepositRefunded");
    },
  };
}

function createReads(client: PublicClient, rollup: Hex, address: Hex) {
  const contract = { address: rollup, abi: ROLLUP_ABI } as const;
  const token = () => client.readContract({ ...contract, functionName: "token" });
  const ofOwner = async (functionName: "pendingWithdrawals" | "accountOf") =>
    Number(await client.readContract({ ...contract, functionName, args: [address] }));
  const ownLogs = async (hash: Hex) => {
    const { logs } = await client.getTransactionReceipt({ hash });
    // The token's own events come along with a payment.
    return logs.filter((log) => log.address.toLowerCase() === rollup.toLowerCase());
  };
  return {
    token,
    pending: () => ofOwner("pendingWithdrawals"),
    premium: () => client.readContract({ ...contract, functionName: "premiumOf", args: [address] }),
    accountId: () => ofOwner("accountOf"),
    async tokenBalance() {
      const call = { abi: TOKEN_ABI, functionName: "balanceOf", args: [address] } as const;
      return Number(await client.readContract({ address: await token(), ...call }));
    },
    /** What the transaction put into the queue. */
    async queued(hash: Hex): Promise<Queued> {
      const logs = await ownLogs(hash);
      const [event] = parseEventLogs({ abi: ROLLUP_ABI, eventName: "OperationQueued", logs });
      if (event === undefined) throw new TransactionError("the rollup queued nothing.");
      return { account: Number(event.args.account), queueId: Number(event.args.queueId) };
    },
    /** With what the contract says that it moved. */
    async withAmount(done: Mined, eventName: "ExitPaid" | "DepositRefunded") {
      const logs = await ownLogs(done.transaction);
      const [event] = parseEventLogs({ abi: ROLLUP_ABI, eventName, logs });
      if (event === undefined) throw new TransactionError(`there is no \`${eventName}\`.`);
      return { ...done, amount: Number(event.args.amount) };
    },
  };
}

type Moment = "frozenAt" | "freezableAt" | "claimWindow" | "lastAnchoredAt";

/** What needs no wallet. */
export function createExitReads(client: PublicClient, rollup: Hex) {
  const contract = { address: rollup, abi: ROLLUP_ABI } as const;
  const waiting = (account: number) => waitingOf(client, rollup, account);
  const seconds = async (functionName: Moment) =>
    Number(await client.readContract({ ...contract, functionName }));
  return {
    frozenAt: () => seconds("frozenAt"),
    freezableAt: () => seconds("freezableAt"),
    claimWindow: () => seconds("claimWindow"),
    lastAnchoredAt: () => seconds("lastAnchoredAt"),
    async exitClaim(account: number) {
      const args = [BigInt(account)] as const;
      const claim = await client.readContract({ ...contract, functionName: "exitClaim", args });
      if (BigInt(claim.owner) === 0n) return undefined;
      return { amount: Number(claim.amount), isPaid: claim.paid };
    },
    waiting,
    async refundable(account: number) {
      const deposits = (await waiting(account)).filter(({ kind }) => kind === "deposit");
      return deposits.flatMap(({ queueId, isRefunded }) => (isRefunded ? [] : [queueId]));
    },
    async ownerOf(account: number) {
      const args = [BigInt(account)] as const;
      const owner = await client.readContract({ ...contract, functionName: "ownerOf", args });
      return BigInt(owner) === 0n ? undefined : owner;
    },
    async anchored(blockNumber: bigint): Promise<AnchoredState> {
      const at = { ...contract, blockNumber };
      const [count, root, sizes] = await Promise.all([
        client.readContract({ ...at, functionName: "batchCount" }),
        client.readContract({ ...at, functionName: "stateRoot" }),
        client.readContract({ ...at, functionName: "sizes" }),
      ]);
      return { count: Number(count), root, sizes };
    },
  };
}

function keyWords(registration: KeyRegistration | undefined) {
  if (registration === undefined) return NO_KEY;
  const { index, expiry, key } = registration;
  return { index, expiry, x: key.x, y: key.y };
}

interface WriteOptions {
  readonly client: PublicClient;
  readonly wallet: WalletClient;
  readonly address: Hex;
  readonly call: {
    readonly address: Hex;
    readonly abi: typeof ROLLUP_ABI | typeof TOKEN_ABI;
    readonly functionName: string;
    readonly args: readonly unknown[];
  };
  /** Wei. */
  readonly value?: bigint;
}

/** Simulates first, so that a revert is explained by the contract's error before it costs gas. */
async function mined({ client, wallet, address, call, value = 0n }: WriteOptions): Promise<Mined> {
  const account = wallet.account ?? address;
  // The checks of names and arguments are where the calls are listed; here they are data.
  const { request } = await client.simulateContract({ ...call, account, value } as never);
  const transaction = await wallet.writeContract(request as never);
  const receipt = await client.waitForTransactionReceipt({ hash: transaction });
  if (receipt.status !== "success") {
    throw new TransactionError(`\`${call.functionName}\` was reverted in \`${transaction}\`.`);
  }
  return { transaction, block: receipt.blockNumber };
}

async function approve(options: {
  client: PublicClient;
  wallet: WalletClient;
  address: Hex;
  rollup: Hex;
  token: Hex;
  amount: number;
}): Promise<void> {
  const { client, wallet, address, rollup, token, amount } = options;
  const vault = await client.readContract({
    address: rollup,
    abi: ROLLUP_ABI,
    functionName: "vault",
  });
  const erc20 = { address: token, abi: TOKEN_ABI } as const;
  const allowed = await client.readContract({
    ...erc20,
    functionName: "allowance",
    args: [address, vault],
  });
  if (allowed >= BigInt(amount)) return;
  // Exactly the amount: a vault with an endless allowance is a needless risk.
  const call = { ...erc20, functionName: "approve", args: [vault, BigInt(amount)] };
  await mined({ client, wallet, address, call });
}
