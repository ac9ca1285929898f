/**
 * From order to certified, with the sequencer in this process and four validators in their own:
 * durable log, direct streams, signatures and durable votes as in a network, but records that no
 * engine executes. Beside it what cannot be left out, alone: the same writes, signatures and rounds
 * over plain sockets. And how long it takes when the leader is killed.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { blockHash } from "../../sequencer/consensus/block.ts";
import { isFinalizedBy } from "../../sequencer/consensus/certificate.ts";
import { faultOf, rulesOf } from "../../sequencer/consensus/verification.ts";
import { createLogServer } from "../../sequencer/gossip/logServer.ts";
import type { MemberReport } from "../../sequencer/ports.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { ownPorts } from "../ownPorts.ts";
import type { BenchLine } from "./benchLine.ts";
import { createBareWorld } from "./certify/bareWorld.ts";
import { startChild } from "./certify/process.ts";
import { propagationLines } from "./certify/propagation.ts";
import { benchSitting, DOMAIN, MEMBERS, type MemberStart, quiet } from "./certify/sitting.ts";
import { sampleEntry } from "./log/load.ts";
import { percentile } from "./percentile.ts";

const RATES = [100, 1_000, 10_000];
const SECONDS = 8;
const WARM_UP_SECONDS = 2;
const KILLS = 10;
const WRITE_EVERY_MS = 50;
const WAIT_MS_MAX = 60_000;
/** Messages that may wait to be certified before a rate counts as not sustained. */
const WAITING_MAX = 40_000;
const TARGET_MS = 10;

interface Ordering {
  /** Orders one message now. */
  order(): void;
  ordered(): number;
  certified(): number;
  /** Called with the position up to which all is certified, as soon as it is known here. */
  watch(see: (position: number) => void): void;
  /** One synced write to a LevelDB that nobody else uses: how long it takes now (ms). */
  write(): Promise<number>;
}

interface World extends Ordering {
  leader(): number;
  kill(member: number): Promise<void>;
  start(member: number): Promise<void>;
  stop(): Promise<void>;
}

export async function certifyBenchmarks(): Promise<BenchLine[]> {
  const lines = await propagationLines();
  lines.push(...(await bareLines()));
  const world = await createWorld();
  try {
    await warmUp(world);
    for (const rate of RATES) {
      const target = rate === 1_000 ? TARGET_MS : undefined;
      const note = "without the engine";
      lines.push(...(await latencyLines(world, rate, { name: "order", note, target })));
    }
    lines.push(...(await failoverLines(world)));
  } finally {
    await world.stop();
  }
  return lines;
}

async function warmUp(world: Ordering): Promise<void> {
  for (let count = 0; count < 10; count++) world.order();
  await until(world, () => world.certified() >= 10);
}

async function bareLines(): Promise<BenchLine[]> {
  const directory = mkdtempSync(path.join(tmpdir(), "straddle-bare-"));
  const world = await createBareWorld(directory, await ownPorts(MEMBERS));
  const lines: BenchLine[] = [];
  try {
    await warmUp(world);
    const note = "writes, signatures and rounds alone";
    for (const rate of RATES) {
      lines.push(...(await latencyLines(world, rate, { name: "bare", note, target: undefined })));
    }
  } finally {
    await world.stop();
    rmSync(directory, { recursive: true });
  }
  return lines;
}

