/** The load of the benchmarks that drive the venue: signed orders that do not wait for answers. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { wireSignature } from "../../../sequencer/client/exchange.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import { createTrader, type TestTrader } from "../../../test/unit/roles/market.ts";
import { BOOKS, FIRST_TRADER, type Ready, TRADERS } from "./plan.ts";

const PULSE_MS = 2;
/** What is still unanswered so long after the last order was due has been lost by the load. */
const GRACE_MS = 10_000;
const LIFETIME_MS = 3_600_000;
const LIMIT = { timeInForce: "gtc", postOnly: true, reduceOnly: false } as const;
/** Ticks: far below the marks. */
const PRICES = [300, 301, 302, 303];

export interface Venue extends Ready {
  readonly child: ChildProcess;
  /** Of the traders' WebSockets. */
  readonly socketUrl: string;
  /** Until when orders may be executed (unix ms). */
  readonly deadline: number;
}

/** A venue in a process of its own, which ends when it is disconnected. */
export async function startVenue(
  options: { args?: readonly string[]; execArgv?: string[] } = {},
): Promise<Venue> {
  const { args = [], execArgv = process.execArgv } = options;
  const child = fork(path.join(import.meta.dirname, "venue.ts"), args, {
    ...{ execArgv, stdio: ["ignore", "inherit", "inherit", "ipc"] },
  });
  const died = once(child, "exit").then(() => undefined);
  const told = await Promise.race([once(child, "message"), died]);
  if (told === undefined) throw new Error("the venue's process has ended");
  const [ready] = told as [Ready];
  const socketUrl = `${ready.url.replace("http", "ws")}/ws/api/v2`;
  return { ...ready, child, socketUrl, deadline: ready.time + LIFETIME_MS };
}

/** Those whose keys the venue knows, with nothing signed yet. */
export function createTraders(): TestTrader[] {
  return Array.from({ length: TRADERS }, (_, at) => createTrader(FIRST_TRADER + at));
}

export interface Due {
  readonly text: string;
  readonly line: number;
}

export interface Run {
  readonly ms: readonly number[];
  readonly refused: number;
  /** Answers a second, up to the last one. */
  readonly perSecond: number;
}

/** Sends everything when it is due; resolves when all is answered, or nobody waits any more. */
export async function openLoop(url: string, list: readonly Due[], perSecond: number): Promise<Run> {
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

/**
 * Four of five are orders that rest, each fifth cancels all of an account's. Signed before the
 * clock runs: signing is the traders' work.
 */
export function ordersOf(traders: readonly TestTrader[], count: number, deadline: number): Due[] {
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
