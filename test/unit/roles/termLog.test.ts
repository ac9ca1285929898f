// The log of a sequencer that writes in its member's terms, over a real store and a desk of the
// test's own.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  headAfter,
  type LogHead,
  type LogRecord,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import type { LeadSession, Turn } from "../../../sequencer/ports.ts";
import { openTermLog, TurnOverError } from "../../../sequencer/roles/termLog.ts";
import { openStore, type Store } from "../../../sequencer/store/store.ts";
import { DOMAIN, sampleEntry, temporaryFolder } from "../store/sampleEntries.ts";
import { silent } from "./ports.ts";

function recordsAfter(head: LogHead, count: number, epoch: number, salt = 0): LogRecord[] {
  const records: LogRecord[] = [];
  let at = head;
  for (let place = 0; place < count; place++) {
    const record = makeRecord(at, sampleEntry(salt + place), epoch);
    at = headAfter(record);
    records.push(record);
  }
  return records;
}

const turnAfter = (records: readonly LogRecord[], term: number): Turn => {
  const last = records.at(-1)!;
  return { term, to: last.position + 1, logHash: last.hash };
};

/** A member whose log is `records`, all of it final, and that then leads. */
function memberOf(records: readonly LogRecord[], turn: Turn | undefined) {
  const over = new AbortController();
  const said: number[] = [];
  const last = records.at(-1);
  const session: LeadSession = {
    final: { to: records.length, logHash: last?.hash ?? "" },
    hashAt: async (position) => records[position - 1]!.hash,
    follow: async function* (from) {
      yield* records.slice(from);
      if (turn !== undefined) yield turn;
    },
    leading: (term) => void said.push(term),
    over: over.signal,
  };
  return { session, said, end: () => over.abort(new Error("the line has ended")) };
}

async function open(context: TestContext, store: Store, member: ReturnType<typeof memberOf>) {
  const announced: number[] = [];
  const log = await openTermLog({
    ...{ copy: store.log, truncate: store.truncate, logger: silent },
    desk: { session: async () => member.session },
    signal: new AbortController().signal,
    onTurn: async () => undefined,
    announce: (position) => void announced.push(position),
  });
  context.after(() => log.close());
  return { log, announced };
}

async function storeIn(context: TestContext): Promise<Store> {
  const store = await openStore(await temporaryFolder(context), DOMAIN);
  context.after(store.close);
  return store;
}

async function allOf(log: { read(from: number): AsyncIterable<LogRecord> }, from = 0) {
  const records: LogRecord[] = [];
  for await (const record of log.read(from)) records.push(record);
  return records;
}

test("it copies what others make final, and acknowledges in its turn what is", async (context) => {
  const store = await storeIn(context);
  const before = recordsAfter(store.log.head(), 3, 1);
  const member = memberOf(before, turnAfter(before, 4));
  const { log, announced } = await open(context, store, member);
  await assert.rejects(log.append([sampleEntry(9)]), /only stands by/);
  assert.deepEqual(await allOf(log), before);
  assert.deepEqual(member.said, [4]);
  let isAcknowledged = false;
  const appended = log.append([sampleEntry(10), sampleEntry(11)]).then((records) => {
    isAcknowledged = true;
    return records;
  });
  while (announced.length === 0) await sleep(1);
  // Synced and shown to validators, and not yet acknowledged, nor read by anybody else.
  assert.equal((await allOf(store.log)).length, 5);
  assert.equal(log.head().position, 3);
  assert.equal((await allOf(log)).length, 3);
  log.certified(4);
  await sleep(5);
  assert.equal(isAcknowledged, false, "half of it is final");
  log.certified(5);
  const records = await appended;
  assert.deepEqual(
    records.map(({ position, epoch }) => [position, epoch]),
    [
      [3, 4],
      [4, 4],
    ],
  );
  assert.equal(log.head().hash, records[1]!.hash);
});

test("when the turn is over nothing more is acknowledged", async (context) => {
  const store = await storeIn(context);
  const before = recordsAfter(store.log.head(), 1, 1);
  const member = memberOf(before, turnAfter(before, 2));
  const { log } = await open(context, store, member);
  await allOf(log);
  const waiting = log.append([sampleEntry(1)]);
  const refused = assert.rejects(waiting, TurnOverError);
  member.end();
  await refused;
  assert.ok(log.failure.reason instanceof TurnOverError);
  log.certified(2);
  await assert.rejects(log.append([sampleEntry(2)]), TurnOverError);
});

test("what it wrote and nobody took is cut off, wherever it began", async (context) => {
  for (const common of [0, 1, 3, 6, 7]) {
    const store = await storeIn(context);
    const own = recordsAfter(store.log.head(), 7, 1);
    await store.log.copy(own);
    const base = common === 0 ? { position: 0, epoch: 0, hash: own[0]!.previous } : undefined;
    const head = base ?? headAfter(own[common - 1]!);
    const others = [...own.slice(0, common), ...recordsAfter(head, 9 - common, 2, 50)];
    const { log } = await open(context, store, memberOf(others, turnAfter(others, 3)));
    assert.equal(store.log.head().position, common);
    assert.deepEqual(await allOf(log), others);
  }
});

test("an end that is not final yet is cut off too: the member decides", async (context) => {
  const store = await storeIn(context);
  const own = recordsAfter(store.log.head(), 7, 1);
  await store.log.copy(own);
  const final = own.slice(0, 4);
  const { log } = await open(context, store, memberOf(final, turnAfter(final, 2)));
  assert.deepEqual(await allOf(log), final);
});

test("where the member goes on otherwise than before, the node begins again", async (context) => {
  const store = await storeIn(context);
  const left = recordsAfter(store.log.head(), 5, 1);
  const others = [...left.slice(0, 3), ...recordsAfter(headAfter(left[2]!), 4, 2, 50)];
  const member = memberOf(left, undefined);
  // The end of the first five was for a turn that another one took the place of.
  const follow = async function* () {
    yield* left;
    yield* others.slice(5);
  };
  const session = { ...member.session, follow };
  const { log } = await open(context, store, { ...member, session });
  await assert.rejects(allOf(log), TurnOverError);
  const again = await open(context, store, memberOf(others, turnAfter(others, 3)));
  assert.deepEqual(await allOf(again.log), others);
});

test("a turn that does not begin where the log ends is refused", async (context) => {
  const store = await storeIn(context);
  const before = recordsAfter(store.log.head(), 2, 1);
  const turn = { ...turnAfter(before, 2), logHash: "00".repeat(32) };
  const { log } = await open(context, store, memberOf(before, turn));
  await assert.rejects(allOf(log), /does not begin where the log ends/);
});
