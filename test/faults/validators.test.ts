// E21, what members of the validator set can do to one another: nodes on loopback in one process,
// with the transport, the signatures and the disks that validators have.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { multiaddr } from "@multiformats/multiaddr";
import { type Block, blockHash } from "../../sequencer/consensus/block.ts";
import { checkEvidence } from "../../sequencer/consensus/verification.ts";
import { createLogFollower } from "../../sequencer/gossip/logFollower.ts";
import { MEMBER_PROTOCOL } from "../../sequencer/gossip/memberWire.ts";
import { createPeerNode } from "../../sequencer/gossip/peerNode.ts";
import {
  type Committee,
  type CommitteeOptions,
  createCommittee,
  GENESIS_ROOT,
  recordAt,
  until,
} from "../support/committee.ts";
import { createLiar, type Liar } from "../support/liar.ts";

const MEGABYTE = 2 ** 20;

async function committee(context: TestContext, options: Partial<CommitteeOptions> = {}) {
  const created = await createCommittee({ members: 4, ...options });
  context.after(() => created.stop());
  return created;
}

async function liarIn(context: TestContext, created: Committee, index: number): Promise<Liar> {
  const liar = await createLiar(created, index);
  context.after(() => liar.mesh.stop());
  const others = created.peers.length - 1;
  await until("the liar is connected", () => liar.mesh.connected().length === others);
  return liar;
}

const allAt = ({ seats }: Committee, position: number) =>
  seats().every((seat) => seat.position() === position);

/** The first leader's block of the log's first ten records, as honest ones have them. */
async function firstBlock({ seat, genesis }: Committee, root: bigint): Promise<Block> {
  const record = await recordAt(seat(1).store, 9);
  const view = { term: 1, index: 0 };
  const place = { height: 1, view, parent: blockHash(genesis), from: 0, to: 10 };
  return { ...place, logHash: record.hash, root };
}

const SLOW = { termMs: 3_000, heartbeatMs: 150, resendMs: 250 };

test("E21 equivocation: two proposals for one view convict, one is final", async (context) => {
  const created = await committee(context, { absent: [0], timing: SLOW });
  const { grow, seats, rules, observer, seat } = created;
  const liar = await liarIn(context, created, 0);
  await grow(10);
  await until("the log is there", () =>
    seats().every((each) => each.store.log.head().position === 10),
  );
  const root = (await recordAt(seat(1).store, 9)).entry;
  const good = await firstBlock(created, root.type === "seal" ? root.root : GENESIS_ROOT);
  const empty = { ...good, to: 0, logHash: created.genesis.logHash, root: GENESIS_ROOT };
  liar.mesh.send([1, 2], liar.propose(good));
  liar.mesh.send([3], liar.propose(empty));
  liar.mesh.send([1, 2, 3], { type: "vote", vote: liar.propose(empty).vote, certificate: null });
  await until("they go on without it", () => allAt(created, 10));
  assert.ok(seats().every((each) => each.term() > 1));
  assert.ok(seats().some((each) => (each.member.progress()?.evidence ?? 0) > 0));
  assert.deepEqual(observer.violations, []);
  const [first, second] = [liar.propose(good).vote, liar.propose(empty).vote];
  assert.equal(checkEvidence(rules, { first, second }), "two notarized");
});

test("E21 wrong root: no vote, and the next leader's is right", async (context) => {
  const created = await committee(context, { absent: [0], timing: SLOW });
  const { grow, seats, observer } = created;
  const liar = await liarIn(context, created, 0);
  await grow(10);
  await until("the log is there", () =>
    seats().every((each) => each.store.log.head().position === 10),
  );
  const block = await firstBlock(created, 99n);
  liar.mesh.send([1, 2, 3], liar.propose(block));
  await until("the term is given up", () => seats().every((each) => each.term() > 1), 2_500);
  await until("the right root is final", () => allAt(created, 10));
  for (const each of seats()) {
    const final = each.member.progress()?.final?.block;
    assert.notEqual(final?.root, 99n);
    const { entry } = await recordAt(each.store, 9);
    assert.equal(entry.type === "seal" && entry.root, final?.root);
  }
  assert.deepEqual(observer.violations, []);
});

