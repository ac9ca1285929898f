/** A market in memory for tests: executor, oracles, traders with keys, and helpers to drive it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createExecutor, type Executor } from "../../sequencer/batch/executor.ts";
import type { Keeping } from "../../sequencer/batch/keeper.ts";
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import type { BatchSizes } from "../../sequencer/batch/sizes.ts";
import type {
  LedgerOperation,
  Liquidation,
  OperationRecord,
  StepRecord,
} from "../../sequencer/engine/records.ts";
import { SCENARIOS } from "../../sequencer/protocol/constants.ts";
import { publicKeyOf, secretFromSeed, sign } from "../../sequencer/protocol/eddsa.ts";
import { FIRST_COME } from "../../sequencer/protocol/fairOrder.ts";
import {
  type LedgerMessage,
  messageWord,
  nextHead,
  type PlaceMessage,
  type TradeMessage,
} from "../../sequencer/protocol/messages.ts";
import { type SlotPrice, type Snapshot, snapshotHash } from "../../sequencer/protocol/snapshot.ts";
import type { BookFees } from "../../sequencer/protocol/state.ts";
import type { ExportedState } from "../../sequencer/state/exportedState.ts";
import { createMemoryState, type MemoryState } from "../../sequencer/state/memoryState.ts";
import { createStateTrees, type StateTrees } from "../../sequencer/state/stateTrees.ts";
import { createFollower, type MarketFollower } from "./marketFollower.ts";

const instances = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../circuits/instances.json", import.meta.url)), "utf8"),
);

/** Sizes of an instance for the executor. */
export function sizesOf(instance: string): BatchSizes {
  return { trade: instances.trade[instance], ledger: instances.ledger[instance] };
}

export const TEST_DOMAIN = 123456789n;
const START = 1_800_000_000_000;
/** A deadline beyond every test's clock. */
export const FAR = START + 10_000_000_000;
/** Expiry of test series, unix seconds. */
export const EXPIRY = START / 1000 + 86_400;

const encoder = new TextEncoder();
/** The secret of a test's key by its name. */
export function secretOf(name: string): bigint {
  return secretFromSeed(encoder.encode(`test key of ${name} padding`));
}

export interface Market {
  readonly executor: Executor;
  readonly state: MemoryState;
  /** In step with the state where the executor follows it. */
  readonly trees: StateTrees;
  /** In step with it where somebody else does. */
  readonly follower: MarketFollower;
  readonly sizes: BatchSizes;
  readonly sealed: SealedBatch[];
  time: number;
  /** Prices of each slot for the snapshots to come, which are of what is in the table. */
  slots: SlotPrice[];
  snapshot(): Snapshot;
  openBatch(kind: "trade" | "ledger"): readonly StepRecord[];
  seal(): SealedBatch;
  /** Seals and opens as needed. */
  trade(account: number, message: TradeMessage, keyIndex?: number): readonly StepRecord[];
  /** Seals and opens as needed. */
  liquidate(liquidation: Liquidation): StepRecord;
  purge(name: { book: number; isSell: boolean; price: number; seq: number }): StepRecord;
  operate(operation: LedgerOperation): OperationRecord;
  /** `scenario`: of a backstop. */
  payment(
    account: number,
    message: LedgerMessage,
    keyIndex?: number,
    scenario?: number,
  ): OperationRecord;
  deposit(account: number, amount: number): OperationRecord;
}

/** Risk of a slot whose value moves by `delta / 100` of each tick of the underlying. */
export function slotRisk(mark: number, delta: number, isFinal = false): SlotPrice {
  const moves = Array.from({ length: SCENARIOS }, (_, s) => (s - 7) * 20);
  const changes = moves.map((move) => {
    const change = Math.round((move * delta) / 100) + (move % 3);
    return Math.max(change, -mark);
  });
  return { mark, isFinal, changes };
}

export function ownerOf(account: number): bigint {
  return 0x1000n + BigInt(account);
}

