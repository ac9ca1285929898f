/** The methods: what each takes, what it costs its caller, and how the service answers it. */
import type { z } from "zod";
import type { ExchangeService, Refused } from "../exchangeService.ts";
import type { Clock } from "../ports.ts";
import { verify } from "../protocol/eddsa.ts";
import { readRequestHash } from "../protocol/receipt.ts";
import { DOOR_REJECTS } from "../protocol/rejection.ts";
import { ApiError } from "./errors.ts";
import { READ_REQUEST_AGE_MS } from "./limits.ts";
import type { BucketTable, TokenBucket } from "./rateLimit.ts";
import { type Reader, SCHEMAS } from "./schemas.ts";
import type { Subscriber } from "./subscriptions.ts";

/** What handlers may use: the node's parts, and the caller. */
export interface CallContext {
  readonly service: ExchangeService;
  readonly clock: Clock;
  readonly accountRates: BucketTable;
  /** The caller's own bucket. */
  readonly bucket: TokenBucket;
  /** Undefined over HTTP. */
  readonly subscriber: Subscriber | undefined;
}

interface Method {
  readonly params: z.ZodType;
  /** Tokens of the caller's bucket. */
  readonly cost: number;
  readonly call: (params: unknown, context: CallContext) => Promise<unknown>;
}

/** Keeps the types of schema and handler together, then forgets them for the table. */
function method<S extends z.ZodType>(
  params: S,
  cost: number,
  call: (params: z.output<S>, context: CallContext) => Promise<unknown>,
): Method {
  return { params, cost, call: (value, context) => call(value as z.output<S>, context) };
}

/** Extra tokens for a refused message: checking a signature is dear and the sender unproven. */
const REFUSAL_COST = 4;

/** Repricing an account takes the node some ten milliseconds. */
const RISK_COST = 20;

/** Records are read from the disk, and the last of them is signed. */
const LOG_COST = 5;

/** A Map, so that no name of `Object.prototype` is a method. */
export const METHODS: ReadonlyMap<string, Method> = new Map(
  Object.entries({
    "public/info": method(SCHEMAS.nothing, 1, (_, { service }) => service.info()),
    "public/status": method(SCHEMAS.nothing, 1, (_, { service }) => service.status()),
    "public/chain": method(SCHEMAS.nothing, 2, (_, { service }) => service.chain()),
    "public/books": method(SCHEMAS.nothing, 2, (_, { service }) => service.books()),
    "public/book": method(SCHEMAS.book, 1, async ({ book, depth }, { service }) =>
      found(await service.book(book, depth), "book", book),
    ),
    "public/trades": method(SCHEMAS.trades, 2, ({ book, limit }, { service }) =>
      service.trades(book ?? null, limit),
    ),
    "public/account": method(SCHEMAS.who, 1, async ({ account, owner }, { service }) =>
      owner === undefined
        ? found(await service.account({ id: account ?? 0 }), "account", account ?? 0)
        : found(await service.account({ owner }), "account of owner", hex(owner)),
    ),
    "public/key": method(SCHEMAS.key, 1, async ({ account, keyIndex }, { service }) =>
      found(await service.session(account, keyIndex), "trading key", `${account}/${keyIndex}`),
    ),
    "public/batch": method(SCHEMAS.batch, 1, async ({ number }, { service }) =>
      found(await service.batch(number), "batch", number),
    ),
    "public/batches": method(SCHEMAS.batches, 2, ({ from, limit }, { service }) =>
      service.batches(from ?? null, limit),
    ),
    "public/snapshot": method(SCHEMAS.nothing, 2, async (_, { service }) =>
      found(await service.snapshot(), "snapshot", "latest"),
    ),
    "public/stages": method(SCHEMAS.stages, 1, async ({ logPosition }, { service }) =>
      found(await service.stages(logPosition), "log position", logPosition),
    ),
    "public/log": method(SCHEMAS.log, LOG_COST, ({ from, limit }, { service }) =>
      service.log(from, limit),
    ),
    "public/risk": method(SCHEMAS.account, RISK_COST, async ({ account }, { service }) =>
      found(await service.risk(account), "account with a snapshot", account),
    ),
    "public/preview": method(SCHEMAS.preview, RISK_COST, async (request, { service }) =>
      found(await service.preview(request), "account, book or snapshot", previewName(request)),
    ),
    "public/liquidations": method(SCHEMAS.nothing, 10, (_, { service }) => service.liquidations()),
    "public/withdrawals": method(SCHEMAS.owner, 2, ({ owner }, { service }) =>
      service.withdrawals(owner),
    ),
    "private/submit": method(SCHEMAS.submit, 1, submit),
    "private/orders": method(SCHEMAS.reader, 3, async (reader, context) => {
      await assertReader(reader, reader.account, context);
      return context.service.orders(reader.account);
    }),
    "private/history": method(SCHEMAS.history, 3, async ({ reader, limit }, context) => {
      await assertReader(reader, reader.account, context);
      return context.service.history(reader.account, limit);
    }),
    subscribe: method(SCHEMAS.subscribe, 3, subscribe),
    unsubscribe: method(SCHEMAS.unsubscribe, 1, async ({ channels }, { subscriber }) =>
      needed(subscriber).remove(channels),
    ),
  }),
);

