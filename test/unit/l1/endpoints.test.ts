/** Endpoints that lie or lag: the client notices, says why, and does nothing. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { Hex } from "viem";
import {
  createSettlementLayer,
  type SettlementLayerOptions,
} from "../../../sequencer/l1/settlementLayer.ts";
import { createClock, silent } from "../roles/ports.ts";
import {
  operator,
  PROOF,
  type RollupNode,
  type RpcMessage,
  type RpcRequest,
  startProxy,
  startRollupNode,
  tradeBatch,
} from "./rollupNode.ts";

type Change = (request: RpcRequest, answer: RpcMessage) => void;
type Block = { number: Hex; hash: Hex; parentHash: Hex };

const honest: Change = () => undefined;
const OTHER_HASH: Hex = `0x${"ab".repeat(32)}`;

let node: RollupNode;
let fresh: Hex;
let sent = 0;
let proxy: Awaited<ReturnType<typeof startProxy>>;
let change = honest;

before(async () => {
  node = await startRollupNode();
  proxy = await startProxy(node.rpcUrl, (request, answer) => {
    if (request.method === "eth_sendRawTransaction") sent += 1;
    change(request, answer);
  });
  await node.test.mine({ blocks: 4 });
  fresh = await node.test.snapshot();
});
after(() => {
  proxy.stop();
  return node.stop();
});
beforeEach(async () => {
  change = honest;
  sent = 0;
  await node.test.revert({ id: fresh });
  fresh = await node.test.snapshot();
});

/** The proxy is the first endpoint unless `overrides` say otherwise. */
function connect(overrides: Partial<SettlementLayerOptions> = {}) {
  const { rollup } = node;
  return createSettlementLayer({
    ...{ rpcUrl: proxy.url, rollup, account: operator, confirmations: 1, logger: silent },
    ...{ replaceMs: 200, pollMs: 20, headLagMax: 2, firstBlock: 7n },
    ...overrides,
  });
}

const block = (answer: RpcMessage) => answer.result as Block;
const isBlock = ({ method }: RpcRequest): boolean => method.startsWith("eth_getBlockBy");

/** Block by number, other than the newest, with another hash. */
const otherHash: Change = (request, answer) => {
  if (request.method !== "eth_getBlockByNumber" || request.params?.[0] === "latest") return;
  block(answer).hash = OTHER_HASH;
};
const otherChain: Change = (request, answer) => {
  if (request.method === "eth_chainId") answer.result = "0x5";
};
const otherNumbers: Change = (request, answer) => {
  if (request.method === "eth_call") answer.result = `0x${"1".padStart(64, "0")}`;
};
const otherNonce: Change = (request, answer) => {
  if (request.method === "eth_getTransactionCount") answer.result = "0x3";
};
const noEvents: Change = (request, answer) => {
  if (request.method === "eth_getLogs") answer.result = [];
};

