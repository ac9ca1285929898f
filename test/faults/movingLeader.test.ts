// The order log's `simplex` engine: the sequencer moves with the leader. Real stores and libp2p
// nodes on loopback; machines are killed, cut off and lied to while orders come in.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  emptyHead,
  headAfter,
  type LogEntry,
  type LogHead,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../sequencer/batch/log.ts";
import { createLogServer } from "../../sequencer/gossip/logServer.ts";
import { DOMAIN, toyEntry, until } from "../support/committee.ts";
import {
  createMovingCommittee,
  type Machine,
  type MovingCommittee,
  type MovingOptions,
  sequencerSeed,
  settled,
} from "../support/movingCommittee.ts";
import { UNRULY } from "../support/unruly.ts";

const KILLS = 10;
/** Terms last a second; the machine may be busy. */
const FAILOVER_MS_MAX = 10_000;
const TIMEOUT = { timeout: 240_000 };
/** What a machine shows of its log before it lies. */
const TRUE_RECORDS = 20;

async function committee(context: TestContext, options: MovingOptions = {}) {
  const created = await createMovingCommittee(options);
  context.after(() => created.stop());
  return created;
}

/** Orders that come in all the time; what was acknowledged, and when last. */
function load(context: TestContext, created: MovingCommittee) {
  const acknowledged: LogRecord[] = [];
  const state = { isOn: true, lastAt: performance.now() };
  const running = (async () => {
    for (let count = 0; state.isOn; count++) {
      await sleep(2);
      const records = await created.append([toyEntry(10 * count), toyEntry(10 * count + 1)]);
      acknowledged.push(...records);
      state.lastAt = performance.now();
    }
  })();
  const next = async (): Promise<number> => {
    const before = acknowledged.length;
    await until("an acknowledgement", () => acknowledged.length > before, 60_000);
    return state.lastAt;
  };
  const stop = async (): Promise<readonly LogRecord[]> => {
    state.isOn = false;
    await running;
    return acknowledged;
  };
  context.after(() => {
    state.isOn = false;
  });
  return { acknowledged, next, stop };
}

async function logOf({ store }: Machine, to: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of store.log.read(0)) if (record.position < to) records.push(record);
  return records;
}

/** What was acknowledged stands in every member's final log, once, at its place. */
async function assertKept(created: MovingCommittee, acknowledged: readonly LogRecord[]) {
  const to = acknowledged.at(-1)!.position + 1;
  await settled(created, to);
  for (const machine of created.machines()) {
    assert.equal(machine.ended(), undefined, `member ${machine.index} votes`);
    const log = await logOf(machine, to);
    assert.equal(log.length, to);
    for (const { position, hash } of acknowledged) assert.equal(log[position]!.hash, hash);
  }
  const places = acknowledged.map(({ position }) => position);
  assert.equal(new Set(places).size, places.length);
  assert.deepEqual(created.observer.violations, []);
}

test(
  "E5 ten machines in a row end while they write: a term change each, nothing lost",
  TIMEOUT,
  async (context) => {
    const created = await committee(context);
    const orders = load(context, created);
    const times: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await orders.next();
      const { index } = created.writer()!;
      const killed = performance.now();
      await created.kill(index);
      times.push((await orders.next()) - killed);
      await created.start(index);
      // A machine that has just come back must not be missed at once.
      const { member } = created.machine(index);
      const { position } = orders.acknowledged.at(-1)!;
      await until(
        "it has caught up",
        () => (member.progress()?.final?.block.to ?? 0) > position,
        60_000,
      );
    }
    await assertKept(created, await orders.stop());
    const epochs = new Set(orders.acknowledged.map(({ epoch }) => epoch));
    assert.ok(epochs.size > KILLS, "each leader wrote in an epoch of its own");
    const sorted = times.map(Math.round).sort((a, b) => a - b);
    assert.ok(sorted[KILLS / 2]! < FAILOVER_MS_MAX, `a term or two, not ${sorted[KILLS / 2]} ms`);
    context.diagnostic(`kill to acknowledgement: ${sorted.join(", ")} ms`);
  },
);

