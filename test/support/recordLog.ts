/**
 * Records the log of `recordedLog.ts`: every kind of entry and of operation, by a seed. It is run
 * by hand (`node test/support/recordLog.ts`) when the protocol is meant to be another one; the test
 * that replays the old log is what tells whether it was.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import {
  emptyHead,
  encodeJson,
  encodeRecord,
  headAfter,
  type LogEntry,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../sequencer/batch/log.ts";
import { LEDGER_KINDS } from "../../sequencer/protocol/constants.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import { runTrade, type TradeCommand } from "../agreement/commands.ts";
import { type Chance, createChance } from "../simulation/random.ts";
import { createDistressRun, DISTRESS_KINDS, runDistress, TRADERS } from "./distress.ts";
import {
  createMarket,
  EXPIRY,
  FAR,
  keySecret,
  type Market,
  order,
  ownerOf,
  slotRisk,
  TEST_DOMAIN,
} from "./market.ts";
import { RECORDS_FILE, RESULTS_FILE, resultsToday } from "./recordedLog.ts";

const SEED = 20;
const ROUNDS = 3;
/** Writers that follow one another. */
const RESTART_EVERY = 97;
const TRADE_KINDS = ["place", "place", "place", "cancel", "cancelAll", "purge", "seal"] as const;

export function recordLog(): LogRecord[] {
  const market = createMarket();
  const entries = notedBy(market);
  const chance = createChance(SEED);
  const run = createDistressRun(() => undefined, market);
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of DISTRESS_KINDS) {
      runDistress(run, { kind, a: chance.pick(2 ** 16), b: chance.pick(2 ** 16) });
      trade(market, chance);
    }
    pauseAndResume(market);
  }
  wholeOrder(market);
  payments(market);
  settlement(market);
  return linked(entries);
}

/** Everything that the market's executor takes from now on, as the log has it. */
function notedBy({ executor }: Market): LogEntry[] {
  const entries: LogEntry[] = [];
  const noted =
    <E extends LogEntry, R>(act: (entry: E) => R) =>
    (entry: E): R => {
      const done = act(entry);
      if (done !== "full") entries.push(entry);
      return done;
    };
  const { open, message, operation, purge, liquidate, switchTrading, seal } = executor;
  Object.assign(executor, {
    ...{ open: noted(open), message: noted(message), operation: noted(operation) },
    ...{ purge: noted(purge), liquidate: noted(liquidate), switchTrading: noted(switchTrading) },
    seal: () => {
      const batch = seal();
      entries.push({ type: "seal", number: batch.number, root: batch.rootAfter });
      return batch;
    },
  });
  return entries;
}

function trade(market: Market, chance: Chance): void {
  const seed = (): number => chance.pick(2 ** 16);
  const accounts = TRADERS.filter((id) => market.state.session(id).lockedSince === 0);
  for (let count = 0; count < 6; count++) {
    const [kind, account] = [chance.one(TRADE_KINDS), chance.one(accounts)];
    const command: TradeCommand = { kind, account, a: seed(), b: seed(), c: seed() };
    runTrade(market, command);
  }
}

function sealOpen(market: Market): void {
  while (market.executor.current() !== undefined || market.state.carry() !== undefined) {
    if (market.executor.current() === undefined) market.openBatch("trade");
    market.seal();
  }
}

function pauseAndResume(market: Market): void {
  sealOpen(market);
  const { executor } = market;
  market.time += 1000;
  executor.switchTrading({ type: "pause", time: market.time, reason: "operator", detail: "noon" });
  market.trade(TRADERS[1]!, { kind: "cancelAll", deadline: FAR });
  sealOpen(market);
  const opensAt = market.time + 10_000;
  executor.switchTrading({ type: "cancelOnly", time: market.time, opensAt });
  market.time = opensAt;
  const first = market.snapshot();
  market.time += 1000;
  const snapshots = [first, market.snapshot()] as const;
  executor.switchTrading({ type: "resume", time: market.time, snapshots });
}

