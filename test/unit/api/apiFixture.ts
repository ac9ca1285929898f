// An API server over the fake service, and a raw client for what no good client would send.
import type { TestContext } from "node:test";
import { WebSocket } from "ws";
import type { ApiLimits } from "../../../sequencer/api/limits.ts";
import { type ApiServer, startApi } from "../../../sequencer/api/server.ts";
import { createFakeService, type FakeService } from "./fakeService.ts";

export interface Answer {
  readonly id?: number | string | null;
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly reason: string; readonly [key: string]: unknown };
  };
  readonly params?: { readonly channel: string; readonly data: Record<string, unknown> };
}

export interface Fixture {
  readonly service: FakeService;
  readonly server: ApiServer;
  readonly clock: { time: number };
  readonly errors: string[];
  /** Sends the text as it is. */
  post(text: string, headers?: Record<string, string>): Promise<{ status: number; body: Answer }>;
  call(method: string, params?: object): Promise<Answer>;
  socket(): Promise<RawSocket>;
}

export interface RawSocket {
  readonly socket: WebSocket;
  send(value: unknown): void;
  /** The next message; rejects when there is none within a second. */
  next(): Promise<Answer>;
  readonly closed: Promise<number>;
}

const silent = () => undefined;

export async function startFixture(
  context: TestContext,
  options: { limits?: Partial<ApiLimits>; origins?: string[]; service?: FakeService } = {},
): Promise<Fixture> {
  const service = options.service ?? createFakeService();
  const clock = { time: 1_800_000_000_000 };
  const errors: string[] = [];
  const logger = {
    debug: silent,
    info: silent,
    warn: silent,
    error: (message: string) => void errors.push(message),
  };
  const { limits = {}, origins = [] } = options;
  const now = { now: () => clock.time };
  const server = await startApi({ service, clock: now, logger, limits, origins });
  context.after(() => server.stop());
  const post: Fixture["post"] = async (text, headers = {}) => {
    const response = await fetch(`${server.url}/api/v2`, {
      method: "POST",
      body: text,
      headers: { "content-type": "application/json", ...headers },
    });
    const body = await response.text();
    return { status: response.status, body: body === "" ? {} : (JSON.parse(body) as Answer) };
  };
  return {
    service,
    server,
    clock,
    errors,
    post,
    async call(method, params = {}) {
      return (await post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }))).body;
    },
    socket: () => openSocket(`${server.url}/ws/api/v2`),
  };
}

export async function openSocket(url: string): Promise<RawSocket> {
  const socket = new WebSocket(url.replace("http", "ws"));
  const received: Answer[] = [];
  const waiting: ((answer: Answer) => void)[] = [];
  socket.on("message", (data) => {
    const answer = JSON.parse(data.toString()) as Answer;
    const waiter = waiting.shift();
    if (waiter === undefined) received.push(answer);
    else waiter(answer);
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
  });
  return {
    socket,
    send: (value) => socket.send(typeof value === "string" ? value : JSON.stringify(value)),
    closed,
    next() {
      const ready = received.shift();
      if (ready !== undefined) return Promise.resolve(ready);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error("no message within a second")), 1000);
        waiting.push((answer) => {
          clearTimeout(timer);
          resolve(answer);
        });
      });
    },
  };
}
