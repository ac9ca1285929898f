// The series table as oracles read it: never a guess.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { createOraclePeer, createTableReader } from "../../../sequencer/oracle/peers.ts";

let answer: unknown;
const server = createServer((request, response) => {
  if (answer === undefined) request.socket.destroy();
  else response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, ...(answer as object) }));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => {
  server.closeAllConnections();
  server.close();
});

const listed = { status: "listed", isCall: true, strike: 25_000, expiry: 1_800_000_000 };
const empty = { status: "empty", isCall: false, strike: 0, expiry: 0 };

test("an oracle that has never seen the table says so, one that has goes on with it", async () => {
  const read = createTableReader(url, 2);
  answer = undefined;
  await assert.rejects(read());
  answer = { error: { code: -32_603, message: "not ready" } };
  await assert.rejects(read(), /public\/chain .* not ready/);
  answer = { result: { series: [listed, empty] } };
  assert.deepEqual(await read(), [listed, empty]);
  answer = undefined;
  assert.deepEqual(await read(), [listed, empty], "the sequencer is away");
  answer = { result: { series: [listed] } };
  await assert.rejects(read(), /`1` slots, the deployment has 2/);
  answer = { result: { series: [{ ...listed, strike: -1 }, empty] } };
  await assert.rejects(read(), /strike/);
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
