/**
 * The stream of a deployment and the servers that hold it. What JetStream promises hangs on how it
 * is set up, so nothing is written before that has been looked at.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StoredMsg,
  type StreamConfig,
} from "@nats-io/jetstream";
import { connect, errors } from "@nats-io/transport-node";

/** Servers or stream are not what the configuration asks for: the node must not write. */
export class StreamSettingsError extends Error {
  override name = "StreamSettingsError";
}

export interface StreamOptions {
  readonly servers: readonly string[];
  readonly replicas: number;
  readonly stream: string;
  /** HTTP monitoring addresses of all servers, to see whether they sync every write. */
  readonly monitors?: readonly string[] | undefined;
}

export interface Stream {
  readonly name: string;
  readonly subject: string;
  readonly client: JetStreamClient;
  /** What one message may hold. */
  readonly bytesMax: number;
  /** True: every server syncs before it answers; undefined: nobody could be asked. */
  readonly syncsAlways: boolean | undefined;
  /** The message at the sequence, or the last one. */
  message(sequence?: number): Promise<StoredMsg | undefined>;
  close(): Promise<void>;
}

/** Before it, a crash of one process could lose a whole stream. */
const OLDEST = [2, 10, 23] as const;
/** From here on `sync_interval: always` costs one sync for a group of writes. */
const GROUP_SYNC = [2, 15, 0] as const;
const DUPLICATES_NS = 120_000_000_000;
/** Headers, and what the server adds. */
const BYTES_RESERVED = 8192;
const REQUEST_MS = 5000;
const PING_MS = 1000;
/** "No suitable peers for placement": fewer servers than replicas are known to be there. */
const NO_PEERS: number = 10_005;
/** After so long they are not just late. */
const PLACEMENT_MS = 20_000;
const PLACEMENT_RETRY_MS = 250;

/** Servers that are away, or between two leaders: trying again may help. */
export function isAway(error: unknown): error is Error {
  const { TimeoutError, RequestError, NoRespondersError } = errors;
  const isSilence = [TimeoutError, RequestError, NoRespondersError].some(
    (kind) => error instanceof kind,
  );
  return isSilence || (error instanceof JetStreamApiError && error.status === PASSING_STATUS);
}

/** Answers by a server that is between leaders, short of memory for the moment, or starting. */
export const PASSING_STATUS = 503;

export async function openStream(options: StreamOptions): Promise<Stream> {
  const connection = await connect({
    servers: [...options.servers],
    name: `straddle ${options.stream}`,
    // The log decides itself how long it waits; the connection only has to come back.
    ...{ maxReconnectAttempts: -1, reconnectTimeWait: 250, timeout: REQUEST_MS },
    // A server behind a partition ends no connection: only its silence tells.
    ...{ pingInterval: PING_MS, maxPingOut: 2 },
  });
  try {
    const { info } = connection;
    assertVersion(`server \`${info?.server_name}\``, info?.version ?? "");
    const syncsAlways = await checkMonitors(options);
    const manager = await jetstreamManager(connection, { timeout: REQUEST_MS });
    await ensureStream(manager, options);
    const { stream: name } = options;
    return {
      ...{ name, subject: name, syncsAlways },
      client: jetstream(connection),
      bytesMax: (info?.max_payload ?? 2 ** 20) - BYTES_RESERVED,
      message: async (sequence) => {
        const query = sequence === undefined ? { last_by_subj: name } : { seq: sequence };
        return (await manager.streams.getMessage(name, query)) ?? undefined;
      },
      close: () => connection.close(),
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function assertVersion(who: string, version: string): void {
  if (isBelow(version, OLDEST)) {
    const message = `${who} is nats-server \`${version}\`, which can lose streams`;
    throw new StreamSettingsError(`${message}; at least ${OLDEST.join(".")}, better 2.15`);
  }
}

function isBelow(version: string, wanted: readonly number[]): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [index, least] of wanted.entries()) {
    const part = parts[index] ?? 0;
    if (Number.isNaN(part)) return true;
    if (part !== least) return part < least;
  }
  return false;
}

/** The client protocol does not tell how a server syncs; its monitoring page does. */
async function checkMonitors({ monitors }: StreamOptions): Promise<boolean | undefined> {
  if (monitors === undefined || monitors.length === 0) return undefined;
  for (const url of monitors) {
    const page = await fetch(new URL("/varz", url), { signal: AbortSignal.timeout(REQUEST_MS) });
    const { version, jetstream: settings } = (await page.json()) as {
      version: string;
      jetstream?: { config?: { sync_always?: boolean } };
    };
    assertVersion(`the server at \`${url}\``, version);
    if (settings?.config?.sync_always !== true) {
      throw new StreamSettingsError(`the server at \`${url}\` lacks \`sync_interval: always\``);
    }
    if (isBelow(version, GROUP_SYNC)) {
      const message = `the server at \`${url}\` is ${version}: with \`sync_interval: always\``;
      throw new StreamSettingsError(`${message} it syncs each message; at least 2.15`);
    }
  }
  return true;
}

function wantedConfig({ stream, replicas }: StreamOptions) {
  return {
    name: stream,
    subjects: [stream],
    storage: StorageType.File,
    num_replicas: replicas,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    ...{ max_msgs: -1, max_bytes: -1, max_age: 0, max_msgs_per_subject: -1 },
    duplicate_window: DUPLICATES_NS,
    // A log is only ever appended to; and only the leader's answer says where it ends.
    ...{ deny_delete: true, deny_purge: true, allow_rollup_hdrs: false, allow_direct: false },
  } satisfies Partial<StreamConfig>;
}

async function ensureStream(manager: JetStreamManager, options: StreamOptions): Promise<void> {
  const wanted = wantedConfig(options);
  try {
    const { config } = await manager.streams.info(options.stream);
    for (const [name, value] of Object.entries(wanted)) {
      const found = (config as unknown as Record<string, unknown>)[name];
      if (JSON.stringify(found ?? false) === JSON.stringify(value)) continue;
      const shown = JSON.stringify(found);
      const message = `stream \`${options.stream}\` has ${name} \`${shown}\``;
      throw new StreamSettingsError(`${message}; it must be ${JSON.stringify(value)}`);
    }
  } catch (error) {
    const isMissing =
      error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
    if (!isMissing) throw error;
    await addStream(manager, wanted);
  }
}

/** Servers of a cluster that has just begun hear of one another after they answer clients. */
async function addStream(manager: JetStreamManager, wanted: Partial<StreamConfig>): Promise<void> {
  const deadline = Date.now() + PLACEMENT_MS;
  for (;;) {
    try {
      await manager.streams.add(wanted as StreamConfig);
      return;
    } catch (error) {
      const isEarly =
        error instanceof JetStreamApiError && (error.code === NO_PEERS || isAway(error));
      if (!isEarly || Date.now() > deadline) throw error;
      await sleep(PLACEMENT_RETRY_MS);
    }
  }
}
