/**
 * What rounds cost: from a message's arrival in the queue to its turn, with the clock and timers
 * that nodes have, beside a bare timer of half a round in the same run. Messages come one by one,
 * each at a random moment, as from people who do not know of one another.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { realScheduler, systemClock } from "../../sequencer/node/systemClock.ts";
import { createReleaseQueue } from "../../sequencer/roles/releaseQueue.ts";
import type { BenchLine } from "./benchLine.ts";
import { percentile } from "./percentile.ts";

const ROUNDS_MS = [1, 2, 5, 10];
const SECONDS = 4;
const PER_SECOND = 200;

export async function orderBenchmarks(): Promise<BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const roundMs of ROUNDS_MS) lines.push(...(await linesOf(roundMs)));
  return lines;
}

async function linesOf(roundMs: number): Promise<BenchLine[]> {
  const queue = createReleaseQueue({
    rule: { roundMs, bumpMs: 0 },
    ordering: { last: null, keys: [] },
    ...{ clock: systemClock, scheduler: realScheduler },
  });
  const waits: number[] = [];
  const bare: number[] = [];
  for (let sent = 0; sent < SECONDS * PER_SECOND; sent++) {
    await sleep((2 * Math.random() * 1000) / PER_SECOND);
    const began = performance.now();
    const run = (): void => void waits.push(performance.now() - began);
    queue.take({ isTaker: sent % 2 === 0, behind: undefined, run, drop: () => undefined });
    setTimeout(() => bare.push(performance.now() - began), roundMs / 2);
  }
  await sleep(10 * roundMs);
  queue.close();
  return [50, 99].map((share): BenchLine => {
    const [value, peerValue] = [percentile(waits, share), percentile(bare, share)];
    return {
      ...{ name: `order.round${roundMs}.wait.p${share}`, value, unit: "ms", better: "lower" },
      ...{ peer: "timer of half a round", peerValue, ratio: value / peerValue },
      note: `${waits.length} messages, ${PER_SECOND} a second`,
    };
  });
}
