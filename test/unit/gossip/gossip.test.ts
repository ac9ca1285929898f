import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { multiaddr } from "@multiformats/multiaddr";
import { ownPorts } from "../../../scripts/ownPorts.ts";
import {
  emptyHead,
  headAfter,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import type { ProofWords } from "../../../sequencer/batch/sealedBatch.ts";
import { createLogFollower } from "../../../sequencer/gossip/logFollower.ts";
import { createLogServer } from "../../../sequencer/gossip/logServer.ts";
import { createPeerNode } from "../../../sequencer/gossip/peerNode.ts";
import {
  ATTEST_PROTOCOL,
  encodeMessage,
  LOG_PROTOCOL,
  parseRecord,
} from "../../../sequencer/gossip/wire.ts";
import type {
  Attestation,
  LogFollower,
  Logger,
  LogServer,
  LogSource,
  Refusal,
} from "../../../sequencer/ports.ts";

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const SEED = "5e".repeat(32);
const PROOF: ProofWords = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
const UNENDING = new AbortController().signal;

/** A log and proofs in memory, as the server reads them. */
function memorySource() {
  const records: LogRecord[] = [];
  const proofs = new Map<number, { words: readonly bigint[]; proof: ProofWords }>();
  const source: LogSource = {
    record: async function* (from) {
      yield* records.slice(from);
    },
    proofOf: async (number) => proofs.get(number),
  };
  const grow = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const position = records.length;
      const entry = { type: "seal", number: position, root: (1n << 250n) + BigInt(position) };
      const last = records.at(-1);
      const head = last === undefined ? emptyHead(logOrigin(1n)) : headAfter(last);
      records.push(makeRecord(head, entry as never));
    }
  };
  return { source, records, proofs, grow };
}

async function startServer(
  context: TestContext,
  source: LogSource,
  listen?: string,
): Promise<LogServer> {
  const address = listen === undefined ? {} : { listen };
  const server = await createLogServer({ ...address, seed: SEED, source, logger: SILENT });
  context.after(() => server.stop());
  return server;
}

/** For a server that comes back to where it was. */
async function ownListen(): Promise<string> {
  const [port] = await ownPorts(1);
  return `/ip4/127.0.0.1/tcp/${port}`;
}

async function startFollower(context: TestContext, address: string): Promise<LogFollower> {
  const follower = await createLogFollower({ server: address, logger: SILENT });
  context.after(() => follower.stop());
  return follower;
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

/** Takes `count` items and leaves. */
async function take<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const found: T[] = [];
  if (count === 0) return found;
  for await (const item of items) {
    found.push(item);
    if (found.length === count) break;
  }
  return found;
}