test("E21 below two thirds: nothing is final until a third member comes", async (context) => {
  const created = await committee(context, { absent: [0, 3] });
  const { grow, seats, start, observer } = created;
  await grow(50);
  await sleep(3_000);
  assert.ok(seats().every((each) => each.height() === 0));
  await start(3);
  await until("three of four certify", () => allAt(created, 50));
  assert.deepEqual(observer.violations, []);
});

test("E21 partition heal: halves stand still, all converge after it", async (context) => {
  const created = await committee(context);
  const { grow, seats, seat, observer } = created;
  await grow(20);
  await until("the beginning", () => allAt(created, 20));
  for (const each of seats()) each.cut(each.index < 2 ? [2, 3] : [0, 1]);
  await grow(20);
  // Votes that were on their way may still make what was there before final, nothing of the rest.
  await sleep(2_000);
  assert.ok(seats().every((each) => each.position() <= 20));
  for (const each of seats()) each.cut(each.index === 3 ? [0, 1, 2] : [3]);
  await until("the majority", () => [0, 1, 2].every((index) => seat(index).position() === 40));
  assert.equal(seat(3).position(), 20);
  for (const each of seats()) each.cut([]);
  await until("the healed one", () => allAt(created, 40));
  assert.deepEqual(observer.violations, []);
});

test("E21 flood: sending without end fills no memory, stops nobody", async (context) => {
  const limits = { messages: { perSecond: 200, burst: 200 } };
  const created = await committee(context, { absent: [3], limits });
  const { grow, observer, rules } = created;
  const liar = await liarIn(context, created, 3);
  await grow(10);
  await until("the beginning", () => allAt(created, 10));
  global.gc?.();
  const before = process.memoryUsage().rss;
  const end = performance.now() + 4_000;
  let sent = 0;
  // Real votes, each of its own place and signed: nothing is wrong with any of them.
  const vote = (index: number) =>
    liar.vote({ kind: "notarize", term: 1, view: { term: 1, index }, block: rules.genesis });
  const votes = Array.from({ length: 500 }, (_, index) => vote(index));
  while (performance.now() < end) {
    for (const each of votes)
      liar.mesh.send([0, 1, 2], { type: "vote", vote: each, certificate: null });
    sent += votes.length;
    await grow(1);
    await sleep(20);
  }
  const head = created.head();
  const ms = await until("they certify what came meanwhile", () => allAt(created, head), 10_000);
  const grown = (process.memoryUsage().rss - before) / MEGABYTE;
  context.diagnostic(
    `${sent} votes offered to each, ${grown.toFixed(0)} MB more, then ${ms.toFixed(0)} ms`,
  );
  assert.ok(grown < 200, `the process has grown by ${grown} MB`);
  assert.ok(sent > 10_000);
  assert.deepEqual(observer.violations, []);
});

const GARBAGE: readonly (readonly [what: string, bytes: Buffer])[] = [
  ["a frame too long", Buffer.from("7fffffff", "hex")],
  ["no JSON", Buffer.from("00000002ffff", "hex")],
  ["another message", framed('{"type":"gossip"}')],
  ["a vote that nobody signed", framed(forgedVote())],
];

function framed(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}

function forgedVote(): string {
  const place = { term: 1, view: { term: 1, index: 0 }, block: "ab".repeat(32) };
  const vote = { kind: "notarize", ...place, validator: 1, signature: `0x${"11".repeat(65)}` };
  return JSON.stringify({ type: "vote", vote, certificate: null });
}

