/** A NATS cluster of three servers on loopback, for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  NATS_SERVERS,
  natsConfigOf,
  natsFault,
  natsPlacesOn,
  natsReady,
  natsServer,
} from "../../scripts/devnet/nats.ts";
import { ownPorts } from "../../scripts/ownPorts.ts";

export interface NatsCluster {
  /** Of the clients' ports. */
  readonly servers: readonly string[];
  readonly monitors: readonly string[];
  /** A signal to one server. */
  kill(index: number, signal: NodeJS.Signals): Promise<void>;
  start(index: number): Promise<void>;
  /** Ends all of them and removes their data. */
  stop(): Promise<void>;
}

/** Why tests with a cluster cannot run here, or false. */
export const natsMissing: string | false = ((): string | false => {
  const fault = natsFault();
  return fault === undefined ? false : `SKIPPED: ${fault}`;
})();
if (natsMissing !== false) process.stderr.write(`${natsMissing}\n`);

/** Resolves when the cluster has a leader and can make streams. */
export async function startNatsCluster(): Promise<NatsCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), "straddle-nats-"));
  const ports = await ownPorts(3 * NATS_SERVERS);
  const places = natsPlacesOn((kind, server) => ports[kind * NATS_SERVERS + server]!);
  const children: (ChildProcess | undefined)[] = [];
  const start = async (index: number): Promise<void> => {
    const config = path.join(folder, `n${index}.conf`);
    await mkdir(folder, { recursive: true });
    await writeFile(config, natsConfigOf(index, folder, places));
    children[index] = spawn(natsServer, ["-c", config, "-l", path.join(folder, `n${index}.log`)], {
      stdio: "ignore",
    });
  };
  const kill = async (index: number, signal: NodeJS.Signals): Promise<void> => {
    const child = children[index];
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const isEnd = signal === "SIGKILL" || signal === "SIGTERM";
    const exited = isEnd ? once(child, "exit") : undefined;
    child.kill(signal);
    await exited;
  };
  const indexes = Array.from({ length: NATS_SERVERS }, (_, index) => index);
  const stop = async (): Promise<void> => {
    await Promise.all(indexes.map((index) => kill(index, "SIGKILL")));
    await rm(folder, { recursive: true, force: true });
  };
  const monitors = places.map(({ monitor }) => `http://${monitor}`);
  try {
    await Promise.all(indexes.map(start));
    await natsReady(places);
  } catch (error) {
    await stop();
    throw error;
  }
  const servers = places.map(({ client }) => client);
  return { servers, monitors, kill, start, stop };
}