function found<T>(value: T | null, what: string, name: string | number): T {
  if (value === null) throw new ApiError("notFound", `no such ${what}: \`${name}\`.`);
  return value;
}

function previewName({ account, book }: z.output<typeof SCHEMAS.preview>): string {
  return `${account}/${book}`;
}

function hex(value: bigint): string {
  return `0x${value.toString(16).padStart(40, "0")}`;
}

function needed(subscriber: Subscriber | undefined): Subscriber {
  if (subscriber === undefined) throw new ApiError("needsWebSocket");
  return subscriber;
}

/**
 * Only accepted messages count against their account: anyone can name an account, and must not be
 * able to use up its rate. Refused ones are charged to the connection. The service is called
 * before anything is awaited, so messages reach it in the order in which they arrived.
 */
async function submit(
  submission: z.output<typeof SCHEMAS.submit>,
  { service, accountRates, bucket }: CallContext,
): Promise<unknown> {
  const rate = accountRates.get(submission.account);
  const wait = rate.wait();
  if (wait > 0) throw rateLimited("account", wait);
  const result = await service.submit(submission);
  if (!result.accepted) {
    bucket.charge(REFUSAL_COST);
    throw refusal(result);
  }
  rate.charge(1);
  return result.receipt;
}

export function rateLimited(scope: "account" | "connection", wait: number): ApiError {
  const text = `too many messages on this ${scope}; the next one is taken in \`${wait}\` ms.`;
  return new ApiError("rateLimited", text, { scope, retryAfterMs: wait });
}

function refusal({ code, reason, data }: Refused): ApiError {
  return new ApiError(code, reason ?? DOOR_REJECTS[code][1], data);
}

async function assertReader(
  reader: Reader,
  account: number,
  { service, clock, bucket }: CallContext,
): Promise<void> {
  const age = Math.abs(clock.now() - reader.time);
  if (age > READ_REQUEST_AGE_MS) {
    const allowed = `within ${READ_REQUEST_AGE_MS} ms of now`;
    throw new ApiError("notAuthorised", `\`time\` must be ${allowed}. Got \`${reader.time}\`.`);
  }
  const { keyIndex, time, signature } = reader;
  const session = reader.account === account ? await service.session(account, keyIndex) : null;
  if (session !== null && session.expiry > clock.now() / 1000) {
    const { domain } = await service.info();
    if (verify(session.key, readRequestHash({ domain, account, keyIndex, time }), signature)) {
      return;
    }
  }
  bucket.charge(REFUSAL_COST);
  throw new ApiError("notAuthorised");
}

async function subscribe(
  { channels, reader }: z.output<typeof SCHEMAS.subscribe>,
  context: CallContext,
): Promise<unknown> {
  const subscriber = needed(context.subscriber);
  const accounts = new Set(
    channels.filter((name) => name.startsWith("account.")).map((name) => Number(name.slice(8))),
  );
  for (const account of accounts) {
    if (reader === undefined) {
      throw new ApiError("notAuthorised", `\`account.${account}\` needs \`reader\`.`);
    }
    await assertReader(reader, account, context);
  }
  return subscriber.add(channels);
}
