// Figures of a real sequencer by HTTP, whether it is ready, and a dashboard that asks for nothing
// that is not told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { startApi } from "../../../sequencer/api/server.ts";
import type { VenueMetrics } from "../../../sequencer/metrics/venueMetrics.ts";
import { type Watched, watched } from "../../../sequencer/metrics/watch.ts";
import { createMarket, PLACE, type World } from "../roles/market.ts";
import { silent } from "../roles/ports.ts";
import { createRfqMarket, LEGS, quoteOf, takeOf, wordOf } from "../roles/rfqFixture.ts";

const DASHBOARD = new URL("../../../scripts/observability/grafana.json", import.meta.url);

/** A process that is watched until the test is over. */
async function startWatched(context: TestContext, role: string) {
  let over: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    over = resolve;
  });
  const begun = new Promise<Watched & { readonly url: string }>((resolve) => {
    let url = "";
    const onServed = (served: string): void => {
      url = served;
    };
    const options = { role, metrics: { port: 0 }, logger: silent, onServed };
    void watched(options, async (parts) => {
      resolve({ ...parts, url });
      await ended;
    });
  });
  context.after(() => over());
  return begun;
}

async function read(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

/** The value of the figure with these labels. */
function figure(text: string, name: string, labels: Record<string, string> = {}): number {
  const line = text.split("\n").find((each) => {
    const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
    return each.startsWith(`${name}{`) && wanted.every((label) => each.includes(label));
  });
  assert.ok(line !== undefined, `${name} is told`);
  return Number(line.slice(line.lastIndexOf(" ") + 1));
}

async function trade({ world }: { world: World }, measured: VenueMetrics, parts: TestParts) {
  const { maker, taker } = parts;
  const deadline = world.clock.now() + 60_000;
  const send = (who: typeof maker, message: object) =>
    measured.service.submit({
      ...{ account: who.account, keyIndex: 0 },
      ...who.next({ ...PLACE, ...message, deadline }),
    });
  assert.ok((await send(maker, { isSell: true, price: 505, lots: 3 })).accepted);
  assert.ok((await send(taker, { price: 505, lots: 2 })).accepted);
  const refused = await send(taker, { price: 505, lots: 2_000_000 });
  assert.ok(!refused.accepted);
  return refused.code;
}

type TestParts = Pick<Awaited<ReturnType<typeof createMarket>>, "maker" | "taker">;

test("a sequencer tells its log, stages, trades, acknowledgements and calls", async (context) => {
  const { watch, url } = await startWatched(context, "sequencer");
  const market = await createMarket();
  const { world } = market;
  const before = await read(`${url}/ready`);
  assert.deepEqual([before.status, before.text], [503, "it stands by\n"]);
  const measured = watch!(world.sequencer.service);
  const code = await trade({ world }, measured, market);
  const { service, onCall } = measured;
  const api = await startApi({ service, clock: world.clock, logger: silent, onCall });
  context.after(() => api.stop());
  for (const method of ["public/get_time", "public/nonsense"])
    await read(`${api.url}/api/v2/${method}`);
  const { status, text } = await read(`${url}/metrics`);
  assert.equal(status, 200);
  const told = await service.status();
  assert.equal(figure(text, "straddle_log_position"), told.logPosition);
  assert.equal(figure(text, "straddle_batches", { stage: "sealed" }), told.sealed);
  assert.equal(figure(text, "straddle_trading_mode", { mode: "open" }), 1);
  assert.equal(figure(text, "straddle_trades_total"), 1);
  assert.equal(figure(text, "straddle_traded_lots_total"), 2);
  const acknowledged = "straddle_acknowledgement_seconds_count";
  assert.equal(figure(text, acknowledged, { result: "accepted" }), 2);
  assert.equal(figure(text, acknowledged, { result: code }), 1);
  const calls = "straddle_api_call_seconds_count";
  assert.equal(figure(text, calls, { method: "public/get_time", result: "ok" }), 1);
  assert.equal(figure(text, calls, { method: "unknown", result: "method_not_found" }), 1);
  assert.ok(figure(text, "process_resident_memory_bytes") > 0);
  assert.deepEqual(await read(`${url}/ready`), { status: 200, text: "ready\n" });
  measured.stop();
  assert.equal((await read(`${url}/ready`)).status, 503);
});

test("a sequencer that has halted lives, and is not ready", async (context) => {
  const { watch, url } = await startWatched(context, "sequencer");
  const { world } = await createMarket();
  const { service } = world.sequencer;
  const status = async () => ({ ...(await service.status()), halted: "its disk is full" });
  watch!({ ...service, status });
  assert.equal((await read(`${url}/health`)).status, 200);
  assert.deepEqual(await read(`${url}/ready`), { status: 503, text: "halted: its disk is full\n" });
  assert.equal(figure((await read(`${url}/metrics`)).text, "straddle_halted"), 1);
});

test("other roles tell of their process, and count log lines", async (context) => {
  const { logger, url } = await startWatched(context, "prover");
  logger.warn("something");
  logger.warn("again");
  const { text } = await read(`${url}/metrics`);
  assert.equal(figure(text, "straddle_log_lines_total", { level: "warn", role: "prover" }), 2);
  assert.equal((await read(`${url}/ready`)).status, 200);
  assert.equal((await read(`${url}/else`)).status, 404);
  const post = await fetch(`${url}/metrics`, { method: "POST" });
  assert.equal(post.status, 405);
});

test("requests, quotes, executions and refusals of packages are counted", async (context) => {
  const { watch, url } = await startWatched(context, "sequencer");
  const market = await createRfqMarket();
  const measured = watch!(market.world.sequencer.service);
  const { packages } = measured.service;
  const { taker, makers, book } = market;
  const asked = await packages.request({
    ...{ account: taker.account, book, isReversed: false, lots: 10, label: "", makers: null },
    ...{ isDisclosed: false, legs: LEGS.map(([slot, ratio]) => ({ slot, ratio })) },
  });
  assert.ok(asked.accepted);
  const rfq = asked.rfq.id;
  const terms = { isWhole: false, label: "", cancel: null };
  const signed = (price: number) => wordOf(makers[0], quoteOf(market, { price }));
  const made = await packages.quote({ rfq, signed: signed(12), ...terms });
  assert.ok(made.accepted);
  assert.ok((await packages.editQuote(made.quote.id, { signed: signed(10), ...terms })).accepted);
  const low = await packages.accept(rfq, wordOf(taker, takeOf(market, { price: 9 })));
  assert.ok(!low.accepted);
  assert.ok((await packages.accept(rfq, wordOf(taker, takeOf(market)))).accepted);
  const late = await packages.cancelRequest(taker.account, rfq);
  assert.ok(!late.accepted);
  const { text } = await read(`${url}/metrics`);
  assert.equal(figure(text, "straddle_rfq_requests_total"), 1);
  assert.equal(figure(text, "straddle_rfq_quotes_total", { step: "quote" }), 1);
  assert.equal(figure(text, "straddle_rfq_quotes_total", { step: "edit" }), 1);
  assert.equal(figure(text, "straddle_rfq_executions_total"), 1);
  assert.equal(figure(text, "straddle_rfq_lots_total"), 10);
  const refusals = "straddle_rfq_refusals_total";
  assert.equal(figure(text, refusals, { step: "accept", code: low.code }), 1);
  assert.equal(figure(text, refusals, { step: "cancel", code: late.code }), 1);
});

test("the dashboard asks for figures that are told", async (context) => {
  const { watch, url } = await startWatched(context, "sequencer");
  const market = await createMarket();
  const measured = watch!(market.world.sequencer.service);
  await trade({ world: market.world }, measured, market);
  measured.onCall("public/get_time", 1, undefined);
  const { text } = await read(`${url}/metrics`);
  const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const asked = [
    ...readFileSync(DASHBOARD, "utf8").matchAll(/\b((?:straddle|process|nodejs)_\w+)/g),
  ].map(([, name]) => name!.replace(/_(?:bucket|count|sum)$/, ""));
  assert.ok(asked.length > 20);
  assert.deepEqual(
    [...new Set(asked)].filter((name) => !known.has(name)),
    [],
  );
});
