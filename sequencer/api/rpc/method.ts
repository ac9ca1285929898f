/** One method of the table, and what its handler may use. */
import type { z } from "zod";
import type { ExchangeService, Info } from "../../exchangeService.ts";
import type { Clock } from "../../ports.ts";
import type { KeyRight } from "../../protocol/keyScope.ts";
import type { TokenBucket } from "../rateLimit.ts";
import type { Instrument } from "./catalogue.ts";
import type { Connection } from "./connection.ts";
import { RpcError } from "./errorTable.ts";
import type { Market } from "./market.ts";
import type { OrderFeed } from "./orderFeed.ts";
import type { Session } from "./session.ts";
import type { SubmissionDesk } from "./submissions.ts";

/** What all callers share. */
export interface RpcService {
  readonly service: ExchangeService;
  readonly clock: Clock;
  readonly market: Market;
  readonly orders: OrderFeed;
  readonly submissions: SubmissionDesk;
}

export interface CallContext extends RpcService {
  /** The caller's credits. */
  readonly bucket: TokenBucket;
  /** Undefined over HTTP. */
  readonly connection: Connection | undefined;
  /**
   * Of the connection, or of the request's header. Throws where there is none, or where its key's
   * scope has not the right; default: `read`.
   */
  session(right?: KeyRight): Promise<Session>;
}

/**
 * `public`: anybody. `private`: a session opened by a trading key. `signed`: the words in the
 * request are authority enough, and a session is not asked for.
 */
export type Scope = "public" | "private" | "signed";

export interface Method {
  readonly name: string;
  readonly summary: string;
  readonly scope: Scope;
  readonly needsWebSocket: boolean;
  /** Credits. */
  readonly cost: number;
  readonly params: z.ZodType;
  readonly result: z.ZodType;
  readonly call: (params: unknown, context: CallContext) => Promise<unknown>;
}

/** Credits of an ordinary call; the tables say where one costs more. */
export const CALL_CREDITS = 500;

interface Definition<P extends z.ZodType, R extends z.ZodType> {
  readonly summary: string;
  readonly scope?: Scope;
  readonly needsWebSocket?: boolean;
  /** Of ordinary calls. */
  readonly calls?: number;
  readonly params: P;
  readonly result: R;
  readonly call: (params: z.output<P>, context: CallContext) => Promise<z.input<R>> | z.input<R>;
}

/** Keeps the types of schemas and handler together, then forgets them for the table. */
export function method<P extends z.ZodType, R extends z.ZodType>(
  name: string,
  definition: Definition<P, R>,
): Method {
  const { summary, params, result, needsWebSocket = false, calls = 1, call } = definition;
  const scope = definition.scope ?? (name.startsWith("private/") ? "private" : "public");
  return {
    ...{ name, summary, scope, needsWebSocket, params, result, cost: calls * CALL_CREDITS },
    call: async (value, context) => call(value as z.output<P>, context),
  };
}

/** As the market was last read. */
export function infoOf({ market }: Pick<RpcService, "market">): Info {
  const catalogue = market.catalogues.latest();
  if (catalogue === undefined) throw new RpcError("no_snapshot", "the market is not read yet.");
  return catalogue.info;
}

/** The instrument of that name, as the market was last read. Throws {@link RpcError}. */
export function instrumentNamed(name: string, { market }: Pick<RpcService, "market">): Instrument {
  const instrument = market.catalogues.latest()?.byName.get(name.trim().toUpperCase());
  if (instrument !== undefined) return instrument;
  const text = `no such instrument: \`${name}\`.`;
  throw new RpcError("invalid_or_unsupported_instrument", text);
}

/** What the service has answered; `not_found` where it knows no such thing. */
export function found<T>(value: T | null, what: string): T {
  if (value === null) throw new RpcError("not_found", `no such ${what}.`);
  return value;
}
