// The same book's id, asked for again once its first combination has expired: every history tells
// each fill by what was traded then, also through a server that has seen none of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExchangeService } from "../../../sequencer/exchangeService.ts";
import { EXPIRY } from "../roles/market.ts";
import { openCombo } from "../roles/rfqFixture.ts";
import { type RpcFixture, type RpcSocket, serveRpc, startRpc } from "./rpcFixture.ts";

const BOOK = 63;
const LATER = EXPIRY + 86_400;
const PLAN = {
  series: [
    { slot: 0, isCall: true, strike: 20_000, expiry: EXPIRY },
    { slot: 1, isCall: false, strike: 20_000, expiry: EXPIRY },
    { slot: 2, isCall: true, strike: 20_000, expiry: LATER },
    { slot: 3, isCall: true, strike: 21_000, expiry: LATER },
  ],
  books: [0, 1, 2, 3].map((slot) => ({ book: slot, legs: [[slot, 1]] as const })),
};
const STRADDLE = "ETH-STRD-20270116-2000";
const STRADDLE_LEGS = [
  { instrument_name: "ETH-20270116-2000-C", direction: "buy" },
  { instrument_name: "ETH-20270116-2000-P", direction: "buy" },
] as const;
const SPREAD = "ETH-CS-20270117-2000_2100";
const SPREAD_LEGS = [
  { instrument_name: "ETH-20270117-2000-C", direction: "buy" },
  { instrument_name: "ETH-20270117-2100-C", direction: "sell" },
] as const;

type Rows = readonly Record<string, unknown>[];
type Result = Rows & { readonly trades: Rows; readonly logs: Rows };

/** The answer's result. */
async function ask(socket: RpcSocket, method: string, params: object = {}): Promise<Result> {
  const { result, error } = await socket.call(method, params);
  assert.equal(error, undefined, `${method}: ${JSON.stringify(error)}`);
  return result as Result;
}

/** Has the combination opened, and trades 10 lots of it. Its name, as the venue tells it. */
async function trade(
  { world, maker, taker, socket: connect }: RpcFixture,
  legs: readonly object[],
  price: number,
): Promise<unknown> {
  const socket = await connect();
  await socket.login(taker);
  const asked = ask(socket, "private/create_combo", { trades: legs });
  let isAnswered = false;
  const answered = asked.finally(() => {
    isAnswered = true;
  });
  for (let count = 0; count < 200 && !isAnswered; count++) {
    await world.step(500);
    // Listings wait for the proof of those before.
    await world.prove();
  }
  const combo = (await answered) as unknown as Record<string, unknown>;
  assert.equal(combo.instrument_id, BOOK);
  await world.place(maker, { book: BOOK, isSell: true, price });
  await world.place(taker, { book: BOOK, price });
  await world.step(2000);
  return combo.id;
}

/** Names and prices, oldest first, of every history of the taker and of the public. */
async function histories({ socket: connect, taker }: RpcFixture): Promise<unknown[]> {
  const socket = await connect();
  await socket.login(taker);
  const currency = { currency: "ETH" };
  const own = await ask(socket, "private/get_user_trades_by_currency", currency);
  const logged = await ask(socket, "private/get_transaction_log", currency);
  const told = await ask(socket, "public/get_last_trades_by_currency", currency);
  const fills = logged.logs.filter(({ type }) => type === "trade");
  return [own.trades, fills, told.trades].map((rows) =>
    rows.map(({ instrument_name, price }) => [instrument_name, price]).toReversed(),
  );
}

test("fills of a former combination keep its name when the book is reopened", async (context) => {
  const change = { plan: PLAN, packages: { combosMax: 1 } };
  const rpc = await startRpc(context, {}, change);
  const { world, maker, taker } = rpc;
  await world.prove();
  assert.equal(await trade(rpc, STRADDLE_LEGS, 900), STRADDLE);
  world.clock.advance(EXPIRY * 1000 - world.clock.now() + 1000);
  assert.equal(await trade(rpc, SPREAD_LEGS, 50), SPREAD);

  const rows = [
    [STRADDLE, 90],
    [SPREAD, 5],
  ];
  assert.deepEqual(await histories(rpc), [rows, rows, rows]);
  const socket = await rpc.socket();
  await socket.login(taker);
  const ended = await ask(socket, "private/get_order_history_by_currency", { currency: "ETH" });
  assert.deepEqual(
    ended.map(({ instrument_name }) => instrument_name),
    [SPREAD, STRADDLE],
  );
  const ofSpread = await ask(socket, "private/get_user_trades_by_instrument", {
    instrument_name: SPREAD,
  });
  assert.deepEqual(
    ofSpread.trades.map(({ price }) => price),
    [5],
  );

  const later = await serveRpc(context, { world, maker, taker });
  assert.deepEqual(await histories(later), [rows, rows, rows], "a server that begins now");
  await world.sequencer.stop();
  const restarted = await world.restart();
  const after = await serveRpc(context, { world: restarted, maker, taker });
  assert.deepEqual(await histories(after), [rows, rows, rows], "a sequencer that begins now");
  await restarted.sequencer.stop();
  assert.deepEqual([...rpc.misfits, ...later.misfits, ...after.misfits], []);
});

/** The service as a server sees it whose readings of the market wait for as long as `gate` says. */
function behind(service: ExchangeService, gate: { opened: Promise<void> }): ExchangeService {
  return {
    ...service,
    books: async () => {
      const books = await service.books();
      await gate.opened;
      return books;
    },
  };
}

test("a fill that comes before the opening was read has no former name", async (context) => {
  const gate = { opened: Promise.resolve() };
  const change = { plan: PLAN, packages: { combosMax: 1 } };
  const rpc = await startRpc(context, {}, change, (service) => behind(service, gate));
  const { world, maker, taker } = rpc;
  await world.prove();
  assert.equal(await trade(rpc, STRADDLE_LEGS, 900), STRADDLE);
  const socket = await rpc.socket();
  await socket.login(taker);
  const channels = ["trades.option_combo.ETH.raw", "user.trades.option_combo.ETH.raw"];
  const joined = await ask(socket, "private/subscribe", { channels });
  assert.deepEqual(joined, channels);

  world.clock.advance(EXPIRY * 1000 - world.clock.now() + 1000);
  let open = (): void => undefined;
  gate.opened = new Promise((resolve) => {
    open = resolve;
  });
  const legs = [
    [2, 1],
    [3, -1],
  ] as const;
  assert.equal(await openCombo(world, taker.account, legs), BOOK);
  await world.place(maker, { book: BOOK, isSell: true, price: 50 });
  await world.place(taker, { book: BOOK, price: 50 });
  await world.step(2000);
  // The owner is told at once; what a name would be is not known yet.
  const [own] = (await socket.notice(channels[1]!)) as Rows;
  assert.deepEqual([own?.instrument_name, own?.price], ["", 5]);
  open();
  const [told] = (await socket.notice(channels[0]!)) as Rows;
  assert.deepEqual([told?.instrument_name, told?.price], [SPREAD, 5]);
  const rows = [
    [STRADDLE, 90],
    [SPREAD, 5],
  ];
  assert.deepEqual(await histories(rpc), [rows, rows, rows]);
  const ended = await ask(socket, "private/get_order_history_by_currency", { currency: "ETH" });
  assert.deepEqual(
    ended.map(({ instrument_name }) => instrument_name),
    [SPREAD, STRADDLE],
  );
  assert.deepEqual(rpc.misfits, []);
});
