import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ProofWords, SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import { createJobClient, JobServerError } from "../../../sequencer/prover/jobClient.ts";
import {
  createJobServer,
  type JobServer,
  type JobServerOptions,
} from "../../../sequencer/prover/jobServer.ts";

const TOKEN = "a secret";
const PROOF: ProofWords = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
const INVALID: ProofWords = [0n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
const SIGNAL = new AbortController().signal;

/** A batch store in memory, with `count` sealed batches from 1 on. */
function memoryBatches(count: number) {
  const sealed = new Map<number, SealedBatch>();
  const proofs = new Map<number, ProofWords>();
  const seal = (number: number): void => {
    const words = [BigInt(number), 2n ** 252n];
    const roots = { rootBefore: 1n, rootAfter: 2n };
    const inputs = { a: [["1", "2"]] };
    sealed.set(number, { number, kind: "trade", ...roots, words, commitment: 3n, inputs });
  };
  for (let number = 1; number <= count; number++) seal(number);
  const store: JobServerOptions["batches"] = {
    sealed: async (number) => sealed.get(number),
    inputs: async (number) => JSON.stringify(sealed.get(number)?.inputs),
    proof: async (number) => proofs.get(number),
    putProof: async (number, proof) => void proofs.set(number, proof),
  };
  return { store, sealed, proofs, seal };
}

interface Started {
  readonly server: JobServer;
  readonly proven: number[];
}

async function start(
  context: TestContext,
  batches: ReturnType<typeof memoryBatches>,
  overrides: Partial<JobServerOptions> = {},
): Promise<Started> {
  const proven: number[] = [];
  const server = await createJobServer({
    token: TOKEN,
    batches: batches.store,
    from: () => 1,
    verify: async (_batch, proof) => proof[0] === 1n,
    onProof: (number) => proven.push(number),
    pollMs: 2_000,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    ...overrides,
  });
  context.after(() => server.stop());
  return { server, proven };
}

test("several provers get different batches, in order", async (context) => {
  const batches = memoryBatches(3);
  const { server, proven } = await start(context, batches);
  const clients = [1, 2, 3].map(() => createJobClient({ url: server.url, token: TOKEN }));
  const jobs = await Promise.all(clients.map((client) => client.next(SIGNAL)));
  assert.deepEqual(jobs.map((job) => job?.number).sort(), [1, 2, 3]);
  const first = jobs.find((job) => job?.number === 1)!;
  const { lease: _, circuit, ...contents } = first;
  const { rootBefore: __, rootAfter: ___, ...expected } = batches.sealed.get(1)!;
  assert.equal(circuit, "trade");
  assert.deepEqual(contents, expected);
  await Promise.all(clients.map((client, index) => client.answer(jobs[index]!, PROOF)));
  assert.deepEqual(proven.sort(), [1, 2, 3]);
  assert.deepEqual(batches.proofs.get(2), PROOF);
});

test("a prover waits for the next sealed batch", async (context) => {
  const batches = memoryBatches(0);
  const { server } = await start(context, batches);
  const client = createJobClient({ url: server.url, token: TOKEN });
  const waiting = client.next(SIGNAL);
  await sleep(50);
  batches.seal(1);
  server.notify();
  const job = await waiting;
  assert.equal(job?.number, 1);
  await client.answer(job!, PROOF);
});

test("of several servers the one is asked that answers, and told the proof", async (context) => {
  const batches = memoryBatches(2);
  const { server, proven } = await start(context, batches);
  // Nobody listens at the first: its sequencer stands by.
  const url = ["http://127.0.0.1:9", server.url];
  const client = createJobClient({ url, token: TOKEN });
  await assert.rejects(client.next(SIGNAL));
  const job = await client.next(SIGNAL);
  await client.answer(job!, PROOF);
  assert.deepEqual(proven, [job?.number]);
  assert.ok((await client.next(SIGNAL))?.number !== job?.number, "and is asked again");
});

test("a proof whose server is gone goes to the one that serves now", async (context) => {
  const [one, two] = [memoryBatches(1), memoryBatches(1)];
  const first = await start(context, one);
  const second = await start(context, two);
  const url = [first.server.url, second.server.url];
  const client = createJobClient({ url, token: TOKEN });
  const job = await client.next(SIGNAL);
  await first.server.stop();
  await client.answer(job!, PROOF);
  assert.deepEqual([first.proven, second.proven], [[], [1]]);
  assert.deepEqual(two.proofs.get(1), PROOF);
});

test("a batch that a reorg took from layer one is proven here after all", async (context) => {
  const batches = memoryBatches(3);
  // The first two were proven and anchored by another sequencer.
  let anchored = 2;
  const { server } = await start(context, batches, { from: () => anchored + 1 });
  const client = createJobClient({ url: server.url, token: TOKEN });
  const third = await client.next(SIGNAL);
  assert.equal(third?.number, 3);
  await client.answer(third!, PROOF);
  anchored = 0;
  assert.equal((await client.next(SIGNAL))?.number, 1);
});

test("proofs are looked through once", async (context) => {
  const batches = memoryBatches(20);
  const reads = context.mock.method(batches.store, "proof");
  const { server } = await start(context, batches);
  const client = createJobClient({ url: server.url, token: TOKEN });
  for (let count = 0; count < 20; count++) {
    const job = await client.next(SIGNAL);
    await client.answer(job!, PROOF);
  }
  assert.ok(reads.mock.callCount() < 5 * 20, `read ${reads.mock.callCount()} times`);
});

test("a proof that no server takes is not taken for delivered", async (context) => {
  const { server } = await start(context, memoryBatches(1));
  const client = createJobClient({ url: [server.url, "http://127.0.0.1:9"], token: TOKEN });
  const job = await client.next(SIGNAL);
  await server.stop();
  await assert.rejects(client.answer(job!, PROOF), /ECONNREFUSED/);
});

test("without a batch the request ends, and the prover asks again", async (context) => {
  const { server } = await start(context, memoryBatches(0), { pollMs: 50 });
  const client = createJobClient({ url: server.url, token: TOKEN });
  assert.equal(await client.next(SIGNAL), undefined);
});

test("a killed prover's job goes to another one at once", async (context) => {
  const { server } = await start(context, memoryBatches(1));
  const script = fileURLToPath(new URL("takeJobAndHang.ts", import.meta.url));
  const child = spawn(process.execPath, [script, server.url, TOKEN], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [taken] = await once(createInterface(child.stdout), "line");
  assert.equal(taken, "1");
  const client = createJobClient({ url: server.url, token: TOKEN });
  const waiting = client.next(SIGNAL);
  await sleep(200);
  child.kill("SIGKILL");
  const job = await waiting;
  assert.equal(job?.number, 1);
  await client.answer(job!, PROOF);
});

test("a lease that runs out is given on, and the late proof still counts", async (context) => {
  const batches = memoryBatches(1);
  const { server, proven } = await start(context, batches, { leaseMs: 100 });
  const slow = createJobClient({ url: server.url, token: TOKEN });
  const fast = createJobClient({ url: server.url, token: TOKEN });
  const slowJob = await slow.next(SIGNAL);
  const fastJob = await fast.next(SIGNAL);
  assert.equal(fastJob?.number, 1);
  assert.notEqual(fastJob?.lease, slowJob?.lease);
  await slow.answer(slowJob!, PROOF);
  await fast.answer(fastJob!, PROOF.with(1, 99n) as never);
  assert.deepEqual(proven, [1]);
  assert.deepEqual(batches.proofs.get(1), PROOF);
});

test("a proof that does not hold is refused; the job can be given back", async (context) => {
  const batches = memoryBatches(1);
  const { server, proven } = await start(context, batches);
  const client = createJobClient({ url: server.url, token: TOKEN });
  const job = (await client.next(SIGNAL))!;
  const refused = (status: number) => (error: unknown) =>
    error instanceof JobServerError && error.status === status;
  await assert.rejects(client.answer(job, INVALID), refused(422));
  await assert.rejects(client.answer({ ...job, number: 9 }, PROOF), refused(404));
  await assert.rejects(client.answer(job, [1n] as never), refused(400));
  await client.fail(job, "out of memory");
  const again = (await client.next(SIGNAL))!;
  await client.answer(again, PROOF);
  assert.deepEqual(proven, [1]);
});

test("a restarted server goes on from what the store says", async (context) => {
  const batches = memoryBatches(3);
  const first = await start(context, batches);
  const client = createJobClient({ url: first.server.url, token: TOKEN });
  const job = (await client.next(SIGNAL))!;
  await client.answer(job, PROOF);
  await client.next(SIGNAL);
  await first.server.stop();
  const second = await start(context, batches);
  const again = createJobClient({ url: second.server.url, token: TOKEN });
  const next = (await again.next(SIGNAL))!;
  assert.equal(next.number, 2);
  await again.answer(next, PROOF);
});

test("nothing is told without the token", async (context) => {
  const { server } = await start(context, memoryBatches(1));
  const client = createJobClient({ url: server.url, token: "a guess" });
  await assert.rejects(client.next(SIGNAL), JobServerError);
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:/);
});