/** An order that meets more resting ones than a batch has steps for: it is carried. */
function wholeOrder(market: Market): void {
  const [maker, taker] = [TRADERS[2]!, TRADERS[3]!];
  const { mark } = market.slots[0]!;
  market.trade(maker, { kind: "cancelAll", deadline: FAR });
  for (let count = 0; count < 6; count++) {
    market.trade(maker, order({ book: 0, isSell: true, price: mark + count, lots: 1 }));
  }
  sealOpen(market);
  market.trade(TRADERS[1]!, order({ book: 1, price: 1, lots: 1 }));
  market.trade(TRADERS[1]!, order({ book: 1, price: 2, lots: 1 }));
  market.trade(TRADERS[1]!, order({ book: 1, price: 3, lots: 1 }));
  market.trade(taker, order({ book: 0, price: mark + 10, lots: 20 }));
  assert.ok(market.state.carry() !== undefined, "the order is carried");
  sealOpen(market);
}

function payments(market: Market): void {
  const [from, to] = [TRADERS[1]!, TRADERS[2]!];
  for (const amount of [1000, 2 ** 49]) {
    market.payment(from, { kind: "withdraw", amount, deadline: FAR });
    market.payment(from, { kind: "transfer", to, amount, deadline: FAR });
  }
  const key = publicKeyOf(keySecret(from, 1));
  const place = { account: from, owner: ownerOf(from), keyIndex: 1 };
  market.operate({ kind: "registerKey", ...place, key, keyExpiry: FAR / 1000 - 1 });
  sealOpen(market);
  market.payment(from, { kind: "withdraw", amount: 7, deadline: FAR }, 1);
  sealOpen(market);
}

function settlement(market: Market): void {
  market.time = EXPIRY * 1000 + 1000;
  market.slots = market.slots.with(0, slotRisk(350, 0, true));
  market.operate({ kind: "settleSeries", slot: 0 });
  const holders = market.state
    .accountIds()
    .filter((id) => market.state.account(id).positions[0] !== 0);
  for (const account of holders) market.operate({ kind: "settlePosition", account, slot: 0 });
  const terms = { isCall: false, strike: 30_000, expiry: EXPIRY + 86_400 };
  market.operate({ kind: "listSeries", slot: 0, ...terms });
  sealOpen(market);
}

function linked(entries: readonly LogEntry[]): LogRecord[] {
  let head = emptyHead(logOrigin(TEST_DOMAIN));
  return entries.map((entry, position) => {
    const record = makeRecord(head, entry, Math.floor(position / RESTART_EVERY));
    head = headAfter(record);
    return record;
  });
}

/** Nothing that a log can hold is missing. */
function assertComplete(records: readonly LogRecord[]): void {
  const reached = new Set(
    records.flatMap(({ entry }): string[] =>
      entry.type === "operation" ? [entry.type, entry.operation.kind] : [entry.type],
    ),
  );
  const kinds = Object.keys(LEDGER_KINDS).filter((kind) => kind !== "idle");
  const types = ["open", "message", "operation", "purge", "liquidate", "seal"];
  const wanted = [...types, "pause", "cancelOnly", "resume", ...kinds];
  assert.deepEqual(
    wanted.filter((name) => !reached.has(name)),
    [],
    "the log lacks them",
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const records = recordLog();
  assertComplete(records);
  const results = await resultsToday(records);
  mkdirSync(path.dirname(RECORDS_FILE), { recursive: true });
  const text = records.map((record) => `${encodeRecord(record)}\n`).join("");
  writeFileSync(RECORDS_FILE, gzipSync(text, { level: 9 }));
  const pretty = JSON.stringify(JSON.parse(encodeJson(results)), null, 2);
  writeFileSync(RESULTS_FILE, `${pretty}\n`);
  process.stdout.write(`${records.length} records, ${results.roots.length} batches\n`);
}