test("a leader whose sequencer ends gives its term up", TIMEOUT, async (context) => {
  const created = await committee(context, {
    timing: { termMs: 20_000, heartbeatMs: 150, resendMs: 250 },
  });
  const orders = load(context, created);
  await orders.next();
  const first = created.writer()!;
  const broken = performance.now();
  first.breakSequencer();
  await until("another writes", () => (created.writer()?.index ?? first.index) !== first.index);
  const took = (await orders.next()) - broken;
  assert.ok(took < 10_000, `without waiting for the term to run out: ${took} ms`);
  await assertKept(created, await orders.stop());
});

test(
  "a leader that is cut off acknowledges nothing, and what it wrote is cut off",
  TIMEOUT,
  async (context) => {
    const created = await committee(context);
    const orders = load(context, created);
    await orders.next();
    const alone = created.writer()!;
    const others = created.machines().filter((machine) => machine !== alone);
    alone.cut(others.map(({ index }) => index));
    for (const machine of others) machine.cut([alone.index]);
    const lost = alone
      .log()
      ?.append([toyEntry(7)])
      .then(
        () => "acknowledged",
        () => "refused",
      );
    await until("another writes", () => others.some((machine) => machine.log()));
    await orders.next();
    const before = alone.store.log.head().position;
    await sleep(500);
    alone.cut([]);
    for (const machine of others) machine.cut([]);
    await orders.next();
    await assertKept(created, await orders.stop());
    assert.equal(await lost, "refused");
    context.diagnostic(`the cut off leader's member had ${before} records`);
  },
);

/**
 * Under the name of the machine at `index`: its log for the first records that anybody asks for,
 * and from there on records that nobody else is shown.
 */
async function startTwin(
  created: MovingCommittee,
  index: number,
  entryAt: (count: number) => LogEntry = (count) => toyEntry(1000 + 10 * count),
) {
  let lies = 0;
  let from: number | undefined;
  const source = {
    record: async function* (position: number) {
      from ??= position + TRUE_RECORDS;
      let head: LogHead = emptyHead(logOrigin(DOMAIN));
      for await (const record of created.machine(index).store.log.read(0)) {
        if (record.position >= from) break;
        head = headAfter(record);
        if (record.position >= position) yield record;
      }
      if (head.position < from) return;
      for (let count = 0; count < 5; count++) {
        const record = makeRecord(head, entryAt(count), 1);
        head = headAfter(record);
        if (record.position < position) continue;
        lies += 1;
        yield record;
      }
    },
    proofOf: async () => undefined,
  };
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const server = await createLogServer({ seed: sequencerSeed(index), source, logger });
  const announcing = setInterval(() => server.announce(0), 20);
  return {
    address: server.addresses()[0]!,
    lies: () => lies,
    from: () => from ?? 0,
    stop: async () => {
      clearInterval(announcing);
      await server.stop();
    },
  };
}

/** A committee whose first leader will show one member, which begins anew, another log. */
async function withLiar(context: TestContext, entryAt?: (count: number) => LogEntry) {
  const shown = new Map<number, string>();
  let liar: number | undefined;
  const created = await committee(context, {
    // Long enough that a busy machine does not replace the liar before anybody has asked it.
    timing: { termMs: 20_000, heartbeatMs: 150, resendMs: 250 },
    serversOf: (member, servers) =>
      servers.map((server, index) => (index === liar && shown.get(member)) || server),
  });
  const orders = load(context, created);
  await orders.next();
  liar = created.writer()!.index;
  const twin = await startTwin(created, liar, entryAt);
  context.after(twin.stop);
  const index = (liar + 1) % created.peers.length;
  shown.set(index, twin.address);
  await created.kill(index);
  await created.start(index);
  await until("the victim was shown the other log", () => twin.lies() > 0, 60_000);
  const { member } = created.machine(index);
  const final = (): number => member.progress()?.final?.block.to ?? 0;
  await until("it has the true one", () => final() > twin.from() + TRUE_RECORDS, 60_000);
  await assertKept(created, await orders.stop());
  return member;
}

test("E21 a leader that shows one member another log harms nobody", TIMEOUT, async (context) => {
  await withLiar(context);
});

test(
  "a member that is shown what breaks the rules has the log from others in the same term",
  TIMEOUT,
  async (context) => {
    const member = await withLiar(context, () => UNRULY);
    assert.equal(member.progress()?.term, 1, "the others had no reason to leave their leader");
  },
);
