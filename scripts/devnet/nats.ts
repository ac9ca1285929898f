/**
 * NATS servers on this machine, for a devnet whose order log several servers keep, and for tests.
 * The program is `STRADDLE_NATS_SERVER`, or `nats-server` of the PATH: npm has the client alone.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const NATS_SERVERS = 3;
/** The version before loses streams. */
const OLDEST = 2015;
const PORTS_OFFSET = 30;
const READY_MS = 30_000;
const POLL_MS = 100;
const ANSWER_MS = 1_000;

export const natsServer = process.env.STRADDLE_NATS_SERVER ?? "nats-server";

/** Why the servers cannot be run here; undefined where they can. */
export function natsFault(): string | undefined {
  const { status, stdout } = spawnSync(natsServer, ["--version"], { encoding: "utf8" });
  const advice = "install Debian's package nats-server of unstable, or set STRADDLE_NATS_SERVER";
  if (status !== 0) return `there is no \`${natsServer}\`: ${advice} (2.15 or newer)`;
  const [, major = 0, minor = 0] = /v(\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major) * 1000 + Number(minor) >= OLDEST) return undefined;
  return `\`${natsServer}\` is ${stdout.trim()}, older than 2.15: ${advice}`;
}

/** Where a server of the cluster listens: host and port each. */
export interface NatsPlace {
  readonly client: string;
  readonly route: string;
  readonly monitor: string;
}

/** Of a cluster on loopback: three ports for each server. */
export function natsPlacesOn(portOf: (kind: number, server: number) => number): NatsPlace[] {
  const at = (kind: number, server: number): string => `127.0.0.1:${portOf(kind, server)}`;
  return Array.from({ length: NATS_SERVERS }, (_, server) => ({
    client: at(0, server),
    route: at(1, server),
    monitor: at(2, server),
  }));
}

/** Those of the devnet with this port base. */
export function natsPlacesFrom(base: number): NatsPlace[] {
  return natsPlacesOn((kind, server) => base + PORTS_OFFSET + kind * NATS_SERVERS + server);
}

export function natsPortsOf({ client, route, monitor }: NatsPlace): number[] {
  return [client, route, monitor].map((place) => Number(place.split(":")[1]));
}

/** The configuration file of the server `index`; its data go below `folder`. */
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
export async function natsReady(places: readonly NatsPlace[], signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const views = await Promise.all(places.map(viewOf));
    if (views.every((view) => view !== undefined) && views.includes("all")) return;
    signal?.throwIfAborted();
    if (Date.now() > deadline) throw new Error("the NATS cluster has no leader");
    await sleep(POLL_MS);
  }
}

/**
 * What a server that is up sees of the others, where there is a leader: that all are there, which
 * only the leader can tell, or nothing. Undefined: it is not up, or knows no leader.
 */
async function viewOf({ monitor }: NatsPlace): Promise<"all" | "leader" | undefined> {
  const page = (name: string): Promise<Response> =>
    fetch(`http://${monitor}/${name}`, { signal: AbortSignal.timeout(ANSWER_MS) });
  try {
    const { ok } = await page("healthz");
    const { meta_cluster: meta } = (await (await page("jsz")).json()) as {
      meta_cluster?: {
        leader?: string;
        cluster_size?: number;
        replicas?: readonly { current?: boolean; offline?: boolean }[];
      };
    };
    if (!ok || meta?.leader === undefined || meta.cluster_size !== NATS_SERVERS) return undefined;
    const { replicas = [] } = meta;
    const areThere = replicas.every(({ current, offline }) => current && offline !== true);
    return areThere && replicas.length === NATS_SERVERS - 1 ? "all" : "leader";
  } catch {
    return undefined;
  }
}
