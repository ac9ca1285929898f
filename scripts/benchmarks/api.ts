/**
 * The API under load, beside a bare `ws` server of the same process in the same run: requests a
 * second, how long a place and a cancel take until their receipt is there, and how long a change
 * of a book takes to its last subscriber.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { WebSocket } from "ws";
import { wireSignature } from "../../sequencer/client/exchange.ts";
import type { Message } from "../../sequencer/protocol/messages.ts";
import { createTrader, type TestTrader } from "../../test/unit/roles/market.ts";
import {
  FIRST_TRADER,
  RESTING_PRICE,
  type Ready,
  ROUNDS,
  TRADERS,
  type Trading,
} from "./api/plan.ts";
import type { BenchLine } from "./benchLine.ts";
import { percentile } from "./percentile.ts";

const INSTRUMENT = "ETH-20270116-2000-C";
const CONNECTIONS = 8;
const PIPELINED = 32;
const SECONDS = 4;
/** A signed order as it travels. */
const ORDER_BYTES = 700;
const SUBSCRIBERS = 1000;
const CHANGES = 30;
const LIFETIME_MS = 3_600_000;
const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;

/** One connection, whose answers come in the order of its requests. */
interface Line {
  readonly socket: WebSocket;
  ask(text: string): Promise<string>;
}

async function open(url: string): Promise<Line> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const waiting: ((text: string) => void)[] = [];
  socket.on("message", (data) => waiting.shift()?.(data.toString()));
  await once(socket, "open");
  return {
    socket,
    ask: (text) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        socket.send(text);
      }),
  };
}

interface Load {
  readonly perSecond: number;
  readonly ms: readonly number[];
}

/** As fast as the other side answers, with so many requests under way at once. */
async function closedLoop(
  url: string,
  text: string,
  { connections, pipelined } = { connections: CONNECTIONS, pipelined: PIPELINED },
): Promise<Load> {
  const lines = await Promise.all(Array.from({ length: connections }, () => open(url)));
  const ms: number[] = [];
  const began = performance.now();
  const end = began + SECONDS * 1000;
  const run = async (line: Line): Promise<void> => {
    while (performance.now() < end) {
      const sent = performance.now();
      await line.ask(text);
      ms.push(performance.now() - sent);
    }
  };
  const runs = lines.flatMap((line) => Array.from({ length: pipelined }, () => run(line)));
  await Promise.all(runs);
  const perSecond = (ms.length * 1000) / (performance.now() - began);
  for (const { socket } of lines) socket.close();
  return { perSecond, ms };
}

function request(method: string, params: object, id = 1): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

function loadLines(name: string, own: Load, peer: Load, note: string): BenchLine[] {
  const beside = { peer: "bare ws echo" };
  const most = { value: own.perSecond, peerValue: peer.perSecond };
  return [
    {
      ...{ name: `api/${name}/requests`, unit: "requests/s", better: "higher", ...beside, note },
      ...{ ...most, ratio: most.value / most.peerValue },
    },
    ...[50, 99].map((share): BenchLine => {
      const [value, peerValue] = [percentile(own.ms, share), percentile(peer.ms, share)];
      const figure = { name: `api/${name}/p${share}`, value, unit: "ms", better: "lower" } as const;
      return { ...figure, ...beside, peerValue, ratio: value / peerValue, note };
    }),
  ];
}

function signed(trader: TestTrader, message: Message): object {
  const { word, signature } = trader.next(message);
  const place = { account: trader.account, key_index: 0 };
  return { ...place, word: `0x${word.toString(16)}`, signature: wireSignature(signature) };
}

/** A trader places an order that rests, waits for its receipt, and cancels it. */
async function trade(url: string, trader: TestTrader, time: number): Promise<Trading> {
  const line = await open(url);
  const times: Trading = { place: [], cancel: [] };
  const deadline = time + LIFETIME_MS;
  const timed = async (text: string, to: number[]): Promise<Record<string, never>> => {
    const sent = performance.now();
    const answer = JSON.parse(await line.ask(text));
    to.push(performance.now() - sent);
    if (answer.error !== undefined) throw new Error(JSON.stringify(answer.error));
    return answer.result;
  };
  for (let round = 0; round < ROUNDS; round++) {
    const order = {
      kind: "place",
      book: 0,
      isSell: false,
      lots: 1,
      price: RESTING_PRICE,
      ...LIMIT,
    } as const;
    const readable = { instrument_name: INSTRUMENT, amount: 0.01, price: RESTING_PRICE / 10 };
    const word = signed(trader, { ...order, deadline });
    const placed = await timed(request("private/buy", { ...readable, signed: word }), times.place);
    const { order_id, seq } = placed.order as unknown as { order_id: string; seq: number };
    const cancel = {
      kind: "cancel",
      book: 0,
      isSell: false,
      price: RESTING_PRICE,
      seq,
      deadline,
    } as const;
    const params = { order_id, signed: signed(trader, cancel) };
    await timed(request("private/cancel", params), times.cancel);
  }
  line.socket.close();
  return times;
}

/** Of every message, the moments at which each of many readers had it. */
async function fanOut(
  sockets: readonly WebSocket[],
  isWanted: (text: string) => boolean,
  send: () => Promise<unknown>,
): Promise<number[]> {
  const ms: number[] = [];
  for (let change = 0; change < CHANGES; change++) {
    let sent = 0;
    const heard = sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          const take = (data: Buffer): void => {
            if (!isWanted(data.toString())) return;
            socket.off("message", take);
            ms.push(performance.now() - sent);
            resolve();
          };
          socket.on("message", take);
        }),
    );
    sent = performance.now();
    await Promise.all([send(), ...heard]);
  }
  return ms;
}

