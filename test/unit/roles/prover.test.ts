// The prover: whatever fails on the way, jobs come again and proofs arrive.
import assert from "node:assert/strict";
import { test } from "node:test";
import { publicInputs } from "../../../sequencer/batch/publicInputs.ts";
import type { CircuitInputs } from "../../../sequencer/batch/sealedBatch.ts";
import type { Prover } from "../../../sequencer/ports.ts";
import { type Job, type Jobs, runProver } from "../../../sequencer/roles/prover.ts";
import { PROOF } from "./market.ts";
import { silent } from "./ports.ts";

const JOB: Job = {
  number: 3,
  kind: "trade",
  circuit: "trade",
  words: [1n, 2n, 3n],
  commitment: publicInputs([1n, 2n, 3n]).commitment,
  inputs: { steps: ["1"] },
};

/** Runs the prover on the given failures until a proof has been answered or given back. */
async function work(options: {
  unreachable?: number;
  undelivered?: number;
  provingError?: Error;
  answerError?: Error;
}) {
  const calls: string[] = [];
  let given: CircuitInputs | undefined;
  let { unreachable = 0, undelivered = 0 } = options;
  const stopping = new AbortController();
  const jobs: Jobs<Job> = {
    next: async () => {
      calls.push("next");
      if (unreachable-- > 0) throw new Error("nobody answers");
      return JOB;
    },
    answer: async () => {
      calls.push("answer");
      if (options.answerError !== undefined) throw options.answerError;
      if (undelivered-- > 0) throw new Error("nobody answers");
      stopping.abort();
    },
    fail: async (_job, reason) => {
      calls.push(`fail: ${reason}`);
      stopping.abort();
    },
  };
  const prover: Prover = {
    prove: async (_circuit, inputs) => {
      given = inputs;
      if (options.provingError !== undefined) throw options.provingError;
      return { proof: PROOF, seconds: 1 };
    },
    verify: async () => true,
  };
  await runProver({ jobs, prover, logger: silent }, stopping.signal);
  return { calls, given };
}

test("the prover adds what binds the public words, proves and answers", async () => {
  const { calls, given } = await work({});
  assert.deepEqual(calls, ["next", "answer"]);
  const { commitment, gamma, evaluation } = publicInputs(JOB.words);
  assert.deepEqual(given, {
    steps: ["1"],
    commitment: `${commitment}`,
    gamma: `${gamma}`,
    evaluation: `${evaluation}`,
  });
});

test("it asks again while the sequencer is away", async () => {
  const { calls } = await work({ unreachable: 1 });
  assert.deepEqual(calls, ["next", "next", "answer"]);
});

test("a finished proof is delivered to a sequencer that comes back", async () => {
  const { calls } = await work({ undelivered: 2 });
  assert.deepEqual(calls, ["next", "answer", "answer", "answer"]);
});

test("a job that cannot be proven is given back with its reason", async () => {
  const { calls } = await work({ provingError: new Error("no witness") });
  assert.deepEqual(calls, ["next", "fail: no witness"]);
});

test("a proof that the sequencer refuses is not sent again", async () => {
  const answerError = Object.assign(new Error("refused"), { status: 422 });
  const { calls } = await work({ answerError });
  assert.deepEqual(calls, ["next", "answer", "fail: refused"]);
});
