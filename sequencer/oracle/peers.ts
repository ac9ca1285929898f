/** The other end of `server.ts`: oracles as peers, oracles as a source, and the series table. */
import { z } from "zod";
import type { SnapshotSource } from "../ports.ts";
import { FIELD_MODULUS, SERIES_STATUS, type SeriesStatus } from "../protocol/constants.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { SeriesTerms } from "./feed.ts";
import type { Review } from "./server.ts";
import { snapshotFromJson, snapshotToJson } from "./snapshotJson.ts";

/** An oracle, or the sequencer, did not answer as it should. */
export class OracleCallError extends Error {
  override name = "OracleCallError";
}

const TIMEOUT_MS = 3000;

const element = z
  .string()
  .regex(/^[0-9]{1,78}$/)
  .transform(BigInt)
  .refine((value) => value < FIELD_MODULUS);
const signature = z.object({ signer: z.int().min(0), r8x: element, r8y: element, s: element });
const refusal = z.object({ code: z.int(), reason: z.string().transform((text) => cut(text)) });
const review = z.union([z.object({ signature }), refusal]);
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
    error?: { message?: unknown };
  };
  if (error !== undefined) throw new OracleCallError(`${method} at ${url}: ${error.message}`);
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

/** Asks all oracles and gives the newest snapshot; signatures are for the caller to check. */
export function createSnapshotSource(urls: readonly string[]): SnapshotSource {
  return {
    latest: async () => {
      const answers = await Promise.allSettled(urls.map((url) => call(url, "oracle/latest", {})));
      let newest: Snapshot | undefined;
      for (const answer of answers) {
        if (answer.status === "rejected" || answer.value === null) continue;
        const snapshot = snapshotFromJson(answer.value);
        if (newest === undefined || snapshot.time > newest.time) newest = snapshot;
      }
      if (newest === undefined) throw new OracleCallError("no oracle has a snapshot");
      return newest;
    },
  };
}

/**
 * Reads the series table from the sequencer's public API. While it cannot be reached, the table is
 * the one last seen, for nothing can be listed without it. Before it has ever been reached this
 * throws: an oracle that knows no listing would sign that everything is worth nothing.
 */
export function createTableReader(
  apiUrl: string,
  slots: number,
): () => Promise<readonly SeriesTerms[]> {
  let table: readonly SeriesTerms[] | undefined;
  return async () => {
    try {
      const { series } = chain.parse(await call(apiUrl, "public/chain", {}));
      if (series.length !== slots) {
        throw new OracleCallError(`\`${series.length}\` slots, the deployment has ${slots}`);
      }
      table = series;
    } catch (error) {
      const isUnreachable = !(error instanceof z.ZodError || error instanceof OracleCallError);
      if (table === undefined || !isUnreachable) throw error;
    }
    return table;
  };
}
