/** What batch transactions offer, to whom they belong, and what is told of their failures. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Hex, keccak256, numberToHex, parseTransaction } from "viem";
import { developmentAccount } from "../../../sequencer/l1/developmentAccount.ts";
import type { SettlementLayerOptions } from "../../../sequencer/l1/settlementLayer.ts";
import { loop, messageOf } from "../../../sequencer/roles/loop.ts";
import { createValues } from "../roles/ports.ts";
import { type Bench, honest, startBench, until } from "./bench.ts";
import { CHAIN_ID, operator, PROOF, tradeBatch } from "./rollupNode.ts";

const ETHER = 10n ** 18n;
/** Answers every call with 2^48 wei: what an OP-stack rollup's oracle says of fees. */
const FEE_ORACLE = {
  address: "0x420000000000000000000000000000000000000F",
  fee: 2n ** 48n,
} as const;
const ORACLE_CODE: Hex = "0x660100000000000060005260206000f3";

let bench: Bench;

before(async () => {
  bench = await startBench();
});
after(() => bench.stop());
beforeEach(() => bench.reset());

const tipsSent = (): bigint[] =>
  [...new Set(bench.sent)].map((raw) => parseTransaction(raw).maxPriorityFeePerGas!);

function logged() {
  const alarms: string[] = [];
  const error = (_message: string, context: Record<string, unknown> = {}): void =>
    void alarms.push(`${context.reason}`);
  return { alarms, logger: { debug() {}, info() {}, warn() {}, error } };
}

/** Submits again and again, as the sequencer does, until the batch is anchored. */
async function persist(options: Partial<SettlementLayerOptions>) {
  const ending = new AbortController();
  const layer = bench.connect({ ...options, signal: ending.signal });
  const batch = await tradeBatch(bench.node, 1);
  let isAnchored = false;
  const finished = loop({
    ...{ everyMs: 10, signal: ending.signal, onError: () => undefined },
    run: async () => {
      await layer.submitBatch(batch, PROOF);
      isAnchored = true;
      ending.abort();
    },
  });
  return { layer, finished, end: () => ending.abort(), isAnchored: () => isAnchored };
}

test("E11 an endpoint that comes and goes keeps nothing from being replaced", async () => {
  const { node } = bench;
  await node.test.mine({ blocks: 1 });
  const head = await node.test.getBlock();
  const old = await node.test.getBlock({ blockNumber: head.number - 1n });
  await bench.connect().anchored();
  await node.test.setAutomine(false);
  let looks = 0;
  bench.change = ({ method, params }, answer) => {
    if (method !== "eth_getBlockByNumber" || params?.[0] !== "latest") return;
    // Every third look goes to a machine that is a block behind.
    looks += 1;
    if (looks % 3 !== 0) return;
    const { number, hash, parentHash } = old;
    Object.assign(answer.result as object, { number: numberToHex(number), hash, parentHash });
  };
  const { finished, end, isAnchored } = await persist({ replaceMs: 400 });
  await until(() => new Set(bench.sent).size >= 3);
  const nonces = bench.sent.map((raw) => parseTransaction(raw).nonce);
  assert.equal(new Set(nonces).size, 1);
  bench.change = honest;
  await node.test.mine({ blocks: 1 });
  await until(isAnchored);
  end();
  await finished;
});

test("E11 an operator without ether is alarmed, and its offers do not rise", async () => {
  const { node } = bench;
  await node.test.setBalance({ address: operator.address, value: 10n ** 12n });
  const { alarms, logger } = logged();
  const { finished, isAnchored } = await persist({ replaceMs: 20, pollMs: 5, logger });
  await until(() => alarms.length > 0);
  await sleep(500);
  assert.equal(alarms.length, 1);
  assert.match(alarms[0]!, new RegExp(`account \`${operator.address}\` has \`1000000000000\` wei`));
  assert.deepEqual(bench.sent, []);
  await node.test.setBalance({ address: operator.address, value: ETHER });
  await until(isAnchored);
  await finished;
  assert.equal(bench.sent.length, 1);
});

test("E11 what no endpoint has taken is offered again, not raised", async () => {
  const { node } = bench;
  await node.test.setAutomine(false);
  const market = (await node.test.estimateFeesPerGas()).maxPriorityFeePerGas;
  // Refused after it has been signed: the money has gone elsewhere.
  const drop = async (): Promise<void> => {
    for (const raw of new Set(bench.sent)) {
      await node.test.dropTransaction({ hash: keccak256(raw) }).catch(() => false);
    }
  };
  let isRefusing = true;
  bench.change = ({ method }, answer) => {
    if (!isRefusing) return;
    if (method === "eth_getTransactionByHash") answer.result = null;
    if (method !== "eth_sendRawTransaction") return;
    delete answer.result;
    answer.error = { code: -32000, message: "the pool is full" };
  };
  const { finished, isAnchored } = await persist({ replaceMs: 50, pollMs: 10 });
  await until(() => bench.sent.length >= 5);
  assert.deepEqual(tipsSent(), [market]);
  isRefusing = false;
  await drop();
  await until(() => bench.sent.length >= 8);
  await node.test.mine({ blocks: 1 });
  await until(isAnchored);
  await finished;
});

