// HTTP feeds against a server of our own: every way in which a source can fail has its words.
import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import {
  createDeribitFeed,
  parseDeribit,
  parseOptionName,
} from "../../../sequencer/oracle/deribit.ts";
import { createHttpFeed, HttpFeedError } from "../../../sequencer/oracle/httpFeed.ts";
import { createJsonFeed, jsonMapping, parseJson } from "../../../sequencer/oracle/jsonFeed.ts";
import { createMarketSources } from "../../../sequencer/oracle/marketView.ts";

let server: Server;
let url: string;
let answer: RequestListener;
const paths: string[] = [];
let connections = 0;

before(async () => {
  server = createServer((request, response) => {
    paths.push(request.url ?? "");
    answer(request, response);
  });
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json = (value: unknown): RequestListener => {
  return (_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
};

const NOW = 1_800_000_000_000;
const parse = (bodies: readonly unknown[]) => {
  const { price } = bodies[0] as { price: number };
  return { time: NOW, indexTicks: price, forwardTicks: new Map(), quotes: [] };
};
const limits = { timeoutMs: 150, bytesMax: 1000, refreshMs: 1 };
const feedOf = (path: string) =>
  createHttpFeed({ name: "test", urls: [`${url}${path}`], parse, ...limits });

const failures: readonly (readonly [string, RequestListener, RegExp])[] = [
  ["an error", (_, r) => void r.writeHead(500).end("{}"), /status `500`, only 200/],
  ["no content", (_, r) => void r.writeHead(204).end(), /status `204`/],
  ["a redirect", (_, r) => void r.writeHead(302, { location: "/other" }).end(), /redirect/],
  ["no JSON", (_, r) => void r.end("<html>"), /not JSON: `<html>`/],
  ["half of it", (_, r) => void r.end('{"price":'), /not JSON/],
  ["nothing", (_, r) => void r.end(), /not JSON/],
  ["too much", (_, r) => void r.end(`"${"x".repeat(1000)}"`), /longer than `1000`/],
  [
    "a flood without end",
    (_, r) => {
      const timer = setInterval(() => r.write("x".repeat(400)), 1);
      r.on("close", () => clearInterval(timer));
    },
    /longer than `1000`/,
  ],
  ["silence", () => undefined, /no answer within `150` ms/],
  [
    "a drip",
    (_, r) => {
      const timer = setInterval(() => r.write(" "), 20);
      r.on("close", () => clearInterval(timer));
    },
    /no answer within `150` ms/,
  ],
  ["a cut line", (request) => void request.socket.destroy(), /127\.0\.0\.1/],
];

test("what is no answer is an error that names the source", async () => {
  for (const [name, listener, expected] of failures) {
    answer = listener;
    paths.length = 0;
    await assert.rejects(
      async () => feedOf("/x").read(NOW, []),
      (error: unknown) => error instanceof HttpFeedError && expected.test(error.message),
      name,
    );
    assert.deepEqual(paths, ["/x"], name);
  }
  const nobody = createHttpFeed({
    name: "nobody",
    urls: ["http://127.0.0.1:1/"],
    parse,
    ...limits,
  });
  await assert.rejects(async () => nobody.read(NOW, []), HttpFeedError);
});

test("an error is not kept: the next reading asks again", async () => {
  const feed = createHttpFeed({ name: "test", urls: [`${url}/`], parse, refreshMs: 60_000 });
  answer = (_, response) => void response.writeHead(503).end();
  await assert.rejects(async () => feed.read(NOW, []), /503/);
  answer = json({ price: 1 });
  assert.equal((await feed.read(NOW, [])).indexTicks, 1);
});

test("an answer serves for a while, shared by those who wait, over one connection", async () => {
  let price = 0;
  answer = (request, response) => json({ price: ++price })(request, response);
  let time = 0;
  const feed = createHttpFeed({
    name: "test",
    urls: [`${url}/kept`],
    parse,
    refreshMs: 1000,
    now: () => time,
  });
  const [first, second] = await Promise.all([feed.read(NOW, []), feed.read(NOW, [])]);
  assert.deepEqual([first.indexTicks, second.indexTicks], [1, 1]);
  time = 999;
  assert.equal((await feed.read(NOW, [])).indexTicks, 1);
  const opened = connections;
  for (time = 1000; time <= 5000; time += 1000) {
    assert.equal((await feed.read(NOW, [])).indexTicks, 1 + time / 1000);
  }
  assert.equal(connections, opened, "connections are kept alive");
});

test("Deribit's names", () => {
  const expiry = Date.parse("2025-06-27T08:00:00Z") / 1000;
  assert.deepEqual(parseOptionName("ETH-27JUN25-3000-C"), { isCall: true, strike: 3000, expiry });
  const small = parseOptionName("XRP_USDC-7JUN25-0d525-P");
  assert.deepEqual([small?.isCall, small?.strike], [false, 0.525]);
  for (const name of ["BTC-PERPETUAL", "BTC-27JUN25", "ETH-31FEB25-1-C", "ETH-1XXX25-1-C", ""]) {
    assert.equal(parseOptionName(name), undefined, name);
  }
});

/** As docs.deribit.com shows them, with made-up numbers. */
const deribitIndex = {
  jsonrpc: "2.0",
  result: { index_price: 2500.5, estimated_delivery_price: 2500.5 },
  usIn: NOW * 1000 - 100,
  usOut: NOW * 1000,
  usDiff: 100,
  testnet: false,
};
const option = {
  volume: 0,
  underlying_price: 2510.25,
  underlying_index: "ETH-27JUN25",
  mark_price: 0.0201,
  mark_iv: 65.43,
  interest_rate: 0,
  instrument_name: "ETH-22JAN27-2600-C",
  creation_timestamp: NOW,
  bid_price: 0.02,
  ask_price: 0.0205,
  base_currency: "ETH",
};
const deribitSummary = {
  jsonrpc: "2.0",
  result: [
    option,
    { ...option, instrument_name: "ETH-22JAN27-2400-P", bid_price: null, ask_price: null },
    { ...option, instrument_name: "ETH-29JAN27-2400-P", underlying_price: 2520 },
    { ...option, instrument_name: "ETH-CS-22JAN27-1_2" },
    { ...option, instrument_name: "ETH-22JAN27-2000d01-P" },
  ],
  usOut: NOW * 1000 + 2_500_000,
};
const expiry = Date.parse("2027-01-22T08:00:00Z") / 1000;

test("Deribit's answers in ticks: volatilities in percent, prices in coin", async () => {
  answer = (request, response) => {
    const isIndex = request.url?.startsWith("/public/get_index_price?index_name=eth_usd");
    json(isIndex ? deribitIndex : deribitSummary)(request, response);
  };
  paths.length = 0;
  const feed = createDeribitFeed({ url, currency: "ETH", ticksPerUnit: 10 });
  const market = await feed.read(NOW, []);
  assert.deepEqual(paths.toSorted(), [
    "/public/get_book_summary_by_currency?currency=ETH&kind=option",
    "/public/get_index_price?index_name=eth_usd",
  ]);
  assert.equal(market.time, NOW);
  assert.equal(market.indexTicks, 25_005);
  assert.deepEqual(
    [...market.forwardTicks],
    [
      [expiry, 25_102.5],
      [expiry + 7 * 86_400, 25_200],
    ],
  );
  assert.equal(market.quotes.length, 3, "no combination, no strike between ticks");
  const [call, put] = market.quotes;
  assert.deepEqual([call?.isCall, call?.strike, call?.expiry], [true, 26_000, expiry]);
  assert.ok(Math.abs((call?.ivBps ?? 0) - 6543) < 1e-9);
  assert.ok(Math.abs((call?.bid ?? 0) - 502.05) < 1e-9);
  assert.deepEqual([put?.bid, put?.ask], [undefined, undefined]);
  const table = [{ status: "listed", isCall: true, strike: 26_000, expiry }] as const;
  const view = await createMarketSources([feed]).read(NOW, table);
  assert.equal(view.forwards.get(expiry)?.value, 25_102.5);
  assert.equal(view.points.get(expiry)?.length, 2);
});

test("another shape of Deribit's answers is refused", () => {
  const wrong: readonly (readonly [unknown, unknown])[] = [
    [{ error: { code: 10_028 } }, deribitSummary],
    [{ ...deribitIndex, usOut: 0 }, deribitSummary],
    [{ ...deribitIndex, result: { index_price: "2500" } }, deribitSummary],
    [deribitIndex, { ...deribitSummary, result: {} }],
    [deribitIndex, { ...deribitSummary, result: [{ ...option, mark_iv: "65" }] }],
  ];
  for (const [index, summary] of wrong) {
    assert.throws(() => parseDeribit(index, summary, 10), { name: "ZodError" });
  }
});

const mapping = jsonMapping.parse({
  index: "data.spot",
  time: "data.at",
  timeUnit: "iso",
  options: {
    list: "data.chain",
    expiry: "expiry",
    expiryUnit: "s",
    strike: "strike",
    kind: "type",
    forward: "fwd",
    iv: "greeks.iv",
    ivUnit: "percent",
    bid: "best.0",
    ask: "best.1",
  },
});
const entry = {
  ...{ expiry, strike: "2600", type: "call", fwd: "2510", greeks: { iv: 65 } },
  best: [50, "51.5"],
};
const document = {
  data: { spot: "2500.5", at: new Date(NOW).toISOString(), chain: [entry] },
};
const options = { ticksPerUnit: 10, receivedMs: NOW + 7 };

test("any JSON document, by a mapping", async () => {
  answer = json(document);
  const headers = { "x-api-key": "secret" };
  let key: unknown;
  answer = (request, response) => {
    key = request.headers["x-api-key"];
    json(document)(request, response);
  };
  const feed = createJsonFeed({ name: "other", url, headers, ticksPerUnit: 10, mapping });
  const market = await feed.read(NOW, []);
  assert.equal(key, "secret");
  assert.deepEqual(market, {
    time: NOW,
    indexTicks: 25_005,
    forwardTicks: new Map([[expiry, 25_100]]),
    quotes: [{ isCall: true, strike: 26_000, expiry, ivBps: 6500, bid: 500, ask: 515 }],
  });
});

test("rows that are no options are left out, with their prices", () => {
  const kinds = ["future", "straddle", "", null, undefined, 7, {}];
  const others = kinds.map((type, at) => ({ ...entry, type, fwd: 9999, expiry: expiry + at }));
  const body = { data: { ...document.data, chain: [others[0], entry, ...others] } };
  assert.deepEqual(parseJson(body, mapping, options), parseJson(document, mapping, options));
});

test("what a mapping does not find is not a number, or not there", () => {
  const read = (changes: object) => {
    const chain = [{ ...entry, ...changes }];
    return parseJson({ data: { ...document.data, chain } }, mapping, options);
  };
  assert.equal(read({ strike: "" }).quotes[0]?.strike, Number.NaN);
  assert.equal(read({ strike: {} }).quotes[0]?.strike, Number.NaN);
  assert.equal(read({ expiry: "soon" }).quotes[0]?.expiry, Number.NaN);
  assert.equal(read({ best: [] }).quotes[0]?.bid, undefined);
  assert.equal(read({ best: [null, "x"] }).quotes[0]?.ask, Number.NaN);
  assert.equal(read({ fwd: null }).forwardTicks.size, 0);
  assert.equal(read({ type: "Put" }).quotes[0]?.isCall, false);
  assert.equal(read({ type: true }).quotes[0]?.isCall, true);
  assert.throws(() => parseJson({}, mapping, options), /`data.chain` is not a list/);
  const bare = parseJson({ p: 1 }, jsonMapping.parse({ index: "p" }), options);
  assert.deepEqual([bare.time, bare.indexTicks, bare.quotes], [NOW + 7, 10, []]);
  const inherited = parseJson({}, jsonMapping.parse({ index: "constructor.length" }), options);
  assert.equal(inherited.indexTicks, Number.NaN);
});
