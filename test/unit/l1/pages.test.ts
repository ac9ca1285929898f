/** Endpoints that give the events of few blocks at once, or none. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createQueueCheck } from "../../../sequencer/roles/queueCheck.ts";
import { createValues } from "../roles/ports.ts";
import { type Bench, type Change, honest, startBench } from "./bench.ts";
import { PROOF, tradeBatch } from "./rollupNode.ts";

const BLOCKS = 2_500;

let bench: Bench;

before(async () => {
  bench = await startBench();
  await bench.node.queue.deposit(500n);
  await bench.node.test.mine({ blocks: BLOCKS });
  await bench.node.queue.deposit(600n);
  await bench.node.test.mine({ blocks: 1 });
  // What follows begins from here each time.
  await bench.keep();
});
after(() => bench.stop());
beforeEach(() => bench.reset());

/** As providers do, each in its own words. */
function limit(blocks: bigint): Change {
  return ({ method, params }, answer) => {
    if (method !== "eth_getLogs") return;
    const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }];
    if (BigInt(toBlock) - BigInt(fromBlock) < blocks) return;
    delete answer.result;
    answer.error = { code: -32602, message: `at most ${blocks} blocks` };
  };
}

const pages = (): number => bench.asked.filter((method) => method === "eth_getLogs").length;

for (const blocks of [1_000n, 300n]) {
  test(`E11 an endpoint that gives ${blocks} blocks at once is read in pages`, async () => {
    const { node } = bench;
    bench.change = limit(blocks);
    const values = createValues();
    const layer = bench.connect({ values });
    const amounts = (await layer.queued(0)).map(({ operation }) =>
      operation.kind === "deposit" ? operation.amount : undefined,
    );
    assert.deepEqual(amounts, [500, 600]);
    const batch = await tradeBatch(node, 1);
    assert.equal((await layer.submitBatch(batch, PROOF)).number, 1);
    assert.equal(layer.report().paused, null);
    // With a second endpoint too, whichever of the two gives little.
    const urls = { rpcUrl: node.rpcUrl, witnessUrl: bench.url };
    assert.equal((await bench.connect(urls).queued(0)).length, 2);
  });
}

test("E10 what has been read of the queue is not read again, after a restart neither", async () => {
  const values = createValues();
  let granted = 10;
  bench.change = (request, answer) => {
    limit(300n)(request, answer);
    if (request.method !== "eth_getLogs") return;
    granted -= 1;
    if (granted >= 0) return;
    delete answer.result;
    answer.error = { code: -32602, message: "out of credits" };
  };
  // It breaks off on the way: what has been read stays read.
  const layer = bench.connect({ values });
  await assert.rejects(layer.queued(0));
  bench.change = limit(300n);
  const pagesOf = async (layer: ReturnType<Bench["connect"]>): Promise<number> => {
    bench.asked = [];
    assert.equal((await layer.queued(0)).length, 2);
    return pages();
  };
  const resumed = await pagesOf(layer);
  assert.ok(resumed < (await pagesOf(bench.connect())), `${resumed} pages`);
  await layer.queued(2);
  await bench.node.queue.deposit(700n);
  await bench.node.test.mine({ blocks: 1 });
  bench.asked = [];
  const again = bench.connect({ values });
  const [entry, ...more] = await again.queued(2);
  assert.deepEqual([entry?.queueId, more.length], [2, 0]);
  assert.equal(pages(), 1);
  // Entries before the mark are still there for who has lost his ledger.
  assert.equal((await again.queued(0)).length, 3);
});

test("E10 while the queue cannot be read the client says so, and nobody is accused", async () => {
  bench.change = ({ method }, answer) => {
    if (method !== "eth_getLogs") return;
    delete answer.result;
    answer.error = { code: -32000, message: "no logs today" };
  };
  const layer = bench.connect();
  await assert.rejects(layer.queued(0));
  assert.match(layer.report().paused ?? "", /the queue cannot be read/);
  const clock = { now: () => performance.now() };
  const check = createQueueCheck({ settlement: layer, clock, waitMs: 200, nextQueueId: 0 });
  const { operation } = (await bench.connect({ rpcUrl: bench.node.rpcUrl }).queued(0))[0]!;
  const signal = new AbortController().signal;
  const refusal = check.refusal({ type: "operation", operation, queueId: 0 }, 0, signal);
  const early = await Promise.race([refusal, new Promise((end) => setTimeout(end, 4000, "none"))]);
  assert.equal(early, "none");
  bench.change = honest;
  assert.equal(await refusal, undefined);
  assert.equal(layer.report().paused, null);
});
