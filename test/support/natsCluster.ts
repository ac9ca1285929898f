/**
 * A NATS cluster of three servers on loopback, for tests. The servers are `STRADDLE_NATS_SERVER` or
 * `nats-server` of the PATH; the client library comes from npm, the server does not.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

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

const SERVERS = 3;
const READY_MS = 30_000;
const OLDEST = 2015;

export const natsServer = process.env.STRADDLE_NATS_SERVER ?? "nats-server";

/** Why tests with a cluster cannot run here, or false. */
export const natsMissing: string | false = ((): string | false => {
  const { status, stdout } = spawnSync(natsServer, ["--version"], { encoding: "utf8" });
  const advice = "install Debian's package nats-server of unstable, or set STRADDLE_NATS_SERVER";
  if (status !== 0) return `SKIPPED: there is no \`${natsServer}\`: ${advice} (2.15 or newer)`;
  const [, major = 0, minor = 0] = /v(\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major) * 1000 + Number(minor) >= OLDEST) return false;
  return `SKIPPED: \`${natsServer}\` is ${stdout.trim()}, older than 2.15: ${advice}`;
})();
if (natsMissing !== false) process.stderr.write(`${natsMissing}\n`);

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** Where a server of the cluster listens: host and port each. */
export interface NatsPlace {
  readonly client: string;
  readonly route: string;
  readonly monitor: string;
}

export function natsConfigOf(index: number, folder: string, places: readonly NatsPlace[]): string {
  const { client, route, monitor } = places[index]!;
  const routes = places.filter((_, server) => server !== index).map((it) => `nats://${it.route}`);
  return `server_name: n${index}
listen: "${client}"
http: "${monitor}"
jetstream { store_dir: ${JSON.stringify(path.join(folder, `n${index}`))}, sync_interval: always }
cluster {
  name: straddle
  listen: "${route}"
  routes: ${JSON.stringify(routes)}
}
`;
}

/** Resolves when the cluster has a leader and can make streams. */
export async function startNatsCluster(): Promise<NatsCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), "straddle-nats-"));
  const ports = await freePorts(3 * SERVERS);
  const placeOf = (kind: number, server: number) => `127.0.0.1:${ports[kind * SERVERS + server]}`;
  const places = Array.from({ length: SERVERS }, (_, server) => ({
    client: placeOf(0, server),
    route: placeOf(1, server),
    monitor: placeOf(2, server),
  }));
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
  const indexes = Array.from({ length: SERVERS }, (_, index) => index);
  const stop = async (): Promise<void> => {
    await Promise.all(indexes.map((index) => kill(index, "SIGKILL")));
    await rm(folder, { recursive: true, force: true });
  };
  const monitors = places.map(({ monitor }) => `http://${monitor}`);
  try {
    await Promise.all(indexes.map(start));
    await untilReady(monitors);
  } catch (error) {
    await stop();
    throw error;
  }
  const servers = places.map(({ client }) => client);
  return { servers, monitors, kill, start, stop };
}

async function untilReady(monitors: readonly string[]): Promise<void> {
  const deadline = Date.now() + READY_MS;
  const isReady = async (url: string): Promise<boolean> => {
    try {
      const answer = await fetch(new URL("/healthz", url), { signal: AbortSignal.timeout(1000) });
      const page = await fetch(new URL("/jsz", url), { signal: AbortSignal.timeout(1000) });
      const { meta_cluster: meta } = (await page.json()) as {
        meta_cluster?: { leader?: string; cluster_size?: number };
      };
      return answer.ok && meta?.leader !== undefined && meta.cluster_size === SERVERS;
    } catch {
      return false;
    }
  };
  while (!(await Promise.all(monitors.map(isReady))).every(Boolean)) {
    if (Date.now() > deadline) throw new Error("the NATS cluster has no leader");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
