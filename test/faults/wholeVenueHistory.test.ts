// E8: what clients were told, checked against the log that a node of its own executes. The checker
// finds nothing in histories from storms, and every falsehood that is put into one.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command, History, Read } from "../simulation/whole/history.ts";
import { checkHistory } from "../simulation/whole/historyCheck.ts";
import type { Replay } from "../simulation/whole/replay.ts";
import { optionsOf, seedsFrom } from "../simulation/whole/seeds.ts";
import { runStorm } from "../simulation/whole/storm.ts";

interface Case {
  readonly history: History;
  readonly replay: Replay;
}

/** A run with fills, cancels, reads and lost answers. */
const SEED = 40_002;

test("E8 orders, cancels and balances: every history is one of the log's", async (context) => {
  let [commands, reads, unknown] = [0, 0, 0];
  for (const seed of seedsFrom(SEED, 1, 100)) {
    const { history, replay, violations, counts } = await runStorm(optionsOf(seed));
    assert.deepEqual(violations, [], `STRADDLE_SEED=${seed}`);
    assert.deepEqual(checkHistory(history, replay), []);
    commands += history.commands.length;
    reads += history.reads.length;
    unknown += counts.unknown!;
  }
  assert.ok(commands > 0 && reads > 0 && unknown > 0, "storms leave doubts");
  context.diagnostic(`${commands} commands, ${unknown} without an answer, ${reads} reads`);
});

test("E8 the checker finds every kind of falsehood", async (context) => {
  const { history, replay } = await runStorm({ ...optionsOf(SEED), stormMs: 8_000 });
  const real: Case = { history, replay };
  assert.deepEqual(checkHistory(history, replay), []);
  for (const [name, doctor, pattern] of FALSEHOODS) {
    const { history: told, replay: log } = doctor(real);
    const faults = checkHistory(told, log);
    assert.ok(
      faults.some((fault) => pattern.test(fault)),
      `${name}: ${faults.join("; ") || "nothing found"}`,
    );
  }
  context.diagnostic(`${FALSEHOODS.length} kinds found`);
});

const FALSEHOODS: readonly (readonly [string, (real: Case) => Case, RegExp])[] = [
  ["an acknowledged order is not in the log", withoutRecord, /is not in the log/],
  ["it is in the log twice", recordTwice, /was executed 2 times/],
  ["it stands elsewhere", (real) => withRecord(real, { position: 1e6 }), /it stands at 1000000/],
  ["with another hash", (real) => withRecord(real, { hash: "" }), /has another hash/],
  ["it came out differently", (real) => withRecord(real, { outcome: "?" }), /it was \?/],
  ["the fills are others", withOtherFills, /its fills are/],
  ["it was acknowledged too early", acknowledgedEarly, /before it was durable/],
  ["a refused order was executed", refusedYetDone, /was refused, and executed/],
  ["nobody sent it", unsigned, /nobody sent/],
  ["a cancelled order is filled", filledAfterCancel, /after its cancel/],
  ["a balance is nobody's", (real) => withRead(real, { found: "1" }), /which no log had/],
  ["a read is older than what was known", staleRead, /which no log had/],
  ["a read is newer than the log", prematureRead, /which no log had/],
  ["a read goes back behind one before it", readsBackwards, /which no log had/],
];

/** The first acknowledged command of this kind that the predicate takes. */
function acknowledged(
  { commands }: History,
  isRight: (command: Command, receipt: ReceiptOf) => boolean = () => true,
) {
  for (const command of commands) {
    const { answer } = command;
    if (answer === undefined || "refused" in answer) continue;
    if (isRight(command, answer.receipt)) return { command, ...answer };
  }
  throw new Error("the run has no such command: another seed is needed");
}

type ReceiptOf = Extract<NonNullable<Command["answer"]>, { receipt: unknown }>["receipt"];

function withCommand({ history, replay }: Case, command: Command, change: Partial<Command>): Case {
  const commands = history.commands.map((each) =>
    each === command ? { ...each, ...change } : each,
  );
  return { history: { ...history, commands }, replay };
}