test("two followers get 1,000 records, those before they came and those after", async (context) => {
  const { source, records, grow } = memorySource();
  grow(400);
  const server = await startServer(context, source);
  const [address = ""] = server.addresses();
  assert.match(address, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//);
  const followers = [await startFollower(context, address), await startFollower(context, address)];
  const following = followers.map((follower) => take(follower.follow(0, UNENDING), 1000));
  for (let round = 0; round < 12; round++) {
    await sleep(5);
    grow(50);
    server.announce(records.length);
  }
  for (const received of await Promise.all(following)) assert.deepEqual(received, records);
  assert.equal(server.peers().length, 2);
});

test("a follower that starts again goes on from where it was", async (context) => {
  const { source, records, grow } = memorySource();
  grow(100);
  const server = await startServer(context, source);
  const [address = ""] = server.addresses();
  const first = await startFollower(context, address);
  assert.equal((await take(first.follow(0, UNENDING), 60)).length, 60);
  await first.stop();
  const second = await startFollower(context, address);
  assert.deepEqual(await take(second.follow(60, UNENDING), 40), records.slice(60));
});

test("a follower finds the restarted server again, at the same address", async (context) => {
  const { source, records, grow } = memorySource();
  grow(10);
  const listen = await ownListen();
  const server = await startServer(context, source, listen);
  const [address = ""] = server.addresses();
  const follower = await startFollower(context, address);
  const following = take(follower.follow(0, UNENDING), 30);
  await sleep(100);
  await server.stop();
  grow(10);
  await sleep(150);
  const again = await startServer(context, source, listen);
  assert.deepEqual(again.addresses(), [address]);
  grow(10);
  again.announce(records.length);
  assert.deepEqual(await following, records);
});

test("a slow follower holds the server back instead of filling its memory", async (context) => {
  const { source, records, grow } = memorySource();
  grow(20_000);
  let read = 0;
  const counting: LogSource = {
    ...source,
    record: async function* (from) {
      for await (const record of source.record(from)) {
        read += 1;
        yield record;
      }
    },
  };
  const server = await startServer(context, counting);
  const follower = await startFollower(context, server.addresses()[0]!);
  let taken = 0;
  for await (const record of follower.follow(0, UNENDING)) {
    if (taken === 10) {
      await sleep(500);
      assert.ok(read < records.length, `the server has read all \`${read}\` records`);
    }
    assert.equal(record.position, taken);
    taken += 1;
    if (taken === records.length) break;
  }
});

test("what no hash of a record covers is not kept with it", () => {
  const { records, grow } = memorySource();
  grow(1);
  const sent = encodeMessage({ ...records[0], besides: "x".repeat(1_000_000) });
  assert.deepEqual(parseRecord(sent, 0), records[0]);
});

test("proofs arrive in order, each when it is there", async (context) => {
  const { source, proofs } = memorySource();
  const server = await startServer(context, source);
  const follower = await startFollower(context, server.addresses()[0]!);
  const words = Array.from({ length: 20_000 }, (_, index) => 2n ** 252n + BigInt(index));
  const following = take(follower.proofs(3, UNENDING), 3);
  await sleep(50);
  for (const number of [4, 3, 5]) {
    proofs.set(number, { words, proof: PROOF });
    server.announceProof(number);
    await sleep(10);
  }
  const expected = [3, 4, 5].map((number) => ({ number, words, proof: PROOF }));
  assert.deepEqual(await following, expected);
});

test("attestations and refusals reach the server, also one that was away", async (context) => {
  const { source } = memorySource();
  const listen = await ownListen();
  const server = await startServer(context, source, listen);
  const [address = ""] = server.addresses();
  const follower = await startFollower(context, address);
  const attestation: Attestation = {
    ...{ validator: "0xab", number: 7, root: "0x01", signature: "0xef" },
    ...{ wordsHash: "ab", logHash: "cd" },
  };
  const refusal: Refusal = {
    ...{ validator: "0xab", position: 12, logHash: "cd", signature: "0xef" },
    reason: "the root differs",
  };
  const got: unknown[] = [];
  server.onAttestation((item) => got.push(item));
  server.onRefusal((item) => got.push(item));
  await follower.attest(attestation, UNENDING);
  await follower.refuse(refusal);
  assert.deepEqual(got, [attestation, refusal]);

  await server.stop();
  const attesting = follower.attest({ ...attestation, number: 8 }, UNENDING);
  await sleep(100);
  const again = await startServer(context, source, listen);
  const later: Attestation[] = [];
  again.onAttestation((item) => later.push(item));
  await attesting;
  assert.deepEqual(later, [{ ...attestation, number: 8 }]);
});

test("an attestation that nobody takes is given up when the signal aborts", async (context) => {
  const { source } = memorySource();
  const server = await startServer(context, source);
  const follower = await startFollower(context, server.addresses()[0]!);
  await server.stop();
  const leaving = new AbortController();
  const attestation: Attestation = {
    ...{ validator: "0xab", number: 7, root: "0x01", signature: "0xef" },
    ...{ wordsHash: "ab", logHash: "cd" },
  };
  const attesting = follower.attest(attestation, leaving.signal);
  await sleep(200);
  leaving.abort();
  const late = AbortSignal.timeout(1_000);
  await assert.rejects(Promise.race([attesting, ended(late)]), { name: "AbortError" });
});

test("stopping ends what is under way", async (context) => {
  const { source, grow } = memorySource();
  grow(3);
  const server = await startServer(context, source);
  const follower = await startFollower(context, server.addresses()[0]!);
  const leaving = new AbortController();
  const counts = { byStop: 0, bySignal: 0 };
  const count = async (name: keyof typeof counts, signal: AbortSignal): Promise<void> => {
    for await (const _ of follower.follow(0, signal)) counts[name] += 1;
  };
  const byStop = count("byStop", UNENDING);
  const bySignal = count("bySignal", leaving.signal);
  while (counts.byStop < 3 || counts.bySignal < 3) await sleep(10);
  leaving.abort();
  await bySignal;
  await follower.stop();
  await byStop;
  assert.deepEqual(counts, { byStop: 3, bySignal: 3 });
  const refusal = { validator: "0xab", position: 1, logHash: "cd", signature: "0xef" };
  await assert.rejects(follower.refuse({ ...refusal, reason: "late" }));
});

const hostile: readonly { name: string; protocol: string; bytes: Uint8Array }[] = [
  { name: "a frame too long", protocol: LOG_PROTOCOL, bytes: Buffer.from("7fffffff", "hex") },
  { name: "no JSON", protocol: LOG_PROTOCOL, bytes: Buffer.from("00000002ffff", "hex") },
  { name: "a negative position", protocol: LOG_PROTOCOL, bytes: framed('{"from":-1}') },
  { name: "another message", protocol: ATTEST_PROTOCOL, bytes: framed('{"attestation":{}}') },
];

function framed(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}

test("a peer that breaks the protocol loses its stream, others go on", async (context) => {
  const { source, records, grow } = memorySource();
  grow(5);
  const server = await startServer(context, source);
  const address = server.addresses()[0]!;
  const node = await createPeerNode({ listen: [] });
  context.after(() => node.stop());
  for (const { name, protocol, bytes } of hostile) {
    const stream = await node.dialProtocol(multiaddr(address), protocol);
    const closed = new Promise((resolve) => stream.addEventListener("close", resolve));
    stream.send(bytes);
    const event = (await closed) as { error?: Error };
    assert.ok(event.error, `${name}: the stream was reset`);
  }
  const follower = await startFollower(context, address);
  assert.deepEqual(await take(follower.follow(0, UNENDING), 5), records);
});
