// Requests and responses in the form of ccxt's static tests (ts/src/test/static of its repository):
// what each unified method sends, and what it makes of an answer, without a network. The answers
// were recorded at a real sequencer, which STRADDLE_WRITE_FIXTURES=1 does again.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import straddle from "../../../sequencer/ccxt/straddle.ts";
import { CALL, PUT, startVenue } from "./exchange.ts";

const FOLDER = path.join(import.meta.dirname, "static");
const FILES = { request: "request.json", response: "response.json" } as const;

/** Of one method, as ccxt has them. */
interface RequestCase {
  readonly description: string;
  readonly method: string;
  readonly url: string;
  readonly input: readonly unknown[];
  readonly output?: string;
}
interface ResponseCase {
  readonly description: string;
  readonly method: string;
  readonly input: readonly unknown[];
  readonly httpResponse: unknown;
  readonly parsedResponse: unknown;
}
type Static<Case> = {
  readonly exchange: "straddle";
  readonly methods: Readonly<Record<string, readonly Case[]>>;
};
interface Exchanged {
  readonly url: string;
  readonly body: string | undefined;
  readonly answer: unknown;
}

const READS: readonly (readonly [method: string, ...input: unknown[]])[] = [
  ["fetchMarkets"],
  ["fetchCurrencies"],
  ["fetchStatus"],
  ["fetchTime"],
  ["fetchTicker", CALL],
  ["fetchTickers", [CALL, PUT]],
  ["fetchOrderBook", CALL],
  ["fetchTrades", CALL],
  ["fetchOHLCV", CALL, "1m"],
  ["fetchGreeks", CALL],
  ["fetchAllGreeks"],
  ["fetchOption", CALL],
  ["fetchOptionChain", "ETH"],
  ["fetchOpenInterest", CALL],
  ["fetchVolatilityHistory", "ETH"],
  ["fetchSettlementHistory"],
  ["fetchBalance"],
  ["fetchPositions"],
  ["fetchPosition", CALL],
  ["fetchOpenOrders"],
  ["fetchClosedOrders"],
  ["fetchMyTrades", CALL],
  ["fetchAccounts"],
  ["fetchWithdrawals"],
];
const WRITES: typeof READS = [
  ["createOrder", CALL, "limit", "buy", 0.1, 50.5, { timeInForce: "IOC" }],
  ["createOrder", PUT, "limit", "buy", 0.2, 40.1, { postOnly: true, clientOrderId: "mine" }],
  ["cancelAllOrders"],
];

/** Calls the method, and tells what it has sent and got last. */
async function exchanged(
  exchange: straddle,
  [method, ...input]: (typeof READS)[number],
): Promise<{ readonly last: Exchanged; readonly parsed: unknown }> {
  const { fetch: real } = exchange;
  let last: Exchanged | undefined;
  exchange.fetch = async (...args: Parameters<typeof real>) => {
    const answer: unknown = await real.apply(exchange, args);
    const [url, , , body] = args as unknown as [string, string, object, string | undefined];
    last = { url, body, answer };
    return answer;
  };
  try {
    const call = Reflect.get(exchange, method) as (...input: unknown[]) => Promise<unknown>;
    const parsed = await call.apply(exchange, [...input]);
    assert.ok(last !== undefined, `${method} has sent nothing`);
    return { last, parsed };
  } finally {
    exchange.fetch = real;
  }
}

/** As JSON keeps it. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

async function record(context: TestContext): Promise<void> {
  const { maker, taker, rpc } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.5, 50.5);
  await taker.createOrder(CALL, "limit", "buy", 0.1, 50.5);
  const requests: Record<string, RequestCase[]> = {};
  const responses: Record<string, ResponseCase[]> = {};
  for (const wanted of [...READS, ...WRITES]) {
    const [method, ...input] = wanted;
    const { last, parsed } = await exchanged(taker, wanted);
    const description = `${method} of ${input.length} arguments`;
    const url = last.url.replace(rpc.server.url, NODE);
    const output = last.body === undefined ? {} : { output: last.body };
    requests[method] = [
      ...(requests[method] ?? []),
      { description, method, url, input, ...output },
    ];
    const said = { httpResponse: plain(last.answer), parsedResponse: plain(parsed) };
    responses[method] = [...(responses[method] ?? []), { description, method, input, ...said }];
  }
  mkdirSync(FOLDER, { recursive: true });
  const write = (file: string, methods: object) =>
    writeFileSync(path.join(FOLDER, file), `${lines({ exchange: "straddle", methods })}\n`);
  write(FILES.request, requests);
  write(FILES.response, responses);
}

/** One line a case. */
function lines({ exchange, methods }: { exchange: string; methods: object }): string {
  const each = Object.entries(methods).map(([name, cases]) => {
    const rows = (cases as object[]).map((item) => JSON.stringify(item)).join(",\n");
    return `${JSON.stringify(name)}:[\n${rows}\n]`;
  });
  return `{"exchange":${JSON.stringify(exchange)},"methods":{\n${each.join(",\n")}\n}}`;
}

