/**
 * From a signed order over a WebSocket to its durable, signed receipt, at rates that do not wait
 * for answers (an order is late from the moment at which it was due), beside a bare `ws` echo at
 * the same rates. Four of five messages are orders that rest, each fifth cancels all of an
 * account's.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { wireSignature } from "../../sequencer/client/exchange.ts";
import type { Message } from "../../sequencer/protocol/messages.ts";
import { createTrader, type TestTrader } from "../../test/unit/roles/market.ts";
import type { BenchLine } from "./benchLine.ts";
import { BOOKS, FIRST_TRADER, type Ready, TRADERS } from "./endToEnd/plan.ts";
import { percentile } from "./percentile.ts";

const RATES = [500, 1000, 2000, 4000, 10_000];
/** Orders before the first rate is measured. */
const WARM_UP = 2000;
/** Of the orders a second that were due: fewer, and the queue grew. */
const SUSTAINED_SHARE = 0.95;
const SECONDS = 10;
const TARGET_RATE = 10_000;
const TARGETS = { 50: 5, 99: 25 } as const;
const PULSE_MS = 2;
/** What is still unanswered so long after the last order was due has been lost by the load. */
const GRACE_MS = 10_000;
const LIFETIME_MS = 3_600_000;
const LIMIT = { timeInForce: "gtc", postOnly: true, reduceOnly: false } as const;
/** Ticks: far below the marks. */
const PRICES = [300, 301, 302, 303];

interface Due {
  readonly text: string;
  readonly line: number;
}

interface Run {
  readonly ms: readonly number[];
  readonly refused: number;
  /** Answers a second, up to the last one. */
  readonly perSecond: number;
}

/** Sends everything when it is due; resolves when all is answered, or nobody waits any more. */
async function openLoop(url: string, list: readonly Due[], perSecond: number): Promise<Run> {
  const sockets = await Promise.all(
    Array.from({ length: TRADERS }, async () => {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      await once(socket, "open");
      return socket;
    }),
  );
  const waiting = sockets.map((): number[] => []);
  const ms: number[] = [];
  let refused = 0;
  let lastAt = 0;
  for (const [at, socket] of sockets.entries()) {
    socket.on("message", (data) => {
      lastAt = performance.now();
      ms.push(lastAt - waiting[at]!.shift()!);
      if (data.toString().includes('"error"')) refused++;
    });
  }
  const began = performance.now();
  const dueAt = (index: number): number => began + (index * 1000) / perSecond;
  for (let next = 0; next < list.length; ) {
    for (; next < list.length && dueAt(next) <= performance.now(); next++) {
      const { text, line } = list[next]!;
      waiting[line]!.push(dueAt(next));
      sockets[line]!.send(text);
    }
    await sleep(PULSE_MS);
  }
  const end = performance.now() + GRACE_MS;
  while (ms.length < list.length && performance.now() < end) await sleep(PULSE_MS);
  for (const socket of sockets) socket.terminate();
  return { ms, refused, perSecond: (ms.length * 1000) / (lastAt - began) };
}

function signed(trader: TestTrader, message: Message): object {
  const { word, signature } = trader.next(message);
  const place = { account: trader.account, key_index: 0 };
  return { ...place, word: `0x${word.toString(16)}`, signature: wireSignature(signature) };
}

function request(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
}

function requestOf(trader: TestTrader, message: Message): string {
  const word = signed(trader, message);
  if (message.kind !== "place") return request("private/cancel_all", { signed: word });
  const instrument = `ETH-20270116-${2000 + 50 * message.book}-C`;
  const readable = { instrument_name: instrument, amount: 0.01, price: message.price / 10 };
  return request("private/buy", { ...readable, post_only: true, signed: word });
}

/** Signed before the clock runs: signing is the traders' work. */
function ordersOf(traders: readonly TestTrader[], count: number, deadline: number): Due[] {
  return Array.from({ length: count }, (_, index) => {
    const line = index % TRADERS;
    const round = Math.floor(index / TRADERS);
    const isCancel = round % (PRICES.length + 1) === PRICES.length;
    const book = (line + round) % BOOKS;
    const price = PRICES[round % PRICES.length]!;
    const message: Message = isCancel
      ? { kind: "cancelAll", deadline }
      : { kind: "place", book, isSell: false, lots: 1, price, deadline, ...LIMIT };
    return { text: requestOf(traders[line]!, message), line };
  });
}

function linesOf(rate: number, own: Run, peer: Run): BenchLine[] {
  const note = `${SECONDS} s, ${TRADERS} connections; log synced to disk; refused ${own.refused}`;
  const beside = { peer: "bare ws echo" };
  const isTarget = rate === TARGET_RATE;
  return [
    {
      ...{ name: `end-to-end/${rate}/answered`, unit: "orders/s", better: "higher", ...beside },
      ...{ value: own.perSecond, peerValue: peer.perSecond, note },
      ratio: own.perSecond / peer.perSecond,
      ...(isTarget ? { target: rate } : {}),
    },
    ...([50, 99] as const).map((share): BenchLine => {
      const [value, peerValue] = [percentile(own.ms, share), percentile(peer.ms, share)];
      const figure = { name: `end-to-end/${rate}/p${share}`, value, unit: "ms" } as const;
      const target = isTarget ? { target: TARGETS[share] } : {};
      return {
        ...figure,
        better: "lower",
        ...beside,
        peerValue,
        ratio: value / peerValue,
        ...target,
      };
    }),
  ];
}

/** Each rate with its peer's before it; higher ones only while the one before was sustained. */
export async function endToEndBenchmarks(): Promise<BenchLine[]> {
  const child = fork(path.join(import.meta.dirname, "endToEnd/venue.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  try {
    const died = once(child, "exit").then(() => undefined);
    const told = await Promise.race([once(child, "message"), died]);
    if (told === undefined) throw new Error("the venue's process has ended");
    const [ready] = told as [Ready];
    const url = `${ready.url.replace("http", "ws")}/ws/api/v2`;
    const traders = Array.from({ length: TRADERS }, (_, at) => createTrader(FIRST_TRADER + at));
    const deadline = ready.time + LIFETIME_MS;
    console.error(`warming up with ${WARM_UP} orders`);
    await openLoop(url, ordersOf(traders, WARM_UP, deadline), WARM_UP / 4);
    const lines: BenchLine[] = [];
    for (const rate of RATES) {
      const list = ordersOf(traders, rate * SECONDS, deadline);
      const peer = await openLoop(ready.echoUrl, list, rate);
      const own = await openLoop(url, list, rate);
      const p50 = percentile(own.ms, 50).toFixed(1);
      console.error(`${rate} a second: ${own.perSecond.toFixed(0)} answered, p50 ${p50} ms`);
      lines.push(...linesOf(rate, own, peer));
      if (own.ms.length < list.length || own.perSecond < rate * SUSTAINED_SHARE) break;
    }
    return lines;
  } finally {
    if (child.connected) child.disconnect();
  }
}
