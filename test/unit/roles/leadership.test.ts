// A member's turn: its sequencer begins where the turn does, or the term is given up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, genesisBlock, type LogPlace } from "../../../sequencer/consensus/block.ts";
import type { Turn } from "../../../sequencer/ports.ts";
import { createLeadership } from "../../../sequencer/roles/leadership.ts";
import { silent } from "./ports.ts";

const place = (to: number): LogPlace => ({ to, logHash: `${to}`.padStart(64, "0"), root: 1n });
const base: Block = genesisBlock("session", place(5));

/** A member whose log goes up to `to`, with timers that run when they are told to. */
function desk({ to = 5, placeAt }: { to?: number; placeAt?: () => Promise<never> } = {}) {
  const timers = new Map<() => void, number>();
  const did: { wanted: number[]; cut: number[]; resigned: number[]; given: Turn[] } = {
    ...{ wanted: [], cut: [], resigned: [], given: [] },
  };
  const own = { to, leading: undefined as number | undefined, tell: (): void => undefined };
  const leadership = createLeadership({
    self: 0,
    line: {
      finalized: () => undefined,
      lead: (turn) => void did.given.push(turn),
      follow: () => undefined,
      leading: () => own.leading,
      onChange: (listener) => {
        own.tell = listener;
      },
      stop: async () => undefined,
    },
    log: {
      head: () => ({ ...place(own.to), epoch: 1 }),
      placeAt: async (_base, at) =>
        placeAt?.() ?? (at > own.to ? undefined : { ...place(at), epoch: 1 }),
    },
    scheduler: {
      after: (ms, action) => {
        timers.set(action, ms);
        return () => void timers.delete(action);
      },
    },
    ...{ logger: silent, final: () => place(0) },
    ...{ moveTo: () => undefined, trust: () => undefined },
    want: (target) => void did.wanted.push(target.to),
    cutOff: (end) => {
      did.cut.push(end);
      own.to = end;
    },
    resign: (term) => void did.resigned.push(term),
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** Runs what waits for at most so long. */
  const pass = async (msMax: number): Promise<void> => {
    for (const [action, ms] of [...timers]) {
      if (ms <= msMax && timers.delete(action)) action();
    }
    await settle();
  };
  return { leadership, own, did, timers, settle, pass };
}

test("the turn is given once, where the own log ends at its place", async () => {
  const { leadership, did, settle, pass } = desk();
  leadership.onLead(3, base);
  await settle();
  await pass(100);
  assert.deepEqual(did.given, [{ term: 3, to: 5, logHash: place(5).logHash }]);
});

test("what is missing is fetched first, what is too much cut off", async () => {
  const short = desk({ to: 2 });
  short.leadership.onLead(3, base);
  await short.settle();
  assert.deepEqual([short.did.wanted, short.did.given], [[5], []]);
  short.own.to = 5;
  await short.pass(100);
  assert.equal(short.did.given.length, 1);

  const long = desk({ to: 8 });
  long.leadership.onLead(3, base);
  await long.settle();
  await long.pass(100);
  assert.deepEqual(long.did.cut, [5]);
  assert.equal(long.did.given.length, 1);
});

test("a look that is late does nothing for the next turn", async () => {
  const { leadership, own, did, timers, settle, pass } = desk({ to: 2 });
  leadership.onLead(3, base);
  await settle();
  leadership.onTerm(4, 1);
  own.to = 5;
  await pass(100);
  assert.deepEqual([did.given, did.resigned, timers.size], [[], [], 0]);
});

test("a member whose log is damaged gives its term up", async () => {
  const { leadership, did, timers, settle } = desk({
    placeAt: () => Promise.reject(new Error("record `4` is missing")),
  });
  leadership.onLead(3, base);
  await settle();
  assert.deepEqual([did.given, did.resigned, timers.size], [[], [3], 0]);
});

test("so does one whose sequencer does not begin, or ends", async () => {
  const late = desk();
  late.leadership.onLead(3, base);
  await late.settle();
  await late.pass(Number.POSITIVE_INFINITY);
  assert.deepEqual(late.did.resigned, [3]);

  const gone = desk();
  gone.leadership.onLead(3, base);
  await gone.settle();
  gone.own.leading = 3;
  gone.own.tell();
  await gone.pass(Number.POSITIVE_INFINITY);
  assert.deepEqual(gone.did.resigned, []);
  gone.own.leading = undefined;
  gone.own.tell();
  assert.deepEqual(gone.did.resigned, [3]);
});
