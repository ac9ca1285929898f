// The measured process: a sequencer with its API, and a bare `ws` server beside it. The sequencer
// is the real one with its embedded log on this machine's disk; oracles and layer one are fakes.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { WebSocketServer } from "ws";
import { startApi } from "../../../sequencer/api/server.ts";
import { createDigestSigner } from "../../../sequencer/node/keys.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import { openStore } from "../../../sequencer/store/store.ts";
import {
  createMarket,
  createTrader,
  DOMAIN,
  type TestTrader,
} from "../../../test/unit/roles/market.ts";
import { silent } from "../../../test/unit/roles/ports.ts";
import { FIRST_TRADER, RESTING_PRICE, type Ready, ROUNDS, TRADERS, type Trading } from "./plan.ts";

const PLENTY = { perSecond: 1e9, burst: 1e9 };
const CLIENTS_MAX = 2000;
const TURN_MS = 50;
const DEPOSIT = 1_000_000_000;
const LIFETIME_MS = 3_600_000;
const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;

const folder = await mkdtemp(path.join(tmpdir(), "straddle-bench-api-"));
const store = await openStore(folder, DOMAIN);
const { world } = await createMarket(
  { rate: PLENTY, backlogMax: 1e9, unanchoredMax: 1e9, breakers: { provingMax: 1e9 } },
  { log: store.log, receiptSigner: createDigestSigner(`0x${"11".repeat(32)}`) },
);
const traders = Array.from({ length: 2 * TRADERS }, (_, at) => createTrader(FIRST_TRADER + at));
for (const trader of traders) world.open(trader, DEPOSIT);
for (let count = 0; count < 20; count++) await world.step(400);

let at = performance.now();
const turn = setInterval(() => {
  const now = performance.now();
  void world.step(Math.max(1, Math.round(now - at)));
  at = now;
}, TURN_MS);

const api = await startApi({
  service: world.sequencer.service,
  ...{ clock: world.clock, logger: silent },
  limits: {
    ...{ credits: PLENTY, accountRate: PLENTY },
    ...{ webSockets: CLIENTS_MAX, connections: CLIENTS_MAX, connectionsPerAddress: CLIENTS_MAX },
  },
});

/** Sends back what comes; what begins with `*` to everybody. */
const echo = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
echo.on("connection", (socket) => {
  socket.on("message", (data) => {
    const text = data.toString();
    if (!text.startsWith("*")) return socket.send(text);
    for (const other of echo.clients) other.send(text);
  });
});
await once(echo, "listening");
const { port } = echo.address() as { port: number };

/** The same messages without the API: what is left of their time is the API's. */
async function tradeDirectly(trader: TestTrader): Promise<Trading> {
  const times: Trading = { place: [], cancel: [] };
  const deadline = world.clock.now() + LIFETIME_MS;
  const order = { book: 0, isSell: false, price: RESTING_PRICE, deadline } as const;
  const timed = async (message: Message, to: number[]): Promise<number> => {
    const sent = performance.now();
    const result = await world.submit(trader, message);
    to.push(performance.now() - sent);
    if (!result.accepted) throw new Error(`refused: ${result.code}`);
    return result.receipt.seq ?? 0;
  };
  for (let round = 0; round < ROUNDS; round++) {
    const seq = await timed({ kind: "place", lots: 1, ...order, ...LIMIT }, times.place);
    await timed({ kind: "cancel", seq, ...order }, times.cancel);
  }
  return times;
}

process.on("message", async () => {
  process.send?.(await Promise.all(traders.slice(TRADERS).map(tradeDirectly)));
});
process.on("disconnect", async () => {
  clearInterval(turn);
  await api.stop();
  await store.close().catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
  process.exit(0);
});
const ready: Ready = { url: api.url, echoUrl: `ws://127.0.0.1:${port}`, time: world.clock.now() };
process.send?.(ready);