const lies: readonly (readonly [string, Change, RegExp])[] = [
  ["the hash of a block", otherHash, /endpoints disagree on the hash at block/],
  ["the chain id", otherChain, /an endpoint serves chain `5` instead of/],
  ["the contract's numbers", otherNumbers, /endpoints disagree on the (batch|root|queue's end)/],
  ["the account's nonce", otherNonce, /endpoints disagree on the nonce/],
];

for (const [what, lie, expected] of lies) {
  for (const liar of ["first", "second"] as const) {
    test(`E11 a lie of the ${liar} endpoint about ${what} pauses the client`, async () => {
      const urls =
        liar === "first"
          ? { rpcUrl: proxy.url, witnessUrl: node.rpcUrl }
          : { rpcUrl: node.rpcUrl, witnessUrl: proxy.url };
      const layer = connect({ ...urls, chainId: 31337 });
      const batch = await tradeBatch(node, 1);
      await node.queue.deposit(500n);
      await node.test.mine({ blocks: 1 });
      const before = await node.test.getTransactionCount({ address: operator.address });
      change = lie;
      for (const act of [
        () => layer.anchored(),
        () => layer.queued(0),
        () => layer.submitBatch(batch, PROOF),
      ]) {
        await assert.rejects(act, expected);
      }
      assert.match(layer.report().paused ?? "", expected);
      assert.equal(layer.report().stopped, null);
      assert.equal(await node.test.getTransactionCount({ address: operator.address }), before);
      change = honest;
      assert.equal((await layer.queued(0)).length, 1);
      await layer.submitBatch(batch, PROOF);
      assert.equal(layer.report().paused, null);
    });
  }
}

test("E11 events that only one endpoint tells are not credited", async () => {
  await node.queue.deposit(500n);
  await node.test.mine({ blocks: 2 });
  change = (request, answer) => {
    if (request.method !== "eth_getLogs") return;
    for (const log of answer.result as { data: Hex }[]) {
      // 500 becomes 501: the count is right, the money is not.
      log.data = log.data.replace("1f4", "1f5") as Hex;
    }
  };
  const layer = connect({ witnessUrl: node.rpcUrl });
  await assert.rejects(layer.queued(0), /endpoints disagree on queue events/);
  assert.match(layer.report().paused ?? "", /endpoints disagree on queue events/);
  change = noEvents;
  await assert.rejects(layer.queued(0), /endpoints disagree on queue events/);
  change = honest;
  const [entry] = await layer.queued(0);
  assert.ok(entry?.operation.kind === "deposit" && entry.operation.amount === 500);
  assert.equal(layer.report().paused, null);
});

/** An endpoint that stays at the block it has now. */
async function stayBehind(): Promise<Change> {
  const head = await node.test.getBlock();
  const { parentHash, hash } = head;
  return (request, answer) => {
    if (request.method !== "eth_getBlockByNumber" || request.params?.[0] !== "latest") return;
    const number: Hex = `0x${head.number.toString(16)}`;
    Object.assign(block(answer), { number, hash, parentHash });
  };
}

for (const late of ["first", "second"] as const) {
  test(`E11 a ${late} endpoint that lags behind pauses the client`, async () => {
    const urls =
      late === "first"
        ? { rpcUrl: proxy.url, witnessUrl: node.rpcUrl }
        : { rpcUrl: node.rpcUrl, witnessUrl: proxy.url };
    const layer = connect(urls);
    change = await stayBehind();
    await node.test.mine({ blocks: 2 });
    await layer.anchored();
    await node.test.mine({ blocks: 1 });
    const batch = await tradeBatch(node, 1);
    const name = late === "first" ? "layer one's endpoint" : "the second endpoint";
    const expected = new RegExp(`${name} is \`3\` blocks behind the other, at most 2`);
    await assert.rejects(layer.submitBatch(batch, PROOF), expected);
    assert.match(layer.report().paused ?? "", expected);
    assert.equal(sent, 0);
    change = honest;
    await layer.submitBatch(batch, PROOF);
    assert.equal(layer.report().paused, null);
  });
}

test("E11 without a second endpoint's word nothing is done", async () => {
  const layer = connect({ witnessUrl: "http://127.0.0.1:1" });
  await assert.rejects(layer.queued(0));
  assert.match(layer.report().paused ?? "", /the second endpoint fails/);
});

test("E11 a lone endpoint that goes back is not believed", async () => {
  const layer = connect();
  const old = await stayBehind();
  await layer.anchored();
  await node.test.mine({ blocks: 1 });
  assert.equal(layer.report().head, Number(await node.test.getBlockNumber()) - 1);
  await layer.anchored();
  change = old;
  await assert.rejects(layer.anchored(), /went back from block/);
  assert.match(layer.report().paused ?? "", /went back from block/);
  change = honest;
  await layer.anchored();
  assert.equal(layer.report().paused, null);
});

test("E11 a lone endpoint whose blocks do not link is not believed", async () => {
  const layer = connect();
  await layer.anchored();
  await node.test.mine({ blocks: 2 });
  change = (request, answer) => {
    if (isBlock(request) && block(answer) !== null) block(answer).parentHash = OTHER_HASH;
  };
  await assert.rejects(layer.anchored(), /names a parent, .* does not have/);
  change = (request, answer) => {
    if (request.method === "eth_getBlockByHash") block(answer).hash = OTHER_HASH;
  };
  await assert.rejects(layer.anchored(), /names a parent, .* is another block/);
  assert.match(layer.report().paused ?? "", /names a parent/);
  change = honest;
  await layer.anchored();
  assert.deepEqual([layer.report().paused, layer.report().reorgs], [null, 0]);
});

test("E11 a lone endpoint that serves another chain, or a stale one, is not believed", async () => {
  change = otherChain;
  await assert.rejects(connect({ chainId: 31337 }).anchored(), /serves chain `5`/);
  change = honest;
  const { timestamp } = await node.test.getBlock();
  const clock = createClock(Number(timestamp) * 1000 + 59_000);
  const layer = connect({ headAgeMsMax: 60_000, clock });
  await layer.anchored();
  clock.advance(2000);
  await assert.rejects(layer.anchored(), /is `61000` ms old/);
  assert.match(layer.report().paused ?? "", /ms old/);
});