/** Changes of the book: an order that rests, its cancel, and so on. */
function changes({ ask }: Line, time: number): () => Promise<void> {
  const trader = createTrader(3);
  const deadline = time + LIFETIME_MS;
  const level = { book: 0, isSell: false, price: 300, deadline } as const;
  let resting: { order_id: string; seq: number } | undefined;
  return async () => {
    if (resting === undefined) {
      const word = signed(trader, { kind: "place", lots: 1, ...level, ...LIMIT });
      const readable = { instrument_name: INSTRUMENT, amount: 0.01, price: 30 };
      const text = await ask(request("private/buy", { ...readable, signed: word }));
      resting = JSON.parse(text).result.order;
      return;
    }
    const { order_id, seq } = resting;
    resting = undefined;
    const word = signed(trader, { kind: "cancel", seq, ...level });
    await ask(request("private/cancel", { order_id, signed: word }));
  };
}

async function subscribers(url: string, first: string | undefined): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (let count = 0; count < SUBSCRIBERS; count++) {
    const { socket, ask } = await open(url);
    if (first !== undefined) await ask(first);
    sockets.push(socket);
  }
  return sockets;
}

async function fanOutLines({ url, echoUrl }: Ready, time: number): Promise<BenchLine[]> {
  const channels = [`book.${INSTRUMENT}.raw`];
  const sockets = await subscribers(url, request("public/subscribe", { channels }));
  let disconnects = 0;
  for (const socket of sockets) socket.on("close", () => disconnects++);
  const line = await open(url);
  const own = await fanOut(
    sockets,
    (text) => text.includes('"type":"change"'),
    changes(line, time),
  );
  const lost = disconnects;
  for (const socket of [...sockets, line.socket]) socket.terminate();
  const echoes = await subscribers(echoUrl, undefined);
  const caller = await open(echoUrl);
  const text = `*${"x".repeat(300)}`;
  const bare = await fanOut(
    echoes,
    (heard) => heard === text,
    async () => {
      caller.socket.send(text);
    },
  );
  for (const socket of [...echoes, caller.socket]) socket.terminate();
  const note = `${SUBSCRIBERS} subscribers in one process, from the order's sending on`;
  const lines = [50, 99].map((share): BenchLine => {
    const [value, peerValue] = [percentile(own, share), percentile(bare, share)];
    const figure = { name: `api/book-fanout/p${share}`, value, unit: "ms" } as const;
    const beside = { peer: "bare ws broadcast", peerValue, ratio: value / peerValue };
    return { ...figure, better: "lower", ...beside, note };
  });
  const figure = { name: "api/book-fanout/disconnects", value: lost, unit: "connections" } as const;
  return [...lines, { ...figure, better: "lower", target: 0, note: `of ${SUBSCRIBERS}` }];
}

export async function apiBenchmarks(): Promise<BenchLine[]> {
  const child = fork(path.join(import.meta.dirname, "api/venue.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  try {
    const died = once(child, "exit").then(() => undefined);
    const told = await Promise.race([once(child, "message"), died]);
    if (told === undefined) throw new Error("the venue's process has ended");
    const [found] = told as [Ready];
    const ready = { ...found, url: `${found.url.replace("http", "ws")}/ws/api/v2` };
    const { url, echoUrl } = ready;
    const note = `${CONNECTIONS} connections, ${PIPELINED} requests of each under way`;
    const lines: BenchLine[] = [];
    const reads = {
      test: request("public/test", {}),
      ticker: request("public/ticker", { instrument_name: INSTRUMENT }),
      book: request("public/get_order_book", { instrument_name: INSTRUMENT, depth: 10 }),
    };
    for (const [name, text] of Object.entries(reads)) {
      const peer = await closedLoop(echoUrl, text);
      lines.push(...loadLines(name, await closedLoop(url, text), peer, note));
    }
    child.send("trade");
    const [direct] = (await once(child, "message")) as [Trading[]];
    lines.push(...(await tradingLines(ready, direct)));
    return [...lines, ...(await fanOutLines(ready, ready.time))];
  } finally {
    if (child.connected) child.disconnect();
  }
}

async function tradingLines({ url, echoUrl, time }: Ready, direct: readonly Trading[]) {
  const traders = Array.from({ length: TRADERS }, (_, at) => createTrader(FIRST_TRADER + at));
  const echo = await closedLoop(echoUrl, "x".repeat(ORDER_BYTES), {
    ...{ connections: TRADERS, pipelined: 1 },
  });
  const began = performance.now();
  const runs = await Promise.all(traders.map((trader) => trade(url, trader, time)));
  const seconds = (performance.now() - began) / 1000;
  const note = `${TRADERS} traders, one message each under way; log synced to disk`;
  return (["place", "cancel"] as const).flatMap((name) => {
    const ms = runs.flatMap((run) => run[name]);
    const bare = direct.flatMap((run) => run[name]);
    const lines = loadLines(name, { perSecond: ms.length / seconds, ms }, echo, note);
    return [
      ...lines,
      ...[50, 99].map((share): BenchLine => {
        const [value, peerValue] = [percentile(ms, share), percentile(bare, share)];
        const figure = { name: `api/${name}/p${share}-beside-engine`, value, unit: "ms" } as const;
        const beside = { peer: "the sequencer without the API", peerValue };
        return { ...figure, better: "lower", ...beside, ratio: value / peerValue, note };
      }),
    ];
  });
}
