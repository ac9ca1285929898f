// The trading mode is a function of the log: what may follow what, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidEntryError } from "../../../sequencer/batch/invalidEntry.ts";
import { type LogEntry, logOrigin, type TradingEntry } from "../../../sequencer/batch/log.ts";
import {
  afterOpen,
  afterTradingEntry,
  assertAllowed,
  CANCEL_ONLY_MS_MAX,
  CANCEL_ONLY_MS_MIN,
  DETAIL_LENGTH_MAX,
  openTrading,
  type TradingContext,
  type TradingState,
} from "../../../sequencer/batch/tradingMode.ts";
import { messageWord } from "../../../sequencer/protocol/messages.ts";
import { PAUSE_REASONS, type PauseReason } from "../../../sequencer/protocol/trading.ts";
import { createNodeState } from "../../../sequencer/roles/nodeState.ts";
import { DOMAIN, deployment, PLACE, START, snapshotAt } from "../roles/market.ts";

const CONTEXT: TradingContext = {
  ...{ domain: DOMAIN, oracles: deployment.oracles, quorum: deployment.quorum },
  ...{ slots: deployment.shape.slots, isCarried: false, sealed: 7 },
};

const pause = (time: number, reason: PauseReason = "indexJump"): TradingEntry => {
  return { type: "pause", time, reason, detail: "it moved" };
};
const announce = (time: number, length = CANCEL_ONLY_MS_MIN): TradingEntry => {
  return { type: "cancelOnly", time, opensAt: time + length };
};
const resume = (time: number, first: number, second: number): TradingEntry => {
  return { type: "resume", time, snapshots: [snapshotAt(first), snapshotAt(second)] };
};

function follow(entries: readonly TradingEntry[], context = CONTEXT): TradingState {
  return entries.reduce(
    (trading, entry) => afterTradingEntry(trading, entry, context),
    openTrading(START),
  );
}

const REOPENED = START + 10 + CANCEL_ONLY_MS_MIN;
const DAY: readonly TradingEntry[] = [
  pause(START + 5),
  announce(START + 10),
  resume(REOPENED, START + 6, START + 20),
];

test("a pause ends by an announcement and two snapshots that are newer", () => {
  assert.deepEqual(follow(DAY.slice(0, 1)), {
    ...{ mode: "paused", reason: "indexJump", detail: "it moved", since: START + 5 },
    ...{ opensAt: null, time: START + 5, settledBatch: 0 },
  });
  const announced = follow(DAY.slice(0, 2));
  assert.deepEqual([announced.mode, announced.opensAt], ["cancelOnly", REOPENED]);
  assert.deepEqual(follow(DAY), { ...openTrading(REOPENED) });
});

test("every reason is one for a pause, and a harder one replaces a softer one", () => {
  for (const reason of Object.keys(PAUSE_REASONS) as PauseReason[]) {
    assert.equal(follow([pause(START, reason)]).reason, reason);
  }
  const hard = [pause(START), pause(START, "operator"), pause(START + 1, "rootMismatch")];
  assert.equal(follow(hard).reason, "rootMismatch");
  const again = [...DAY.slice(0, 2), pause(START + 50, "oracleStale")];
  assert.deepEqual([follow(again).mode, follow(again).opensAt], ["paused", null]);
});

test("what was found before the end of a pause for another state is settled", () => {
  assert.equal(follow([pause(START + 5, "rootMismatch"), ...DAY.slice(1)]).settledBatch, 7);
  for (const isSealed of [true, false]) {
    const { executor } = createNodeState(deployment, logOrigin(DOMAIN), undefined);
    executor.open({
      type: "open",
      number: 1,
      kind: "ledger",
      time: START,
      snapshot: snapshotAt(START),
    });
    executor.switchTrading(pause(START + 5, "rootMismatch"));
    executor.end();
    executor.switchTrading(announce(START + 10));
    // Nobody has compared the root of a batch that has none yet.
    if (isSealed) executor.seal();
    executor.switchTrading(resume(REOPENED, START + 6, START + 20));
    assert.equal(executor.trading().settledBatch, isSealed ? 1 : 0);
  }
});

const other = (entry: TradingEntry, change: object) => ({ ...entry, ...change }) as TradingEntry;
const [PAUSE, ANNOUNCE, RESUME] = DAY as [TradingEntry, TradingEntry, TradingEntry];
const pair = (first: number, second: number) => resume(REOPENED, first, second);
const unsigned = { ...snapshotAt(START + 20), signatures: [] };
const narrow = { ...snapshotAt(START + 20), slots: snapshotAt(START + 20).slots.slice(1) };

