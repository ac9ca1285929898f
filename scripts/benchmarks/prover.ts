/**
 * Proving by snarkjs: for each instance one honest trade batch that fills every step, in a process
 * of its own, so that CPU time and peak memory are the proof's and nobody else's.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { encodeJson } from "../../sequencer/batch/log.ts";
import { publicInputs } from "../../sequencer/batch/publicInputs.ts";
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { fillTradeBatch } from "../../test/support/fullBatch.ts";
import { ensureKey } from "../circuits.ts";
import type { BenchLine } from "./benchLine.ts";

const WORKER = fileURLToPath(new URL("proverRun.ts", import.meta.url));
const FOLDER = fileURLToPath(new URL("../../build/bench", import.meta.url));
const LOOP = fileURLToPath(new URL("proverLoop.ts", import.meta.url));
const RUNS: Record<string, number> = { tiny: 3, medium: 1 };
/** Proofs of each process, where throughput is measured. */
const LOOPS: Record<string, number> = { tiny: 2 };

/** What one run in `proverRun.ts` reports; times in seconds, memory in bytes. */
interface ProverRun {
  readonly witness: number;
  readonly prove: number;
  readonly cpu: number;
  readonly memory: number;
  readonly valid: boolean;
}

export async function proverBenchmarks(options: {
  instances: readonly string[] | undefined;
}): Promise<BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const instance of options.instances ?? ["tiny", "medium"]) {
    console.error(`proving trade ${instance} ...`);
    const keyed = await ensureKey("trade", instance, {
      onProgress: (stage, fraction) => {
        if (fraction === undefined || fraction === 1) console.error(`  ${stage}`);
      },
    });
    const inputFile = writeInputs(instance, fillTradeBatch(instance));
    const runs: ProverRun[] = [];
    for (let run = 0; run < (RUNS[instance] ?? 1); run++) {
      runs.push(await proveOnce({ ...keyed, inputFile }));
    }
    if (!runs.every(({ valid }) => valid)) throw new Error(`a proof of ${instance} is not valid`);
    lines.push(...linesOf(instance, runs));
    const loops = LOOPS[instance];
    if (loops !== undefined) {
      lines.push(...(await throughputLines(instance, { ...keyed, inputFile }, loops)));
    }
  }
  return lines;
}

function writeInputs(instance: string, batch: SealedBatch): string {
  const { commitment, gamma, evaluation } = publicInputs(batch.words);
  const inputs = {
    ...batch.inputs,
    commitment: commitment.toString(),
    gamma: gamma.toString(),
    evaluation: evaluation.toString(),
  };
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `trade-${instance}.json`);
  writeFileSync(file, encodeJson(inputs));
  return file;
}

async function proveOnce(files: {
  wasmFile: string;
  zkeyFile: string;
  vkeyFile: string;
  inputFile: string;
}): Promise<ProverRun> {
  const { wasmFile, zkeyFile, vkeyFile, inputFile } = files;
  const child = spawn(process.execPath, [WORKER, wasmFile, zkeyFile, vkeyFile, inputFile], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`the proving process ended with exit code ${code}`);
  return JSON.parse(output) as ProverRun;
}

/** Consecutive batches by one process and by two, each with a thread; and by one with all. */
async function throughputLines(
  instance: string,
  files: { readonly wasmFile: string; readonly zkeyFile: string; readonly inputFile: string },
  loops: number,
): Promise<BenchLine[]> {
  const plans = [
    { name: "oneProcess", processes: 1, threads: "one" },
    { name: "twoProcesses", processes: 2, threads: "one" },
    { name: "oneProcessAllThreads", processes: 1, threads: "all" },
  ] as const;
  const lines: BenchLine[] = [];
  let alone = Number.NaN;
  for (const { name, processes, threads } of plans) {
    console.error(`  ${processes} x ${loops} proofs, ${threads} thread(s) each`);
    const seconds = await loopSeconds(files, { processes, loops, threads });
    const value = Number(((processes * loops * 60) / seconds).toFixed(2));
    if (processes === 1 && threads === "one") alone = value;
    const beside = { peer: "one process, one thread", peerValue: alone, ratio: value / alone };
    const figure = { name: `prover.${instance}.perMinute.${name}`, value, unit: "proofs/min" };
    const note = `trade circuit, snarkjs, ${cpus().length} cores, witness and proof`;
    lines.push({ ...figure, better: "higher", ...beside, note });
  }
  return lines;
}

/** From the word to begin to the last process's end; all are warm before it. */
async function loopSeconds(
  files: { readonly wasmFile: string; readonly zkeyFile: string; readonly inputFile: string },
  plan: { readonly processes: number; readonly loops: number; readonly threads: string },
): Promise<number> {
  const { wasmFile, zkeyFile, inputFile } = files;
  const args = [LOOP, wasmFile, zkeyFile, inputFile, `${plan.loops}`, plan.threads];
  const children = Array.from({ length: plan.processes }, () => {
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return { child, lines };
  });
  const heard = async (word: string): Promise<void> => {
    for (const { lines } of children) {
      const { value } = await lines.next();
      if (value !== word) throw new Error(`a proving process has ended before it was ${word}`);
    }
  };
  await heard("ready");
  const start = performance.now();
  for (const { child } of children) child.stdin.write("go\n");
  await heard("done");
  return (performance.now() - start) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function linesOf(instance: string, runs: readonly ProverRun[]): BenchLine[] {
  const note = `trade circuit, snarkjs, ${cpus().length} cores, median of ${runs.length}`;
  const figure = (name: string, pick: (run: ProverRun) => number, unit: string): BenchLine => ({
    name: `prover.${instance}.${name}`,
    value: Number(median(runs.map(pick)).toFixed(2)),
    unit,
    better: "lower",
    note,
  });
  return [
    figure("witnessSeconds", ({ witness }) => witness, "s"),
    figure("seconds", ({ prove }) => prove, "s"),
    figure("cpuSeconds", ({ cpu }) => cpu, "s"),
    figure("peakMemory", ({ memory }) => memory / 2 ** 20, "MiB"),
  ];
}