test("E11 a tip rises to ten times the market's and no further", async () => {
  const { node } = bench;
  await node.test.setAutomine(false);
  const market = (await node.test.estimateFeesPerGas()).maxPriorityFeePerGas;
  const { layer, finished, isAnchored } = await persist({ replaceMs: 30, pollMs: 5 });
  await until(() => /waits in spite of a tip/.test(layer.report().paused ?? ""));
  const count = new Set(bench.sent).size;
  await sleep(500);
  assert.equal(new Set(bench.sent).size, count);
  const highest = tipsSent().reduce((most, tip) => (tip > most ? tip : most));
  assert.ok(highest >= 10n * market && highest <= 13n * market, `${highest} of ${market}`);
  await node.test.mine({ blocks: 1 });
  await until(isAnchored);
  await finished;
  assert.equal(layer.report().paused, null);
});

test("E11 a new operator goes on with a nonce of its own", async () => {
  const { node } = bench;
  const values = createValues();
  const layer = bench.connect({ values, confirmations: 0 });
  for (const number of [1, 2]) await layer.submitBatch(await tradeBatch(node, number), PROOF);
  // Anybody may submit when an entry has waited for a day: as if there were another operator.
  await node.queue.deposit(1n);
  await node.test.increaseTime({ seconds: 86_401 });
  await node.test.mine({ blocks: 1 });
  const account = developmentAccount(15, CHAIN_ID);
  bench.sent = [];
  const next = bench.connect({ values, confirmations: 0, account });
  await next.submitBatch(await tradeBatch(node, 3), PROOF);
  assert.deepEqual(
    bench.sent.map((raw) => parseTransaction(raw).nonce),
    [0],
  );
  assert.equal(next.report().paused, null);
});

test("E11 the fee for a rollup's data is within the budget", async () => {
  const { node } = bench;
  const { address, fee } = FEE_ORACLE;
  await node.test.setCode({ address, bytecode: ORACLE_CODE });
  bench.change = ({ method }, answer) => {
    if (method !== "eth_getTransactionReceipt" || answer.result === null) return;
    // What the oracle says for data, and as much more in the meantime.
    Object.assign(answer.result as object, { l1Fee: numberToHex(2n * fee) });
  };
  const weiPerHour = 7n * fee;
  const layer = bench.connect({ confirmations: 0, feeLimits: { weiPerHour } });
  let number = 1;
  for (; number < 9; number++) {
    const batch = await tradeBatch(node, number);
    const isAnchored = await layer.submitBatch(batch, PROOF).then(
      () => true,
      (error: Error) => {
        assert.match(error.message, /the hour's fee budget/);
        return false;
      },
    );
    if (!isAnchored) break;
    assert.ok(layer.report().spentHour <= weiPerHour, `${layer.report().spentHour}`);
  }
  assert.ok(number > 1 && number < 9, `stopped at ${number}`);
  assert.ok(layer.report().spentHour >= 2n * fee);
});

test("E11 no key of a provider is in an error", async () => {
  const url = `${bench.url}/v3/SECRET`;
  const dead = "http://127.0.0.1:1/v3/SECRET";
  const batch = await tradeBatch(bench.node, 1);
  bench.change = (_request, answer) => {
    delete answer.result;
    answer.error = { code: -32602, message: "no such thing" };
  };
  for (const rpcUrl of [url, dead]) {
    const { alarms, logger } = logged();
    const layer = bench.connect({ rpcUrl, logger });
    const acts: readonly (() => Promise<unknown>)[] = [
      () => layer.domain(),
      () => layer.anchored(),
      () => layer.queued(0),
      () => layer.validators(),
    ];
    for (const act of acts) {
      const error = await act().then(
        () => assert.fail("it had nothing to read"),
        (cause: unknown) => cause as Error,
      );
      const told = `${messageOf(error)} ${error.stack} ${alarms} ${layer.report().paused}`;
      assert.ok(!/SECRET/.test(told), told);
    }
  }
  bench.change = honest;
  assert.equal((await bench.connect({ rpcUrl: url }).submitBatch(batch, PROOF)).number, 1);
});

test("E12 an endpoint that is busy is not the contract's refusal", async () => {
  let isBusy = true;
  bench.change = ({ method }, answer) => {
    if (method !== "eth_estimateGas" || !isBusy) return;
    delete answer.result;
    answer.error = { code: -32005, message: "daily request count exceeded" };
  };
  const { alarms, logger } = logged();
  const layer = bench.connect({ logger, confirmations: 0 });
  const submitting = layer.submitBatch(await tradeBatch(bench.node, 1), PROOF);
  await until(() => bench.asked.filter((method) => method === "eth_estimateGas").length >= 5);
  isBusy = false;
  assert.equal((await submitting).number, 1);
  assert.deepEqual(alarms, []);
});

test("E11 what is signed is for the chain that was configured", async () => {
  // The watch sees the true chain at each new head; a lie in between must not be signed.
  let isLying = false;
  bench.change = ({ method }, answer) => {
    if (method === "eth_estimateGas") isLying = true;
    if (method === "eth_sendRawTransaction") isLying = false;
    if (isLying && method === "eth_chainId") answer.result = "0x1";
  };
  const layer = bench.connect({ chainId: CHAIN_ID, confirmations: 0 });
  await layer.submitBatch(await tradeBatch(bench.node, 1), PROOF);
  assert.deepEqual(
    bench.sent.map((raw) => parseTransaction(raw).chainId),
    [CHAIN_ID],
  );
});