// [what, the entries, the words of the refusal to take the last one]
const REFUSED: readonly (readonly [string, readonly TradingEntry[], RegExp])[] = [
  ["an unknown reason", [other(PAUSE, { reason: "weather" })], /`weather` is no reason/],
  ["no reason", [other(PAUSE, { reason: undefined })], /is no reason/],
  ["a name that every object has", [other(PAUSE, { reason: "toString" })], /is no reason/],
  ["no detail", [other(PAUSE, { detail: undefined })], /of detail/],
  ["a long detail", [other(PAUSE, { detail: "x".repeat(DETAIL_LENGTH_MAX + 1) })], /of detail/],
  ["a pause in a pause", [PAUSE, pause(START + 6)], /no harder reason/],
  ["a softer reason", [pause(START, "operator"), pause(START + 6)], /no harder reason/],
  ["a pause before log time", [pause(START - 1)], /must be from/],
  ["a time that is none", [pause(Number.NaN)], /must be from/],
  ["a time beyond all", [pause(2 ** 48)], /must be from/],
  ["an announcement of nothing", [ANNOUNCE], /follows a pause, not `open`/],
  ["a second announcement", [PAUSE, ANNOUNCE, announce(START + 11)], /not `cancelOnly`/],
  ["a short phase", [PAUSE, announce(START + 10, CANCEL_ONLY_MS_MIN - 1)], /`cancelOnly` takes/],
  ["an endless phase", [PAUSE, announce(START + 10, CANCEL_ONLY_MS_MAX + 1)], /`cancelOnly` takes/],
  ["a phase without end", [PAUSE, other(ANNOUNCE, { opensAt: undefined })], /`cancelOnly` takes/],
  ["an opening of the open", [RESUME], /follows `cancelOnly`, not `open`/],
  ["an opening without announcement", [PAUSE, RESUME], /follows `cancelOnly`, not `paused`/],
  ["an early opening", [PAUSE, ANNOUNCE, other(RESUME, { time: REOPENED - 1 })], /opens at/],
  ["no snapshots", [PAUSE, ANNOUNCE, other(RESUME, { snapshots: undefined })], /two snapshots/],
  ["one", [PAUSE, ANNOUNCE, other(RESUME, { snapshots: [snapshotAt(START)] })], /two snapshots/],
  ["the same twice", [PAUSE, ANNOUNCE, pair(START + 20, START + 20)], /one after the other/],
  ["one as old as the pause", [PAUSE, ANNOUNCE, pair(START + 5, START + 20)], /newer than/],
  ["one of the future", [PAUSE, ANNOUNCE, pair(START + 6, REOPENED + 1)], /less than/],
  [
    "snapshots that are too old",
    [PAUSE, ANNOUNCE, other(RESUME, { time: START + 20 + 2 ** 17 })],
    /less than/,
  ],
  [
    "snapshots far apart",
    [PAUSE, ANNOUNCE, resume(START + 2 ** 18, START + 6, START + 2 ** 18)],
    /less than/,
  ],
  [
    "a snapshot that nobody signed",
    [PAUSE, ANNOUNCE, other(RESUME, { snapshots: [snapshotAt(START + 6), unsigned] })],
    /not signed/,
  ],
  [
    "a snapshot of another market",
    [PAUSE, ANNOUNCE, other(RESUME, { snapshots: [snapshotAt(START + 6), narrow] })],
    /not of/,
  ],
];

test("what an honest sequencer would not write is refused, and in these words", () => {
  for (const [what, entries, words] of REFUSED) {
    const before = follow(entries.slice(0, -1));
    assert.throws(
      () => afterTradingEntry(before, entries.at(-1)!, CONTEXT),
      (error: unknown) => error instanceof InvalidEntryError && words.test(error.message),
      what,
    );
  }
  const carried = { ...CONTEXT, isCarried: true };
  assert.throws(() => follow([PAUSE], carried), /the end of an interrupted order/);
});

test("log time never falls, by batches or by pauses", () => {
  const paused = follow([pause(START + 100)]);
  const open = { type: "open", kind: "trade", number: 1, snapshot: snapshotAt(START) } as const;
  assert.throws(() => afterOpen(paused, { ...open, time: START + 100 }), /must be above/);
  assert.equal(afterOpen(paused, { ...open, time: START + 101 }).time, START + 101);
});

const message = (word: bigint): LogEntry => {
  const signature = { r8x: 0n, r8y: 0n, s: 0n };
  const author = { account: 3, keyIndex: 0 };
  return { type: "message", author, word, signature, arrived: START };
};
const operation = (kind: string): LogEntry => {
  return { type: "operation", operation: { kind } } as unknown as LogEntry;
};
const deadline = START;
const CANCEL = { kind: "cancel", book: 0, isSell: false, price: 1, seq: 1, deadline } as const;
const STOPPED: readonly LogEntry[] = [
  message(messageWord({ ...PLACE, deadline })),
  message(7n),
  { type: "liquidate" } as unknown as LogEntry,
  ...["backstop", "insure", "deleverage", "absorb"].map(operation),
];
const ALLOWED: readonly LogEntry[] = [
  message(messageWord(CANCEL)),
  message(messageWord({ kind: "cancelAll", deadline })),
  { type: "purge", book: 0, isSell: false, price: 1, seq: 1 },
  ...["deposit", "withdraw", "transfer", "forcedWithdraw", "forcedClose"].map(operation),
  ...["settleSeries", "settlePosition", "release", "collectFees"].map(operation),
];

test("until trading is open, nothing that could trade stands in the log", () => {
  for (const stopped of [follow(DAY.slice(0, 1)), follow(DAY.slice(0, 2))]) {
    for (const entry of STOPPED) {
      assert.throws(() => assertAllowed(stopped, entry), /may stand here/);
    }
    for (const entry of ALLOWED) assertAllowed(stopped, entry);
  }
  for (const entry of [...STOPPED, ...ALLOWED]) assertAllowed(follow(DAY), entry);
});
