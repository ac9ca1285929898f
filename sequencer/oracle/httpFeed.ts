/** A feed over HTTP: fetches JSON documents, at most so often, so long and so large. */
import type { Feed, Market } from "./feed.ts";

/** A source did not answer with what its documentation says. */
export class HttpFeedError extends Error {
  override name = "HttpFeedError";
}

export interface HttpFeedConfig {
  readonly name: string;
  /** Fetched together; `parse` gets their bodies in the same order. */
  readonly urls: readonly string[];
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Makes a market of what was received at `receivedMs`; throws where that is impossible. */
  readonly parse: (bodies: readonly unknown[], receivedMs: number) => Market;
  /** An answer is used for this long before the source is asked again (ms). */
  readonly refreshMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  /** The longest body, in bytes as they arrive. */
  readonly bytesMax?: number | undefined;
  readonly now?: () => number;
}

const REFRESH_MS = 1000;
const TIMEOUT_MS = 2000;
/** A chain of a thousand options is about half a megabyte. */
const BYTES_MAX = 8 * 2 ** 20;

/**
 * Connections are kept alive by Node's fetch. Calls while a request is under way share its answer;
 * an answer that failed is not kept. Redirects are refused: a source is where it was said to be.
 */
export function createHttpFeed(config: HttpFeedConfig): Feed {
  const { name, urls, parse, refreshMs = REFRESH_MS, now = Date.now } = config;
  let fetched: { readonly atMs: number; readonly market: Promise<Market> } | undefined;

  async function fetchAll(): Promise<Market> {
    const bodies = await Promise.all(urls.map((url) => fetchJson(url, config)));
    return parse(bodies, now());
  }

  return {
    name,
    read: () => {
      const atMs = now();
      if (fetched === undefined || atMs - fetched.atMs >= refreshMs) {
        const market = fetchAll();
        const attempt = { atMs, market };
        fetched = attempt;
        market.catch(() => {
          if (fetched === attempt) fetched = undefined;
        });
      }
      return fetched.market;
    },
  };
}

async function fetchJson(url: string, config: HttpFeedConfig): Promise<unknown> {
  const { headers = {}, timeoutMs = TIMEOUT_MS, bytesMax = BYTES_MAX } = config;
  let text: string;
  try {
    const response = await fetch(url, {
      headers: { accept: "application/json", ...headers },
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new HttpFeedError(`${url}: status \`${response.status}\`, only 200 is an answer`);
    }
    text = await readText(response, url, bytesMax);
  } catch (error) {
    if (error instanceof HttpFeedError) throw error;
    if ((error as Error).name === "TimeoutError") {
      throw new HttpFeedError(`${url}: no answer within \`${timeoutMs}\` ms`);
    }
    const { cause, message } = error as Error;
    throw new HttpFeedError(`${url}: ${cause instanceof Error ? cause.message : message}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpFeedError(`${url}: the body is not JSON: \`${text.slice(0, 40)}\``);
  }
}

async function readText(response: Response, url: string, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    // Leaving the loop cancels the rest of the body.
    if (size > bytesMax) throw new HttpFeedError(`${url}: the body is longer than \`${bytesMax}\``);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