export function keySecret(account: number, keyIndex = 0): bigint {
  return secretOf(`account ${account} key ${keyIndex}`);
}

/** Who follows the state: the executor, with inputs or without, or somebody else by its drafts. */
export type Following = "inputs" | "roots" | "drafts";

/** A market that goes on from where `market` is, which has no open batch; its batches are new. */
export function copyMarket(market: Market, following: Following = "inputs"): Market {
  const { state, executor, time, slots, sizes } = market;
  if (executor.current() !== undefined) throw new Error("the market has an open batch");
  const lastBatch = { number: executor.nextNumber() - 1, time: executor.lastTime() };
  const copy = marketOf(sizes, { exported: state.exportState(), lastBatch, following });
  return Object.assign(copy, { time, slots });
}

/** `domain`: of the rollup that is to take the batches; `time`: when they begin (unix ms). */
export function createMarket(
  instance = "tiny",
  { time = START, ...rest }: { domain?: bigint; time?: number; following?: Following } = {},
): Market {
  return marketOf(sizesOf(instance), { ...rest, lastBatch: { number: 0, time } });
}

function oracleNames({ trade }: BatchSizes): string[] {
  return Array.from({ length: trade.oracles }, (_, index) => `oracle ${index}`);
}

/** Of the oracles that sign every market's snapshots. */
export function oracleKeys(sizes: BatchSizes) {
  return oracleNames(sizes).map((name) => publicKeyOf(secretOf(name)));
}

function marketOf(
  sizes: BatchSizes,
  start: {
    exported?: ExportedState;
    domain?: bigint;
    lastBatch: { number: number; time: number };
    following?: Following;
  },
): Market {
  const { exported, lastBatch, domain = TEST_DOMAIN, following = "inputs" } = start;
  const state = createMemoryState(sizes.trade);
  if (exported !== undefined) state.importState(exported);
  const trees = createStateTrees(sizes.trade);
  const names = oracleNames(sizes);
  const oracles = oracleKeys(sizes);
  const quorum = sizes.trade.quorum;
  const deployed = { sizes, domain, oracles, quorum, fairOrder: FIRST_COME };
  const origin = { ...deployed, shape: sizes.trade, number: lastBatch.number };
  const follower = createFollower(() => ({ ...origin, state: state.exportState() }));
  const keeping: Keeping =
    following === "drafts" ? follower : { trees, hasInputs: following === "inputs" };
  const executor = createExecutor({ state, keeping, ...deployed, lastBatch });
  const flat = { mark: 0, isFinal: false, changes: new Array<number>(SCENARIOS).fill(0) };
  const market: Market = {
    executor,
    state,
    trees,
    sizes,
    follower,
    sealed: [],
    time: lastBatch.time,
    slots: new Array<SlotPrice>(sizes.trade.slots).fill(flat),
    snapshot() {
      const slots = market.slots.map((price, slot) => {
        const { isCall, strike, expiry } = state.series()[slot]!;
        return { ...price, terms: { isCall, strike, expiry } };
      });
      const unsigned = { time: market.time - 500, slots };
      const hash = snapshotHash(domain, unsigned);
      const signatures = names.slice(names.length - quorum).map((name, index) => ({
        signer: names.length - quorum + index,
        ...sign(secretOf(name), hash),
      }));
      return { ...unsigned, signatures };
    },
    openBatch(kind) {
      market.time += 1000;
      const number = executor.nextNumber();
      const { time } = market;
      return executor.open({ type: "open", kind, number, time, snapshot: market.snapshot() });
    },
    seal() {
      const batch = executor.seal();
      market.sealed.push(batch);
      return batch;
    },
    trade: (account, message, keyIndex = 0) => trade(market, { account, keyIndex }, message),
    purge: (name) => retry(market, "trade", () => executor.purge({ type: "purge", ...name })),
    liquidate: (liquidation) =>
      retry(market, "trade", () => executor.liquidate({ type: "liquidate", ...liquidation })),
    operate: (operation) =>
      retry(market, "ledger", () => executor.operation({ type: "operation", operation })),
    payment: (account, message, keyIndex = 0, scenario = undefined) =>
      pay(market, { account, keyIndex }, message, scenario),
    deposit(account, amount) {
      const key = publicKeyOf(keySecret(account));
      const rest = { key, keyIndex: 0, keyExpiry: FAR / 1000 - 1 };
      return market.operate({ kind: "deposit", account, owner: ownerOf(account), amount, ...rest });
    },
  };
  return market;
}

