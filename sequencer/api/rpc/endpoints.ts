/** The JSON-RPC interface at its paths: `/api/v2` over HTTP, `/ws/api/v2` for WebSockets. */
import type { IncomingMessage } from "node:http";
import type { ExchangeService } from "../../exchangeService.ts";
import type { Clock, Logger } from "../../ports.ts";
import type { KeyRight } from "../../protocol/keyScope.ts";
import type { ApiLimits } from "../limits.ts";
import { type BucketTable, createBucketTable, createTokenBucket } from "../rateLimit.ts";
import type { Protocol } from "../sockets.ts";
import { createChannelRooms } from "./channelRoom.ts";
import { type Connection, createConnection } from "./connection.ts";
import {
  type CallObserver,
  call,
  type DispatchContext,
  dispatch,
  refuseAll,
  rpcErrorOf,
} from "./dispatch.ts";
import { RpcError, rpcErrorObject } from "./errorTable.ts";
import { createFeeds } from "./feeds.ts";
import { createMarket } from "./market.ts";
import type { RpcService } from "./method.ts";
import { METHODS, openRpc } from "./methodTable.ts";
import { paramsSchema } from "./openRpc.ts";
import { createOrderFeed } from "./orderFeed.ts";
import { type Session, sessionOfHeader } from "./session.ts";
import { createSubmissionDesk } from "./submissions.ts";

export const HTTP_PATH = "/api/v2";
export const SOCKET_PATH = "/ws/api/v2";
export const DOCUMENT_PATH = "/openrpc.json";

export interface RpcEndpoints {
  /** For WebSockets at {@link SOCKET_PATH}. */
  readonly protocol: Protocol;
  /** The answer to a POST's body; undefined: nothing to answer. */
  post(body: string, request: IncomingMessage): Promise<string | undefined>;
  /** The answer to `GET /api/v2/public/ticker?instrument_name=...`. */
  get(method: string, query: URLSearchParams, request: IncomingMessage): Promise<HttpAnswer>;
  /** The answer to a POST's body while the node stops. */
  stopping(body: string): string | undefined;
  document(): string;
  stop(): void;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export interface EndpointOptions {
  readonly service: ExchangeService;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: ApiLimits;
  readonly accountRates: BucketTable;
  readonly onCall?: CallObserver | undefined;
}

const STOPPING = new RpcError("temporarily_unavailable");

export function createRpcEndpoints(options: EndpointOptions): RpcEndpoints {
  const { service, clock, logger, limits, accountRates, onCall } = options;
  const orders = createOrderFeed();
  const submissions = createSubmissionDesk(service, accountRates);
  const feeds = createFeeds();
  const rooms = createChannelRooms(limits);
  const market = createMarket({ service, clock, logger, listener: feeds.listener });
  const sessions = reviewSessions(service, clock);
  feeds.begin({ market, orders, submissions, service, clock, logger });
  market.ready.catch((error: unknown) => {
    logger.error("an early event failed", { error: String(error) });
  });
  const shared: RpcService = { service, clock, market, orders, submissions };
  const now = () => clock.now();
  const credits = createBucketTable(limits.credits, limits.rateEntries, now);
  const contextOf = (request: IncomingMessage): DispatchContext => ({
    ...{ ...shared, logger, limits, onCall, connection: undefined },
    bucket: credits.get(request.socket.remoteAddress ?? "unknown"),
    session: async (right) => {
      const { authorization } = request.headers;
      return withRight(service, await sessionOfHeader({ service, clock }, authorization), right);
    },
  });
  return {
    protocol: (reader) => {
      const of = { sessions: { service, clock }, room: rooms() };
      const connection = createConnection({ ...reader, feeds, ...of });
      sessions.connections.add(connection);
      const bucket = createTokenBucket(limits.credits, now);
      const session = async (right?: KeyRight) =>
        withRight(service, await connection.session.current(), right);
      const context = { ...shared, logger, limits, onCall, connection, bucket, session };
      return {
        answer: (text) => {
          connection.heard();
          return dispatch(text, context);
        },
        stopping: (text) => refuseAll(text, STOPPING, limits),
        wait: () => bucket.wait(),
        close: () => {
          sessions.connections.delete(connection);
          connection.close();
        },
      };
    },
    post: (body, request) => dispatch(body, contextOf(request)),
    get: (method, query, request) => answerGet(method, query, contextOf(request)),
    stopping: (body) => refuseAll(body, STOPPING, limits),
    document: () => JSON.stringify(openRpc()),
    stop() {
      sessions.stop();
      market.stop();
      feeds.stop();
    },
  };
}

/** Throws where the owner of the account has not given the session's key that right. */
function withRight({ policy }: ExchangeService, session: Session, right: KeyRight = "read") {
  if (policy.allows(session.account, session.keyIndex, right)) return session;
  throw new RpcError("forbidden", undefined, { right });
}

/** How often sessions are looked through for keys that have expired: nobody tells of that. */
const REVIEW_MS = 500;

/** Ends sessions, and what they hear, as soon as their key is replaced or has expired. */
function reviewSessions(service: ExchangeService, clock: Clock) {
  const connections = new Set<Connection>();
  const review = (isDue: (connection: Connection) => boolean): void => {
    for (const connection of connections) if (isDue(connection)) void connection.review();
  };
  const timer = setInterval(() => {
    review(({ session }) => (session.endsAt() ?? Number.POSITIVE_INFINITY) <= clock.now());
  }, REVIEW_MS);
  timer.unref();
  const unsubscribe = service.subscribe((event) => {
    if (event.type !== "ledger" || event.update.operation !== "registerKey") return;
    const { account } = event.update;
    review(({ session }) => session.account() === account);
  });
  service.policy.onScope((account) => review(({ session }) => session.account() === account));
  return {
    connections,
    stop: () => {
      clearInterval(timer);
      unsubscribe();
    },
  };
}

/** As Deribit: a `400` where there is an error, so that plain HTTP clients notice. */
async function answerGet(
  name: string,
  query: URLSearchParams,
  context: DispatchContext,
): Promise<HttpAnswer> {
  try {
    const result = await call(name, paramsOf(name, query), context);
    return { status: 200, body: JSON.stringify({ jsonrpc: "2.0", result }) };
  } catch (error) {
    const known = rpcErrorOf(error, context.logger);
    const body = JSON.stringify({ jsonrpc: "2.0", error: rpcErrorObject(known) });
    return { status: known.reason === "too_many_requests" ? 429 : 400, body };
  }
}

/** Texts of a query become what the method's schema wants; what is wrong with them it says. */
function paramsOf(name: string, query: URLSearchParams): Record<string, unknown> {
  const properties = propertiesOf(name);
  const params: Record<string, unknown> = {};
  for (const [key, text] of query) {
    const type = Object.hasOwn(properties, key) ? properties[key]?.type : "string";
    if (key === "__proto__") throw new RpcError("invalid_params", "`__proto__` is no parameter.");
    // Unions, of decimals for example, take the text.
    params[key] = type === undefined || type === "string" ? text : parsed(text);
  }
  return params;
}

interface Properties {
  readonly [name: string]: { readonly type?: string };
}

/** Of methods that were asked for by GET. */
const known = new Map<string, Properties>();

function propertiesOf(name: string): Properties {
  const method = METHODS.get(name);
  if (method === undefined) return {};
  const before = known.get(name);
  if (before !== undefined) return before;
  const { properties = {} } = paramsSchema(method.params) as { properties?: Properties };
  known.set(name, properties);
  return properties;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