test("E21 garbage: whoever sends it is cut off, others go on", async (context) => {
  const limits = { banMsMin: 200 };
  const created = await committee(context, { absent: [3], limits });
  const { grow, seeds, addressOf } = created;
  const node = await createPeerNode({ listen: [], seed: seeds[3]! });
  context.after(() => node.stop());
  for (const [round, [what, bytes]] of GARBAGE.entries()) {
    const dial = () => node.dialProtocol(multiaddr(addressOf(0)!), MEMBER_PROTOCOL);
    const stream = await dial();
    const closed = new Promise((resolve) => stream.addEventListener("close", resolve));
    stream.send(bytes);
    await closed;
    await until(`${what}: it is disconnected`, () => node.getConnections().length === 0, 5_000);
    await assert.rejects(async () => {
      const again = await dial();
      await new Promise((_, reject) =>
        again.addEventListener("close", () => reject(new Error("closed"))),
      );
    }, what);
    await sleep(200 * 2 ** round + 100);
  }
  await grow(30);
  await until("the others certify", () => allAt(created, 30));
});

test("E21 eclipse: strangers are not let in, members keep their links", async (context) => {
  const created = await committee(context);
  const { grow, seat, addressOf, observer } = created;
  await grow(10);
  await until("the beginning", () => allAt(created, 10));
  const strangers = await Promise.all(
    Array.from({ length: 8 }, () => createPeerNode({ listen: [] })),
  );
  context.after(() => Promise.all(strangers.map((node) => node.stop())));
  const target = multiaddr(addressOf(0)!);
  let streams = 0;
  for (let round = 0; round < 5; round++) {
    const dials = strangers.map(async (node) => {
      const stream = await node.dialProtocol(target, MEMBER_PROTOCOL);
      await sleep(50);
      if (stream.status === "open") streams += 1;
    });
    await Promise.allSettled(dials);
    await grow(10);
  }
  assert.equal(streams, 0, "a stranger has a stream");
  assert.deepEqual([...seat(0).network().connected()].sort(), [1, 2, 3]);
  await until("certified all the same", () => allAt(created, 60));
  // One that is cut off from the sequencer and all members but one still hears what is final.
  const lone = seat(0);
  lone.cut([1, 2]);
  for (const other of [1, 2]) seat(other).cut([0]);
  await grow(10);
  await until("the others", () => [1, 2, 3].every((index) => seat(index).position() === 70));
  await sleep(500);
  assert.ok(lone.position() <= 70);
  for (const each of created.seats()) each.cut([]);
  await until("all of them", () => allAt(created, 70));
  assert.deepEqual(observer.violations, []);
});

test("E21 twenty nodes: sixteen members certify, four follow", async (context) => {
  const timing = { termMs: 8_000, heartbeatMs: 1_000, resendMs: 1_500 };
  const created = await committee(context, { members: 16, timing });
  const { grow, sequencer, seats, observer, kill } = created;
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const followers = await Promise.all(
    Array.from({ length: 4 }, () =>
      createLogFollower({ server: sequencer().addresses()[0]!, logger }),
    ),
  );
  context.after(() => Promise.all(followers.map((follower) => follower.stop())));
  const leaving = new AbortController();
  const heads = followers.map(async (follower) => {
    for await (const { position, hash } of follower.follow(0, leaving.signal)) {
      if (position === 299) return hash;
    }
    return undefined;
  });
  for (let round = 0; round < 10; round++) await grow(20);
  await until("sixteen certify", () => allAt(created, 200), 90_000);
  // Five faults are what sixteen bear, the leader's among them.
  for (const index of [0, 3, 6, 9, 12]) await kill(index);
  await grow(100);
  await until("eleven of sixteen certify", () => allAt(created, 300), 90_000);
  const final = seats().map((each) => each.member.progress()?.final?.block.logHash);
  for (const hash of await Promise.all(heads)) assert.ok(final.every((own) => own === hash));
  leaving.abort();
  assert.deepEqual(observer.violations, []);
});
