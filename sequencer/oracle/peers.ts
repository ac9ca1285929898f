/** The other end of `server.ts`: oracles as peers, oracles as a source, and the series table. */
import { z } from "zod";
import type { Review, SnapshotSource } from "../ports.ts";
import { SERIES_STATUS, type SeriesStatus } from "../protocol/constants.ts";
import type { PublicKey } from "../protocol/eddsa.ts";
import { isQuorumSigned, type Snapshot } from "../protocol/snapshot.ts";
import { type SeriesTerms, withAnnounced } from "./feed.ts";
import { signatureSchema, snapshotFromJson, snapshotToJson } from "./snapshotJson.ts";

/** An oracle, or the sequencer, did not answer as it should. */
export class OracleCallError extends Error {
  override name = "OracleCallError";
}

const TIMEOUT_MS = 3000;
/** Of a sequencer's public API. */
const API_PATH = "/api/v2";

const refusal = z.object({ code: z.int(), reason: z.string().transform((text) => cut(text)) });
const review = z.union([z.object({ signature: signatureSchema }), refusal]);
const REASON_MAX = 1000;

function cut(text: string): string {
  return text.length <= REASON_MAX ? text : `${text.slice(0, REASON_MAX)}...`;
}

const statuses = Object.keys(SERIES_STATUS) as [SeriesStatus, ...SeriesStatus[]];
const chain = z.object({
  series: z.array(
    z.object({
      status: z.enum(statuses),
      isCall: z.boolean(),
      strike: z.int().min(0),
      expiry: z.int().min(0),
    }),
  ),
  // A sequencer of an older version announces nothing.
  announced: z
    .array(
      z.object({
        slot: z.int().min(0),
        isCall: z.boolean(),
        strike: z.int().min(0),
        expiry: z.int().min(0),
      }),
    )
    .default([]),
});

async function call(url: string, method: string, params: object): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const { result, error } = (await response.json()) as {
    result?: unknown;
    error?: { message?: unknown; data?: { reason?: unknown } };
  };
  if (error !== undefined) {
    // A sequencer's sentence; an oracle has it in its message.
    const reason = cut(String(error.data?.reason ?? error.message));
    throw new OracleCallError(`${method} at ${url}: ${reason}`);
  }
  return result;
}

export function createOraclePeer(url: string): {
  readonly name: string;
  sign(proposal: unknown): Promise<Review>;
  offer(snapshot: Snapshot, proposal?: unknown): Promise<void>;
} {
  return {
    name: url,
    sign: async (proposal) => review.parse(await call(url, "oracle/sign", { proposal })),
    offer: async (snapshot, proposal) => {
      await call(url, "oracle/offer", { snapshot: snapshotToJson(snapshot), proposal });
    },
  };
}

/** Whose signatures count, and how many it takes. */
export interface OracleSet {
  readonly domain: bigint;
  readonly oracles: readonly PublicKey[];
  readonly quorum: number;
}

/**
 * Asks all oracles and gives the newest snapshot that a quorum of `set` has signed: one bad oracle,
 * whatever it answers, must not hide what the others say.
 */
export function createSnapshotSource(urls: readonly string[], set: OracleSet): SnapshotSource {
  let last: Snapshot | undefined;
  return {
    latest: async () => {
      const answers = await Promise.all(urls.map(latestOf));
      const candidates = answers.filter((answer) => answer !== undefined);
      for (const snapshot of candidates.sort((a, b) => b.time - a.time)) {
        // Verified once, not at every poll.
        if (snapshot.time === last?.time) return last;
        if (!isQuorumSigned({ ...set, snapshot })) continue;
        last = snapshot;
        return snapshot;
      }
      throw new OracleCallError("no oracle has a snapshot that a quorum has signed");
    },
  };
}

/** Undefined: it has none, does not answer, or answers with something else. */
async function latestOf(url: string): Promise<Snapshot | undefined> {
  try {
    return snapshotFromJson(await call(url, "oracle/latest", {}));
  } catch {
    return undefined;
  }
}

/** Of the first that can be reached: where the sequencer moves, one of them serves at a time. */
async function firstAnswer(urls: readonly string[], method: string): Promise<unknown> {
  const [url, ...others] = urls;
  try {
    return await call(url!, method, {});
  } catch (error) {
    if (others.length === 0 || error instanceof OracleCallError) throw error;
    return firstAnswer(others, method);
  }
}

/**
 * Reads the series table from the sequencer's public API. While it cannot be reached, the table is
 * the one last seen, for nothing can be listed without it. Before it has ever been reached this
 * throws: an oracle that knows no listing would sign that everything is worth nothing.
 */
export function createTableReader(
  apiUrl: string | readonly string[],
  slots: number,
): () => Promise<readonly SeriesTerms[]> {
  let table: readonly SeriesTerms[] | undefined;
  return async () => {
    try {
      const urls = [apiUrl].flat().map((url) => new URL(API_PATH, url).href);
      const { series, announced } = chain.parse(await firstAnswer(urls, "straddle/get_series"));
      if (series.length !== slots) {
        throw new OracleCallError(`\`${series.length}\` slots, the deployment has ${slots}`);
      }
      table = withAnnounced(series, announced);
    } catch (error) {
      const isUnreachable = !(error instanceof z.ZodError || error instanceof OracleCallError);
      if (table === undefined || !isUnreachable) throw error;
    }
    return table;
  };
}
