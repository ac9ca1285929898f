// The set of validators changes while the log goes on, with the sequencer that moves: real stores
// and libp2p nodes on loopback. One sitting ends at a position that was agreed on beforehand, the
// next one begins there with other members, one of whom has nothing and one only a part.
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import type { LogRecord } from "../../sequencer/batch/log.ts";
import { createSigner } from "../../sequencer/consensus/signing.ts";
import { ConfigError } from "../../sequencer/node/config.ts";
import { HANDOVER_FILE, readHandover } from "../../sequencer/node/handoverFile.ts";
import { loadVoteKeys } from "../../sequencer/node/voteKeys.ts";
import { DOMAIN, toyEntry, until } from "../support/committee.ts";
import {
  createMovingCommittee,
  type Machine,
  type MovingCommittee,
  settled,
} from "../support/movingCommittee.ts";

const TIMEOUT = { timeout: 240_000 };
const END = 250;
const { verify } = loadVoteKeys();

/** Appends two records at a time, each when those before are acknowledged. */
function load(created: MovingCommittee, from: number) {
  const acknowledged: LogRecord[] = [];
  const state = { isOn: true };
  const running = (async () => {
    for (let at = from; state.isOn; at += 2) {
      const records = await created.append([toyEntry(at), toyEntry(at + 1)]);
      if (records.length === 0) return;
      acknowledged.push(...records);
    }
  })();
  return {
    acknowledged,
    more: (count: number) => until("acknowledgements", () => acknowledged.length >= count, 120_000),
    stop: async () => {
      state.isOn = false;
      await running;
    },
  };
}

async function recordsOf({ store }: Machine): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of store.log.read(0)) records.push(record);
  return records;
}

function assertHas(log: readonly LogRecord[], records: readonly LogRecord[], whose: string): void {
  for (const { position, hash } of records) {
    assert.equal(log[position]?.hash, hash, `record ${position} in the log of ${whose}`);
  }
}

const handoverOf = (directory: string, key: number): string =>
  path.join(directory, `member-${key}`, HANDOVER_FILE);

function begin(file: string, epoch = 2) {
  return readHandover(file, { domain: DOMAIN, epoch, verify })!;
}

/** The first sitting, to its end: one member misses the last part of it. */
async function firstSitting(context: TestContext) {
  const created = await createMovingCommittee({
    sitting: { epoch: 1, numbers: [0, 1, 2, 3], end: END },
  });
  context.after(() => created.stop());
  const { directory } = created;
  const orders = load(created, 0);
  await orders.more(80);
  // The one that writes: what it writes alone must not stay in its log.
  const late = created.writer()!.index;
  const others = created.machines().filter(({ index }) => index !== late);
  created.machine(late).cut(others.map(({ index }) => index));
  for (const machine of others) machine.cut([late]);
  const files = others.map(({ index }) => handoverOf(directory, index));
  const isWritten = (file: string): boolean => {
    try {
      return readFileSync(file, "utf8").length > 0;
    } catch {
      return false;
    }
  };
  await until("the sitting has ended for three", () => files.every(isWritten), 120_000);
  const beginnings = files.map((file) => begin(file));
  await created.adjourn();
  await orders.stop();
  return { created, directory, late, orders, files, beginnings };
}

test(
  "E5 a sitting ends, and another one goes on with the log: nothing acknowledged is lost",
  TIMEOUT,
  async (context) => {
    const { directory, late, orders, files, beginnings } = await firstSitting(context);
    const [beginning] = beginnings;
    for (const other of beginnings) assert.deepEqual(other, beginning);
    const { to, term } = beginning!;
    assert.ok(to >= END, `${to}`);
    const { acknowledged: first } = orders;
    assert.ok(first.length >= 80);
    for (const { position, epoch } of first) assert.ok(position < to && epoch <= term);

    // One leaves, one comes: key 4 has nothing, and the late one only a part.
    const [left] = [0, 1, 2, 3].filter((key) => key !== late);
    const numbers = [4, ...[0, 1, 2, 3].filter((key) => key !== left)];
    const again = await createMovingCommittee({
      sitting: { epoch: 2, numbers, directory, handover: files[1]! },
    });
    context.after(() => again.stop());
    const more = load(again, to);
    await more.more(60);
    // Whoever leads next: the newcomer takes its turn like the others.
    for (let kill = 0; kill < 2; kill++) {
      const { index } = again.writer()!;
      await again.kill(index);
      await more.more(more.acknowledged.length + 20);
      await again.start(index);
    }
    await more.stop();
    const second = more.acknowledged;
    assert.ok(second[0]!.position >= to, "it goes on behind the handover");
    for (const { epoch } of second) assert.ok(epoch > term, "in terms that come after");
    await settled(again, second.at(-1)!.position + 1);
    for (const machine of again.machines()) {
      assert.equal(machine.ended(), undefined, `member ${machine.index} votes`);
      assertHas(await recordsOf(machine), [...first, ...second], `member ${machine.index}`);
    }
    assert.deepEqual(again.observer.violations, []);
    context.diagnostic(`${first.length} records, handover at ${to}, ${second.length} after it`);
  },
);

test("a handover that does not prove its place begins nothing", TIMEOUT, async (context) => {
  const { directory, files } = await firstSitting(context);
  const good = readFileSync(files[0]!, "utf8");
  const read = (text: string, epoch = 2) => {
    const file = path.join(directory, "changed.json");
    writeFileSync(file, text);
    return begin(file, epoch);
  };
  assert.ok(read(good).to >= END);
  const value = JSON.parse(good);
  const { block, certificate, record, sitting } = value;
  const stranger = createSigner(Uint8Array.from({ length: 32 }, () => 9)).address;
  const changes: readonly (readonly [object, RegExp])[] = [
    [{ block: { ...block, to: block.to + 1 } }, /of another block/],
    [{ block: { ...block, root: "0x1n" } }, /of another block/],
    [{ certificate: { ...certificate, kind: "notarize" } }, /may yet be replaced/],
    [
      { certificate: { ...certificate, view: { ...certificate.view, index: 9_999 } } },
      /of another block/,
    ],
    [{ certificate: { ...certificate, signatures: certificate.signatures.slice(1) } }, /quorum/],
    [{ record: { ...record, epoch: record.epoch + 1 } }, /do not fit its hash/],
    [{ record: { ...record, position: record.position - 1 } }, /do not fit its hash/],
    [{ sitting: { ...sitting, epoch: 0 } }, /forged/],
    [{ sitting: { ...sitting, members: [stranger, ...sitting.members.slice(1)] } }, /forged/],
    [{ sitting: { ...sitting, members: sitting.members.slice(1) } }, /can certify/],
    [{ block: 1 }, /must be an object/],
  ];
  for (const [change, reason] of changes) {
    const name = JSON.stringify(Object.keys(change));
    const matches = (error: unknown): boolean =>
      error instanceof ConfigError && reason.test(error.message);
    assert.throws(
      () => read(JSON.stringify({ ...value, ...change })),
      matches,
      `${name} ${reason}`,
    );
  }
  assert.throws(() => read(good.slice(0, 50)), /cut off/);
  assert.throws(() => read(good, 1), /it is of epoch 1/);
  rmSync(path.join(directory, "changed.json"));
  assert.throws(() => begin(path.join(directory, "changed.json")), ConfigError);
});
