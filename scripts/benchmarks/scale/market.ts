/**
 * Rounds of orders through the executor as a sequencer's node runs it: batches are opened behind a
 * signed snapshot, messages come with their keys' signatures, which are looked at before the
 * rules ask for them, and batches are sealed with drafts of their circuits' inputs.
 */
import { createExecutor, type Executor } from "../../../sequencer/batch/executor.ts";
import type { MessageEntry } from "../../../sequencer/batch/log.ts";
import type { StepRecord } from "../../../sequencer/engine/records.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { type PublicKey, publicKeyOf, sign, verify } from "../../../sequencer/protocol/eddsa.ts";
import { FIRST_COME } from "../../../sequencer/protocol/fairOrder.ts";
import { KEYS_MAX, USES_BEFORE_TABLE } from "../../../sequencer/protocol/keyTables.ts";
import { messageWord, nextHead, type TradeMessage } from "../../../sequencer/protocol/messages.ts";
import { nextHeadOnce, verifyOnce } from "../../../sequencer/protocol/remembered.ts";
import { type Snapshot, snapshotHash } from "../../../sequencer/protocol/snapshot.ts";
import type { MemoryState } from "../../../sequencer/state/memoryState.ts";
import {
  FAR,
  keySecret,
  oracleKeys,
  order,
  secretOf,
  sizesOf,
  TEST_DOMAIN,
} from "../../../test/support/market.ts";
import { type Besides, costBesides } from "./besides.ts";
import { BATCHES_PER_ROUND, type BatchPlan, type Cost, planBatches, type Size } from "./plan.ts";
import { fillState, MARK } from "./state.ts";

const START = 1_800_000_000_000;
const BATCH_MS = 1000;
const CHANGE = 50;

export interface ScaleMarket {
  /** The next round's orders are signed, then the clock runs. */
  round(): Cost;
  besides(): Promise<Besides>;
}

interface Expected {
  readonly entry: MessageEntry;
  readonly key: PublicKey;
  /** The chain's head before the message. */
  readonly head: bigint;
  readonly outcome: "rested" | "filled" | "cancelled";
}

interface Parts {
  readonly executor: Executor;
  readonly state: MemoryState;
}

const sizes = sizesOf("large");
const oracles = oracleKeys(sizes);
const { quorum } = sizes.trade;

export function createScaleMarket(size: Size): ScaleMarket {
  const plan = planBatches(size);
  const traders = new Set(plan.flatMap(({ accounts }) => accounts));
  const { state, trees } = fillState(sizes.trade, size, traders);
  const executor = createExecutor({
    ...{ state, sizes, domain: TEST_DOMAIN, oracles, quorum },
    // As validators do. With a sequencer a thread of its own hashes, and makes inputs besides.
    keeping: { trees, hasInputs: false },
    ...{ fairOrder: FIRST_COME, lastBatch: { number: 0, time: START } },
  });
  if (traders.size <= KEYS_MAX) fillKeyTables(traders);
  const parts = { executor, state };
  return {
    round: () => runRound(parts, plan.splice(0, BATCHES_PER_ROUND)),
    besides: () => costBesides(state, executor),
  };
}

/** Keys that fit in the node's memory of keys have their tables there in the long run. */
function fillKeyTables(traders: Iterable<number>): void {
  for (const account of traders) {
    const key = publicKeyOf(keySecret(account));
    const signature = sign(keySecret(account), 1n);
    for (let use = 0; use < USES_BEFORE_TABLE; use++) verify(key, 1n, signature);
  }
}

function runRound(parts: Parts, plan: readonly BatchPlan[]): Cost {
  const { executor, state } = parts;
  const began = executor.lastTime() + BATCH_MS;
  const snapshot = snapshotAt(state, began);
  const batches = signBatches(state, plan, began);
  const micros = { signature: 0, engine: 0, seal: 0 };
  const taking = (part: keyof Cost, act: () => void): void => {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    micros[part] += user + system;
  };
  for (const [at, batch] of batches.entries()) {
    const [number, time] = [executor.nextNumber(), began + at * BATCH_MS];
    const done: (readonly StepRecord[] | "full")[] = [];
    taking("signature", () => batch.forEach(lookAtSignature));
    taking("engine", () => {
      executor.open({ type: "open", kind: "trade", number, time, snapshot });
      for (const { entry } of batch) done.push(executor.message(entry));
    });
    taking("seal", () => void executor.seal());
    assertDone(batch, done);
  }
  const orders = batches.flat().length;
  const { signature, engine, seal } = micros;
  return { signature: signature / orders, engine: engine / orders, seal: seal / orders };
}

