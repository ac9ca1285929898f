// Where a member takes records from when the sequencer is silent, and whom it believes.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  emptyHead,
  headAfter,
  type LogEntry,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import type { LogFollower } from "../../../sequencer/ports.ts";
import { CHUNK_SIZE, createReplication } from "../../../sequencer/roles/replication.ts";
import { DOMAIN, toyEntry } from "../../support/committee.ts";
import { silent } from "../roles/ports.ts";

const ORIGIN = emptyHead(logOrigin(DOMAIN));

function chain(count: number, salt = 0, entryAt: (place: number) => LogEntry = toyEntry) {
  const records: LogRecord[] = [];
  let head = ORIGIN;
  for (let place = 0; place < count; place++) {
    const record = makeRecord(head, entryAt(place + salt));
    records.push(record);
    head = headAfter(record);
  }
  return records;
}

/** Four of them are as large as a chunk may be. */
function longEntry(place: number): LogEntry {
  const detail = `${place}`.padStart(CHUNK_SIZE / 4, " ");
  return { type: "pause", time: place, reason: "operator", detail };
}

/** A sequencer that has died after its first `sent` records. */
function deadAfter(records: readonly LogRecord[], sent: number): LogFollower {
  return {
    follow: async function* (from, signal) {
      yield* records.slice(from, sent);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
    proofs: async function* () {},
    attest: async () => undefined,
    refuse: async () => undefined,
    stop: async () => undefined,
  };
}

interface Given {
  readonly sent: number;
  readonly target: readonly LogRecord[];
  /** Their logs; and what they show at a later reading, if that is not the same. */
  readonly members: readonly (readonly LogRecord[])[];
  readonly later?: readonly LogRecord[];
}

async function replicate({ sent, target, members, later }: Given) {
  const punished: number[] = [];
  let [served, readings] = [0, 0];
  const leaving = new AbortController();
  const replication = createReplication({
    sequencer: deadAfter(target, sent),
    network: {
      connected: () => [...members.keys()],
      records: async function* (member, { from, to }) {
        readings += 1;
        const shown = (readings > 1 && later) || members[member]!;
        for (const record of shown.slice(from, to)) {
          served += 1;
          yield record;
        }
      },
      punish: (member) => {
        punished.push(member);
        if (later !== undefined) leaving.abort();
      },
    },
    log: { head: () => ORIGIN },
    logger: silent,
    patienceMs: 5,
  });
  replication.want({ to: target.length, logHash: target.at(-1)!.hash });
  const taken: LogRecord[] = [];
  const timeout = setTimeout(() => leaving.abort(), 2_000);
  for await (const record of replication.follow(0, leaving.signal)) {
    taken.push(record);
    if (taken.length === target.length) break;
  }
  clearTimeout(timeout);
  return { taken, punished, served };
}

test("what the sequencer did not send comes from a member", async () => {
  const records = chain(100);
  const { taken, punished } = await replicate({ sent: 30, target: records, members: [records] });
  assert.deepEqual(taken, records);
  assert.deepEqual(punished, []);
});

test("a member's other records are not given on, however well they are linked", async () => {
  const records = chain(100);
  const forged = [...records.slice(0, 50)];
  for (let head = headAfter(forged.at(-1)!); forged.length < 100; ) {
    const record = makeRecord(head, toyEntry(7));
    forged.push(record);
    head = headAfter(record);
  }
  const lone = await replicate({ sent: 30, target: records, members: [forged] });
  assert.deepEqual(lone.taken, records.slice(0, 30));
  assert.ok(lone.punished.includes(0));
  const both = await replicate({ sent: 30, target: records, members: [forged, records] });
  assert.deepEqual(both.taken, records);
});

test("a broken link is the member's fault; another beginning may be the own", async () => {
  const records = chain(60);
  const broken = records.map((record, place) =>
    place === 40 ? { ...record, hash: "00" } : record,
  );
  const cut = await replicate({ sent: 10, target: records, members: [broken] });
  assert.ok(cut.punished.includes(0));
  assert.equal(cut.taken.length, 10);
  const other = await replicate({ sent: 10, target: records, members: [chain(60, 1)] });
  assert.deepEqual(other.punished, []);
  assert.equal(other.taken.length, 10);
});

test("a member that has not everything is followed by the next", async () => {
  const records = chain(100);
  const members = [records.slice(0, 60), records];
  const { taken, punished } = await replicate({ sent: 10, target: records, members });
  assert.deepEqual(taken, records);
  assert.deepEqual(punished, []);
});

test("a long range is read twice, and held a chunk at a time", async () => {
  const records = chain(9_000);
  const { taken, served } = await replicate({ sent: 0, target: records, members: [records] });
  assert.equal(taken.length, records.length);
  assert.equal(taken.at(-1)?.hash, records.at(-1)?.hash);
  assert.equal(served, 2 * records.length);
});

test("what is held is bounded by size too: a range of long records is read twice", async () => {
  const records = chain(18, 0, longEntry);
  const { taken, served } = await replicate({ sent: 0, target: records, members: [records] });
  assert.deepEqual(
    taken.map(({ hash }) => hash),
    records.map(({ hash }) => hash),
  );
  assert.equal(served, 2 * records.length);
});

test("a member that sends longer records at its second reading is left at once", async () => {
  const target = chain(9_000);
  const later = chain(40, 0, longEntry);
  const given = { sent: 0, target, members: [target], later };
  const { taken, served, punished } = await replicate(given);
  assert.deepEqual([taken, punished], [[], [0]]);
  // A fifth does not fit any more.
  assert.equal(served - target.length, 5);
});

test("who believes members alone asks them as soon as there is something to ask for", async () => {
  const records = chain(80);
  const replication = createReplication({
    sequencer: deadAfter(records, 80),
    network: {
      connected: () => [0],
      records: async function* (_member, { from, to }) {
        yield* records.slice(from, to);
      },
      punish: () => assert.fail("nobody is to blame"),
    },
    log: { head: () => ORIGIN },
    logger: silent,
    patienceMs: 5,
  });
  replication.trust(false);
  const want = (to: number): void => replication.want({ to, logHash: records[to - 1]!.hash });
  const begun = performance.now();
  setTimeout(() => want(2), 10);
  for await (const { position } of replication.follow(0, AbortSignal.timeout(20_000))) {
    if (position === records.length - 1) break;
    // The next block is wanted when this one was executed.
    if (position % 2 === 1) setTimeout(() => want(position + 3), 1);
  }
  const took = performance.now() - begun;
  assert.ok(took < 3_000, `forty blocks took ${took} ms`);
});