async function createWorld(): Promise<World> {
  const directory = mkdtempSync(path.join(tmpdir(), "straddle-certify-"));
  const { validators, genesis, keys, peers } = await benchSitting();
  const rules = rulesOf(validators, genesis, keys.verify);
  const store = await openStore(path.join(directory, "sequencer"), DOMAIN);
  const source = { record: (from: number) => store.log.read(from), proofOf: async () => undefined };
  const alone = await openStore(path.join(directory, "alone"), DOMAIN);
  const server = await createLogServer({ source, logger: quiet });
  const ports = await ownPorts(MEMBERS);
  const listens = ports.map((port) => `/ip4/127.0.0.1/tcp/${port}`);
  const children = new Map<number, ChildProcess>();
  const reports = new Map<string, MemberReport>();
  let [ordered, certified] = [0, 0];
  let see: (position: number) => void = () => undefined;

  server.onReport((peer, report) => {
    reports.set(peer, report);
    const { final } = report;
    if (final === null || final.block.to <= certified) return;
    const { block, certificate } = final;
    if (!isFinalizedBy(blockHash(block), certificate)) return;
    if (faultOf(rules, { type: "certificate", certificate }) !== undefined) return;
    certified = block.to;
    see(certified);
  });

  async function start(index: number): Promise<void> {
    const sequencer = server.addresses()[0]!;
    const given: MemberStart = {
      ...{ index, listens, sequencer, directory: path.join(directory, `member-${index}`) },
    };
    const child = startChild("member.ts", JSON.stringify(given));
    children.set(index, child);
    await once(child, "message");
  }

  const kill = async (index: number): Promise<void> => {
    const child = children.get(index)!;
    children.delete(index);
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };

  await Promise.all(Array.from({ length: MEMBERS }, (_, index) => start(index)));
  return {
    order: () => {
      const place = ordered;
      ordered += 1;
      store.log.append([sampleEntry(place)]).then(() => server.announce(place));
    },
    ordered: () => ordered,
    certified: () => certified,
    write: async () => {
      const start = performance.now();
      await alone.values.set("probe", start);
      return performance.now() - start;
    },
    watch: (watcher) => {
      see = watcher;
    },
    leader: () => {
      const terms = peers.map((peer) => reports.get(peer)?.term ?? 0);
      return (Math.max(...terms) - 1) % MEMBERS;
    },
    ...{ kill, start },
    stop: async () => {
      await Promise.all([...children.keys()].map(kill));
      await server.stop();
      await store.close();
      await alone.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Each message is due at its time, whatever the ones before it do. */
async function latencyLines(
  world: Ordering,
  rate: number,
  said: { readonly name: string; readonly note: string; readonly target: number | undefined },
): Promise<BenchLine[]> {
  const first = world.ordered();
  const due: number[] = [];
  const latencies: number[] = [];
  world.watch((position) => {
    const now = performance.now();
    while (latencies.length < due.length && first + latencies.length < position) {
      latencies.push(now - due[latencies.length]!);
    }
  });
  const start = performance.now();
  const writes: number[] = [];
  const probe = (): Promise<unknown> => world.write().then((ms) => writes.push(ms));
  const probing = setInterval(() => void probe(), WRITE_EVERY_MS);
  let isSustained = true;
  for (let sent = 0; sent < rate * SECONDS && isSustained; ) {
    const elapsed = performance.now() - start;
    for (; sent < Math.min(rate * SECONDS, (elapsed / 1000) * rate); sent++) {
      due.push(start + (sent / rate) * 1000);
      world.order();
    }
    isSustained = world.ordered() - world.certified() < WAITING_MAX;
    await sleep(1);
  }
  await until(world, () => world.certified() >= world.ordered());
  clearInterval(probing);
  const measured = latencies.slice(rate * WARM_UP_SECONDS);
  const note = `${rate}/s${isSustained ? "" : ", not sustained"}; ${said.note}`;
  return [50, 99].map((share): BenchLine => {
    const target = share === 50 && said.target !== undefined ? { target: said.target } : {};
    const name = `certify.${said.name}.${rate}.p${share}`;
    const [value, peerValue] = [percentile(measured, share), percentile(writes, share)];
    const beside = { peer: "synced LevelDB write", peerValue, ratio: value / peerValue };
    return { name, value, unit: "ms", better: "lower", ...target, ...beside, note };
  });
}

async function failoverLines(world: World): Promise<BenchLine[]> {
  const gaps: number[] = [];
  for (let count = 0; count < KILLS; count++) {
    const leader = world.leader();
    const before = world.certified();
    const killed = performance.now();
    await world.kill(leader);
    world.order();
    await until(world, () => world.certified() > before);
    gaps.push(performance.now() - killed);
    await world.start(leader);
    // Until it has caught up and terms are stable again.
    await sleep(3_000);
  }
  const note = `${KILLS} leaders killed; a term without a block ends after 2 s`;
  const line = (name: string, value: number): BenchLine => {
    return { name: `certify.failover.${name}`, value, unit: "ms", better: "lower", note };
  };
  return [line("p50", percentile(gaps, 50)), line("max", Math.max(...gaps))];
}

async function until({ certified }: Ordering, isSo: () => boolean): Promise<void> {
  let [known, since] = [certified(), performance.now()];
  while (!isSo()) {
    if (certified() > known) [known, since] = [certified(), performance.now()];
    if (performance.now() - since > WAIT_MS_MAX)
      throw new Error("nothing was certified for a minute");
    await sleep(1);
  }
}