const NODE = "http://127.0.0.1:8545";
const ACCOUNT = { apiKey: "4/0", secret: "0x2a" };

function read<Case>(file: string): Static<Case> {
  return JSON.parse(readFileSync(path.join(FOLDER, file), "utf8")) as Static<Case>;
}

/** A class without a network: `answerOf` says what each request gets. */
function offline(answerOf: (url: string, body: string | undefined) => unknown): straddle {
  const exchange = new straddle({
    ...ACCOUNT,
    enableRateLimit: false,
    urls: { api: { rest: NODE } },
    // The recorded receipts are of another key's messages.
    options: { checksReceipts: false },
  });
  exchange.milliseconds = () => NOW;
  const respond = async (...args: unknown[]) =>
    plain(answerOf(args[0] as string, args[3] as string | undefined));
  exchange.fetch = respond as typeof exchange.fetch;
  return exchange;
}

/** When the answers were recorded; what is fetched of a day before begins there. */
const NOW = 1_800_000_002_000;

const responses = () => read<ResponseCase>(FILES.response);

/** What all methods ask first. */
function prelude(url: string): unknown {
  const { fetchMarkets, fetchCurrencies } = responses().methods;
  if (url.endsWith("/straddle/get_info")) return { result: INFO };
  if (url.includes("/straddle/get_key")) return { result: { head: "0x1" } };
  if (url.includes("/straddle/get_account")) {
    return responses().methods.fetchAccounts?.[0]?.httpResponse;
  }
  if (url.includes("/public/get_instruments")) return fetchMarkets?.[0]?.httpResponse;
  if (url.endsWith("/public/get_currencies")) return fetchCurrencies?.[0]?.httpResponse;
  return undefined;
}

const INFO = {
  ...{ domain: "0x75bcd15", chainId: 31337, underlying: "ETH" },
  ...{ tickSize: 100_000, lotsPerContract: 100 },
};

test("fixtures: what is written is what the venue says today", async (context) => {
  if (process.env.STRADDLE_WRITE_FIXTURES !== undefined) await record(context);
  const methods = new Set([...READS, ...WRITES].map(([method]) => method));
  assert.deepEqual(new Set(Object.keys(read(FILES.request).methods)), methods);
  assert.deepEqual(new Set(Object.keys(responses().methods)), methods);
});

test("fixtures: each unified method sends what is written", async () => {
  const { methods } = read<RequestCase>(FILES.request);
  for (const { method, url, input, output } of Object.values(methods).flat()) {
    let sent: { url: string; body: string | undefined } | undefined;
    const exchange = offline((to, body) => {
      const known = prelude(to);
      if (known !== undefined && to !== url) return known;
      sent = { url: to, body };
      throw new Error("sent");
    });
    const call = Reflect.get(exchange, method) as (...input: unknown[]) => Promise<unknown>;
    await assert.rejects(call.apply(exchange, [...input]), /sent/, method);
    assert.equal(sent?.url, url, method);
    if (output === undefined) continue;
    assert.deepEqual(unsigned(sent?.body ?? ""), unsigned(output), method);
  }
});

/** Signatures, accounts and deadlines are of whoever signs, and when. */
function unsigned(body: string): unknown {
  const request = JSON.parse(body) as { params: { signed?: object; valid_until?: number } };
  const { signed, valid_until: _, ...fields } = request.params;
  return { ...request, params: { ...fields, signed: Object.keys(signed ?? {}).sort() } };
}

test("fixtures: each unified method makes of an answer what is written", async () => {
  for (const { method, input, httpResponse, parsedResponse } of Object.values(
    responses().methods,
  ).flat()) {
    const exchange = offline((url) => {
      const known = prelude(url);
      const isAsked =
        known === undefined || method === "fetchMarkets" || method === "fetchCurrencies";
      return isAsked && !url.endsWith("/straddle/get_info") ? (known ?? httpResponse) : known;
    });
    await exchange.loadMarkets();
    const call = Reflect.get(exchange, method) as (...input: unknown[]) => Promise<unknown>;
    assert.deepEqual(plain(await call.apply(exchange, [...input])), parsedResponse, method);
  }
});
