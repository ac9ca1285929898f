/**
 * `npm run bench -- engine`: the same flow of orders through nodejs-order-book, through the
 * engine's books alone, and through the engine with every check.
 */

import type { BenchLine } from "./benchLine.ts";
import { type Contestant, createBooks, createEngine, createPeer } from "./engine/contestants.ts";
import { createFlow, type Flow } from "./engine/flow.ts";
import { percentile } from "./percentile.ts";

const PEER = "nodejs-order-book@10.1.1";
const OPS = 200_000;
const ROUNDS = 5;
const SEED = 1;
const BOOKS_TARGET = 20;
const ENGINE_TARGET = 2;
const LATENCY_TARGET_US = 5;

const CONTESTANTS: Readonly<Record<string, () => Contestant>> = {
  peer: createPeer,
  books: createBooks,
  engine: createEngine,
};

export async function engineBenchmarks(): Promise<BenchLine[]> {
  const flow = createFlow(OPS, SEED);
  const rates = new Map(Object.keys(CONTESTANTS).map((name) => [name, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, create] of Object.entries(CONTESTANTS)) {
      const rate = rateOf(flow, create);
      // The first round warms up.
      if (round > 0) rates.get(name)!.push(rate);
    }
  }
  const median = (name: string): number => percentile(rates.get(name)!, 50);
  const peerValue = median("peer");
  const line = (name: string, factor: number, note: string): BenchLine => {
    const value = median(name);
    return {
      ...{ name: `engine.${name}`, value, unit: "operations/s", better: "higher" },
      ...{ target: factor * peerValue, peer: PEER, peerValue, ratio: value / peerValue, note },
    };
  };
  return [
    line("books", BOOKS_TARGET, "sides, matching and cancels alone"),
    line("engine", ENGINE_TARGET, "with margin of both sides, admission, self-trade, fees"),
    ...latencyLines(flow),
  ];
}

/** Operations a second of the process's own time; throws where something else rests at the end. */
function rateOf({ ops, rests }: Flow, create: () => Contestant): number {
  const contestant = create();
  const start = process.cpuUsage().user;
  for (const op of ops) contestant.take(op);
  const micros = process.cpuUsage().user - start;
  if (contestant.rests() !== rests) throw new Error("a contestant has other orders at the end");
  return (ops.length * 1e6) / micros;
}

/** Of one operation of the warm engine, by the wall clock. */
function latencyLines({ ops }: Flow): BenchLine[] {
  const engine = createEngine();
  const micros = ops.map((op) => {
    const start = performance.now();
    engine.take(op);
    return 1000 * (performance.now() - start);
  });
  return [50, 99, 99.9].map((share): BenchLine => {
    const target = share === 99 ? { target: LATENCY_TARGET_US } : {};
    const value = percentile(micros, share);
    const name = `engine.operation.p${share}`;
    return { name, value, unit: "us", better: "lower", ...target, note: "every check, timer too" };
  });
}
