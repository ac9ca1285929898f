/** Durable appends of each engine of the order log, beside what it stands on, in the same run. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { logOrigin } from "../../sequencer/batch/log.ts";
import { openJetstreamLog } from "../../sequencer/jetstream/jetstreamLog.ts";
import type { Log } from "../../sequencer/ports.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { createChance } from "../../test/simulation/random.ts";
import { natsMissing, startNatsCluster } from "../../test/support/natsCluster.ts";
import { createSimulatedMedium } from "../../test/support/simulatedLog.ts";
import type { BenchLine } from "./benchLine.ts";
import { type Append, latenciesAt, mostPerSecond } from "./log/load.ts";
import { type RawStore, rawJetstream, rawLevel } from "./log/rawStores.ts";

const RATES = [500, 5000, 20_000, 50_000] as const;
const DOMAIN = 1n;
const TARGET_EMBEDDED = 50_000;
const NOTE = "entries of 250 bytes, 465 as records";
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Something to measure; `close` ends what `open` began. */
interface Subject {
  readonly append: Append;
  close(): Promise<void>;
}

interface Contest {
  readonly name: string;
  readonly peer: string;
  readonly target?: number;
  openOwn(): Promise<Subject>;
  openPeer(): Promise<RawStore>;
}

const ofLog = (log: Log, close: () => Promise<void>): Subject => ({
  append: (entries) => log.append(entries),
  close,
});

/** Most a second, and how long an acknowledgement takes at each rate below that. */
async function linesOf(contest: Contest): Promise<BenchLine[]> {
  const { name, peer } = contest;
  const measured = async <T>(open: () => Promise<Subject>, run: (append: Append) => Promise<T>) => {
    const subject = await open();
    try {
      return await run(subject.append);
    } finally {
      await subject.close();
    }
  };
  const own = await measured(contest.openOwn, mostPerSecond);
  const raw = await measured(contest.openPeer, mostPerSecond);
  const most: BenchLine = {
    ...{ name: `log/${name}/durable`, value: own, unit: "records/s", better: "higher" },
    ...(contest.target === undefined ? {} : { target: contest.target }),
    ...{ peer, peerValue: raw, ratio: own / raw, note: NOTE },
  };
  const lines = [most];
  for (const rate of RATES) {
    const at = await measured(contest.openOwn, (append) => latenciesAt(append, rate));
    const peerAt = await measured(contest.openPeer, (append) => latenciesAt(append, rate));
    for (const key of ["p50Ms", "p99Ms"] as const) {
      const quantile = key.slice(0, 3);
      lines.push({
        ...{ name: `log/${name}/ack-${quantile}-at-${rate}`, value: at[key], unit: "ms" },
        ...{ better: "lower", peer, peerValue: peerAt[key], ratio: at[key] / peerAt[key] },
        note: `${Math.round(at.perSecond)}/s came through`,
      });
    }
  }
  return lines;
}

async function embeddedLines(folderOf: () => Promise<string>): Promise<BenchLine[]> {
  return linesOf({
    ...{ name: "embedded", peer: "classic-level, sync", target: TARGET_EMBEDDED },
    openOwn: async () => {
      const store = await openStore(await folderOf(), DOMAIN);
      return ofLog(store.log, store.close);
    },
    openPeer: async () => rawLevel(await folderOf()),
  });
}

async function jetstreamLines(folderOf: () => Promise<string>): Promise<BenchLine[]> {
  if (natsMissing !== false) {
    process.stderr.write(`log/jetstream is left out: ${natsMissing}\n`);
    return [];
  }
  const cluster = await startNatsCluster();
  const { servers, monitors } = cluster;
  let streams = 0;
  const nextStream = () => `BENCH${++streams}`;
  try {
    return await linesOf({
      ...{ name: "jetstream", peer: "JetStream publish, R3" },
      openOwn: async () => {
        const store = await openStore(await folderOf(), DOMAIN);
        const options = { servers, monitors, stream: nextStream(), replicas: 3, logger: silent };
        const times = { patienceMs: 15_000, probeMs: 1000 };
        const log = await openJetstreamLog({ ...options, ...times, copy: store.log });
        return ofLog(log, async () => {
          await log.close();
          await store.close();
        });
      },
      openPeer: () => rawJetstream(servers, nextStream()),
    });
  } finally {
    await cluster.stop();
  }
}

/** What chain and hashes alone allow: the medium is an array. */
async function simulatedLine(): Promise<BenchLine> {
  const faults = { turnsMax: 0 };
  const medium = createSimulatedMedium({
    ...{ origin: logOrigin(DOMAIN), chance: createChance(1), faults },
  });
  const log = await medium.open();
  const value = await mostPerSecond((entries) => log.append(entries));
  await log.close();
  const note = "in memory: the bound that hashing and JSON set";
  return { name: "log/simulated/durable", value, unit: "records/s", better: "higher", note };
}

export async function logBenchmarks(): Promise<BenchLine[]> {
  const root = await mkdtemp(path.join(tmpdir(), "straddle-bench-log-"));
  const folderOf = () => mkdtemp(path.join(root, "run-"));
  try {
    const embedded = await embeddedLines(folderOf);
    return [...embedded, ...(await jetstreamLines(folderOf)), await simulatedLine()];
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
