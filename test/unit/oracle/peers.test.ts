// What is read from others: the series table is never a guess, one bad oracle hides nothing.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import {
  createOraclePeer,
  createSnapshotSource,
  createTableReader,
} from "../../../sequencer/oracle/peers.ts";
import { snapshotToJson } from "../../../sequencer/oracle/snapshotJson.ts";
import { SCENARIOS, TIME_BITS } from "../../../sequencer/protocol/constants.ts";
import { publicKeyOf, sign } from "../../../sequencer/protocol/eddsa.ts";
import { type Snapshot, snapshotHash } from "../../../sequencer/protocol/snapshot.ts";

/** Undefined cuts the line. */
async function serve(answerNow: () => unknown): Promise<string> {
  const server = createServer((request, response) => {
    const said = answerNow();
    if (said === undefined) request.socket.destroy();
    else response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, ...(said as object) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let answer: unknown;
const url = await serve(() => answer);

const listed = { status: "listed", isCall: true, strike: 25_000, expiry: 1_800_000_000 };
const empty = { status: "empty", isCall: false, strike: 0, expiry: 0 };

test("an oracle that has never seen the table says so, one that has goes on with it", async () => {
  const read = createTableReader(url, 2);
  answer = undefined;
  await assert.rejects(read());
  answer = { error: { code: -32_603, message: "not ready" } };
  await assert.rejects(read(), /straddle\/get_series .* not ready/);
  answer = { result: { series: [listed, empty], announced: [] } };
  assert.deepEqual(await read(), [listed, empty]);
  answer = undefined;
  assert.deepEqual(await read(), [listed, empty], "the sequencer is away");
  answer = { result: { series: [listed], announced: [] } };
  await assert.rejects(read(), /`1` slots, the deployment has 2/);
  answer = { result: { series: [{ ...listed, strike: -1 }, empty] } };
  await assert.rejects(read(), /strike/);
});

test("what is announced is in the table's free slots, never in a listed one's", async () => {
  const read = createTableReader(url, 2);
  const terms = { isCall: false, strike: 24_000, expiry: listed.expiry };
  const announced = [0, 1, 2].map((slot) => ({ slot, ...terms }));
  answer = { result: { series: [listed, { ...listed, status: "settled" }], announced } };
  assert.deepEqual(await read(), [listed, { status: "announced", ...terms }]);
});

test("a peer's refusal comes with its code, and is cut where it is long", async () => {
  const peer = createOraclePeer(url);
  answer = { result: { code: 44, reason: "x".repeat(5000) } };
  const review = await peer.sign({});
  assert.ok("reason" in review);
  assert.equal(review.code, 44);
  assert.equal(review.reason.length, 1003);
  answer = { result: { signature: { signer: -1, r8x: "1", r8y: "2", s: "3" } } };
  await assert.rejects(peer.sign({}), /signer/);
});

const NOW = 1_800_000_000_000;
const SECRETS = [1n, 2n, 3n];
const SET = { domain: 7n, oracles: SECRETS.map(publicKeyOf), quorum: 2 };

function snapshotAt(time: number, signers: readonly number[]): Snapshot {
  const terms = { isCall: true, strike: 7, expiry: NOW / 1000 };
  const slots = [{ terms, mark: 5, isFinal: false, changes: new Array<number>(SCENARIOS).fill(1) }];
  const hash = snapshotHash(SET.domain, { time, slots });
  const signatures = signers.map((signer) => ({ signer, ...sign(SECRETS[signer]!, hash) }));
  return { time, slots, signatures };
}

test("whatever one oracle answers, the newest snapshot of a quorum is found", async () => {
  const good = snapshotAt(NOW, [0, 2]);
  const older = snapshotAt(NOW - 1000, [0, 1, 2]);
  const alone = snapshotAt(NOW + 500, [1]);
  const end = 2 ** TIME_BITS - 1;
  const lies: readonly (readonly [string, unknown])[] = [
    ["of the end of time", { result: { time: end, slots: [], signatures: [] } }],
    ["signed by itself alone", { result: snapshotToJson(alone) }],
    [
      "with others' signatures of something else",
      { result: snapshotToJson({ ...good, time: NOW + 1 }) },
    ],
    ["of the same time, unsigned", { result: { time: NOW, slots: [], signatures: [] } }],
    ["malformed", { result: { time: -1 } }],
    ["of another kind", { result: "none" }],
    ["nothing", {}],
    ["null", { result: null }],
    ["an error", { error: { code: 1, message: "no" } }],
    ["silence", undefined],
  ];
  let lie: unknown;
  const liar = await serve(() => lie);
  const honest = await serve(() => ({ result: snapshotToJson(good) }));
  const late = await serve(() => ({ result: snapshotToJson(older) }));
  for (const [name, said] of lies) {
    lie = said;
    const source = createSnapshotSource([liar, late, honest], SET);
    assert.deepEqual(await source.latest(), good, name);
    // What has been verified is remembered, and a copy of its time is not taken for it.
    assert.deepEqual(await source.latest(), good, `${name}, again`);
    const lonely = createSnapshotSource([liar], SET);
    await assert.rejects(lonely.latest(), /no oracle has a snapshot that a quorum/, name);
  }
});

test("a signature's numbers are decimal or 0x, from snapshots and from peers", async () => {
  const [signature] = snapshotAt(NOW, [1]).signatures;
  const { signer, r8x, r8y, s } = signature!;
  answer = {
    result: { signature: { signer, r8x: `${r8x}`, r8y: `0x${r8y.toString(16)}`, s: `${s}` } },
  };
  assert.deepEqual(await createOraclePeer(url).sign({}), { signature });
});