function signed(market: Market, author: { account: number; keyIndex: number }, word: bigint) {
  const { head } = market.state.session(author.account).keys[author.keyIndex]!;
  return sign(keySecret(author.account, author.keyIndex), nextHead(head, word));
}

function trade(
  market: Market,
  author: { account: number; keyIndex: number },
  message: TradeMessage,
): readonly StepRecord[] {
  const word = messageWord(message);
  const signature = signed(market, author, word);
  return retry(market, "trade", () =>
    market.executor.message({ type: "message", author, word, signature, arrived: market.time }),
  );
}

function pay(
  market: Market,
  author: { account: number; keyIndex: number },
  message: LedgerMessage,
  scenario: number | undefined,
): OperationRecord {
  const word = messageWord(message);
  const signature = signed(market, author, word);
  const signedPart = { kind: message.kind, author, message, word };
  const operation = scenario === undefined ? signedPart : { ...signedPart, scenario };
  return retry(market, "ledger", () =>
    market.executor.operation({ type: "operation", operation, signature }),
  );
}

function retry<T>(market: Market, kind: "trade" | "ledger", act: () => T | "full"): T {
  for (let attempt = 0; attempt < 20; attempt++) {
    const current = market.executor.current();
    if (current !== undefined && current.kind !== kind) market.seal();
    if (market.executor.current() === undefined) market.openBatch(kind);
    const result = act();
    if (result !== "full") return result as T;
    market.seal();
  }
  throw new Error("the batch stays full");
}

/** A GTC order with the given changes. */
export function order(changes: Partial<PlaceMessage> & { book: number }): PlaceMessage {
  return {
    kind: "place",
    isSell: false,
    price: 100,
    lots: 10,
    timeInForce: "gtc",
    postOnly: false,
    reduceOnly: false,
    deadline: FAR,
    ...changes,
  };
}

/** Rates of the test market's books: in {@link listMarket} by default. */
export const FEES: BookFees = { taker: 3, maker: -1 };
/** Rates by book that are small, capped by the premium, and given away again. */
export const VARIED_FEES: readonly BookFees[] = [
  FEES,
  { taker: 60, maker: 7 },
  FEES,
  FEES,
  { taker: 20, maker: -20 },
];

/** Lists slots 0..3 and opens plain books 0..3 and a spread (book 4: +1 slot 0, -1 slot 1). */
export function listMarket(market: Market, fees: readonly BookFees[] = []): void {
  const { slots } = market.sizes.trade;
  market.slots = market.slots.map((risk, slot) =>
    slot < 4 ? slotRisk(200 + 100 * slot, 80 - 20 * slot) : risk,
  );
  for (let slot = 0; slot < 4; slot++) {
    const terms = { isCall: true, strike: 20_000 + 1000 * slot, expiry: EXPIRY };
    market.operate({ kind: "listSeries", slot, ...terms });
  }
  for (let book = 0; book < 4; book++) {
    const weights = Array.from({ length: slots }, (_, slot) => (slot === book ? 1 : 0));
    market.operate({ kind: "openBook", book, weights, fees: fees[book] ?? FEES });
  }
  const weights = Array.from({ length: slots }, (_, slot) => [1, -1][slot] ?? 0);
  market.operate({ kind: "openBook", book: 4, weights, fees: fees[4] ?? FEES });
}