function withoutRecord({ history, replay }: Case): Case {
  const { receipt } = acknowledged(history);
  const executed = replay.executed.filter(({ head }) => head !== receipt.head);
  return { history, replay: { ...replay, executed } };
}

function recordTwice({ history, replay }: Case): Case {
  const { receipt } = acknowledged(history);
  const again = replay.executed.filter(({ head }) => head === receipt.head);
  return { history, replay: { ...replay, executed: [...replay.executed, ...again] } };
}

function withRecord({ history, replay }: Case, change: Partial<Replay["executed"][number]>): Case {
  const { receipt } = acknowledged(history);
  const executed = replay.executed.map((each) =>
    each.head === receipt.head ? { ...each, ...change } : each,
  );
  return { history, replay: { ...replay, executed } };
}

function withOtherFills(real: Case): Case {
  const { command, receipt, moment } = acknowledged(
    real.history,
    (_, { fills }) => fills.length > 0,
  );
  const fills = receipt.fills.map((fill) => ({ ...fill, lots: fill.lots + 1 }));
  return withCommand(real, command, { answer: { moment, receipt: { ...receipt, fills } } });
}

function acknowledgedEarly(real: Case): Case {
  const { command, receipt, moment } = acknowledged(real.history);
  const early = { ...moment, durable: receipt.logPosition };
  return withCommand(real, command, { answer: { receipt, moment: early } });
}

function refusedYetDone(real: Case): Case {
  const { command, moment } = acknowledged(real.history);
  return withCommand(real, command, { answer: { refused: "margin", moment } });
}

function unsigned({ history, replay }: Case): Case {
  const { command } = acknowledged(history);
  const commands = history.commands.filter((each) => each !== command);
  return { history: { ...history, commands }, replay };
}

function filledAfterCancel({ history, replay }: Case): Case {
  const { command, receipt } = acknowledged(
    history,
    ({ message }, { outcome }) => message.kind === "cancel" && outcome === "cancelled",
  );
  const { message } = command;
  if (message.kind !== "cancel") throw new Error("unreachable");
  const { book, isSell, price, seq } = message;
  const position = receipt.logPosition + 1;
  const named = { position, book, price, makerSeq: seq, takerIsSell: !isSell };
  const fill = { ...named, taker: 1, maker: 2, lots: 1, takerSeq: 0, takerFee: 0, makerFee: 0 };
  return { history, replay: { ...replay, fills: [...replay.fills, fill] } };
}

function withRead({ history, replay }: Case, change: Partial<Read>): Case {
  const [first, ...others] = history.reads;
  return { history: { ...history, reads: [{ ...first!, ...change }, ...others] }, replay };
}

/** A read of an account's orders before and after its first order. */
function readsAround({ history, replay }: Case) {
  const { receipt, moment } = acknowledged(history, (_, { restingLots }) => restingLots > 0);
  const { account, logPosition } = receipt;
  const what = "orders" as const;
  const found = (records: number) => replay.found(what, account, records);
  const base = { account, what };
  const known = { ...moment, acknowledged: logPosition + 1, durable: logPosition + 1 };
  return { base, known, before: found(logPosition), after: found(logPosition + 1) };
}

function staleRead(real: Case): Case {
  const { base, known, before } = readsAround(real);
  const read = { ...base, invoked: known, answered: known, found: before };
  return { ...real, history: { ...real.history, reads: [read] } };
}

function prematureRead(real: Case): Case {
  const { base, known, after } = readsAround(real);
  const early = { ...known, acknowledged: 0, durable: known.durable - 1 };
  const read = { ...base, invoked: early, answered: early, found: after };
  return { ...real, history: { ...real.history, reads: [read] } };
}

function readsBackwards(real: Case): Case {
  const { base, known, before, after } = readsAround(real);
  const unknown = { ...known, acknowledged: 0 };
  const later = { ...unknown, at: known.at + 10 };
  const first = { ...base, invoked: unknown, answered: unknown, found: after };
  const second = { ...base, invoked: later, answered: later, found: before };
  return { ...real, history: { ...real.history, reads: [first, second] } };
}