/** As the door does it, before the rules do. */
function lookAtSignature({ entry, key, head }: Expected): void {
  const holds = verifyOnce(key, nextHeadOnce(head, entry.word), entry.signature);
  if (!holds) throw new Error("a signature of the benchmark does not hold");
}

/** Each order did one step, and what it was sent for. */
function assertDone(
  batch: readonly Expected[],
  done: readonly (readonly StepRecord[] | "full")[],
): void {
  for (const [at, { outcome }] of batch.entries()) {
    const steps = done[at]!;
    const [first] = steps;
    const told = typeof first === "object" && steps.length === 1 ? outcomeOf(first) : "another";
    if (told !== outcome) throw new Error(`an order was to be ${outcome}. Got \`${told}\``);
  }
}

function outcomeOf(step: StepRecord): string | undefined {
  return "order" in step ? step.order.outcome : "outcome" in step ? step.outcome : step.kind;
}

/** What the market's own heads and numbers will be when each message has its turn. */
function signBatches(state: MemoryState, plan: readonly BatchPlan[], began: number): Expected[][] {
  const heads = new Map<number, bigint>();
  let seq = state.nextSeq();
  return plan.map((batch, at) =>
    messagesOf(batch, () => seq++).map(({ account, message, outcome }) => {
      const word = messageWord(message);
      const key = state.session(account).keys[0]!;
      const head = heads.get(account) ?? key.head;
      const after = nextHead(head, word);
      heads.set(account, after);
      const signature = sign(keySecret(account), after);
      const author = { account, keyIndex: 0 };
      const arrived = began + at * BATCH_MS;
      const entry = { type: "message", author, word, signature, arrived } as const;
      return { entry, key: { x: key.x, y: key.y }, head, outcome };
    }),
  );
}

interface Sent extends Pick<Expected, "outcome"> {
  readonly account: number;
  readonly message: TradeMessage;
}

/** Pairs meet twice in different books and with different partners; each account sends four. */
function messagesOf({ accounts, books }: BatchPlan, nextSeq: () => number): Sent[] {
  const pairs = books.map((book, at) => [book, accounts[2 * at]!, accounts[2 * at + 1]!] as const);
  const others = books.map((book, at) => {
    const partner = accounts[(2 * at + 2) % accounts.length]!;
    return [book, accounts[2 * at + 1]!, partner] as const;
  });
  return [...pairs, ...others].flatMap(([book, one, other]) => tradesOf(book, one, other, nextSeq));
}

/** An order that rests and is taken, and one that rests and is cancelled. */
function tradesOf(book: number, maker: number, taker: number, nextSeq: () => number): Sent[] {
  const place = (changes: Parameters<typeof order>[0]): TradeMessage => order(changes);
  const price = MARK - 1;
  const [, , bid] = [nextSeq(), nextSeq(), nextSeq(), nextSeq()];
  const ask = { book, isSell: true, price: MARK, lots: 2 };
  const take = { book, price: MARK, lots: 2, timeInForce: "ioc" } as const;
  const name = { book, isSell: false, price, seq: bid!, deadline: FAR };
  return [
    { account: maker, message: place(ask), outcome: "rested" },
    { account: taker, message: place(take), outcome: "filled" },
    { account: maker, message: place({ book, price }), outcome: "rested" },
    { account: maker, message: { kind: "cancel", ...name }, outcome: "cancelled" },
  ];
}

function snapshotAt(state: MemoryState, time: number): Snapshot {
  const body = {
    time,
    slots: state.series().map(({ isCall, strike, expiry }, slot) => ({
      terms: { isCall, strike, expiry },
      mark: MARK,
      isFinal: false,
      changes: Array.from({ length: SCENARIOS }, (_, row) => ((slot + 3 * row) % 101) - CHANGE),
    })),
  };
  const hash = snapshotHash(TEST_DOMAIN, body);
  const signers = Array.from({ length: quorum }, (_, signer) => signer);
  const signatures = signers.map((signer) => ({
    signer,
    ...sign(secretOf(`oracle ${signer}`), hash),
  }));
  return { ...body, signatures };
}
