// The JSON-RPC interface over a real sequencer in memory, with two traders who have money.
import type { TestContext } from "node:test";
import type { ApiLimits } from "../../../sequencer/api/limits.ts";
import { METHODS } from "../../../sequencer/api/rpc/methodTable.ts";
import { type ApiServer, startApi } from "../../../sequencer/api/server.ts";
import { wireSignature } from "../../../sequencer/client/exchange.ts";
import type { ExchangeService } from "../../../sequencer/exchangeService.ts";
import { sign } from "../../../sequencer/protocol/eddsa.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import { sessionHash } from "../../../sequencer/protocol/session.ts";
import type { SequencerConfig } from "../../../sequencer/roles/sequencerConfig.ts";
import { createMarket, DOMAIN, type TestTrader, type World } from "../roles/market.ts";
import { silent } from "../roles/ports.ts";
import { openSocket, type RawSocket } from "./apiFixture.ts";

/** The two series of test/unit/roles/market.ts, with books 0 and 1. */
export const CALL_NAME = "ETH-20270116-2000-C";
export const PUT_NAME = "ETH-20270116-2000-P";

export interface RpcAnswer {
  readonly id?: number | string | null;
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly reason: string; readonly [key: string]: unknown };
  };
  readonly method?: string;
  readonly params?: { readonly channel: string; readonly data: unknown; readonly type?: string };
}

export interface RpcFixture {
  readonly world: World;
  readonly maker: TestTrader;
  readonly taker: TestTrader;
  readonly server: ApiServer;
  /** Answers that do not fit their method's result schema. */
  readonly misfits: string[];
  readonly called: Set<string>;
  /** Over HTTP. */
  post(method: string, params?: object, headers?: Record<string, string>): Promise<RpcAnswer>;
  socket(): Promise<RpcSocket>;
  /** What a private method of trading takes. */
  signed(trader: TestTrader, message: Omit<Message, "deadline"> | Message): SignedParams;
}

export type SignedParams = ReturnType<typeof signedParams>;

export interface RpcSocket extends RawSocket {
  /** The answer; notifications that come before it are kept in `heard`. */
  call(method: string, params?: object): Promise<RpcAnswer>;
  login(trader: TestTrader): Promise<RpcAnswer>;
  readonly heard: RpcAnswer[];
  /** The next notification of the channel. */
  notice(channel: string): Promise<unknown>;
}

export async function startRpc(
  context: TestContext,
  limits: Partial<ApiLimits> = {},
  change: Partial<SequencerConfig> = {},
  seenAs: (service: ExchangeService) => ExchangeService = (service) => service,
): Promise<RpcFixture> {
  return serveRpc(context, await createMarket(change), limits, seenAs);
}

/** A server over a sequencer that is there already. */
export async function serveRpc(
  context: TestContext,
  { world, maker, taker }: Pick<RpcFixture, "world" | "maker" | "taker">,
  limits: Partial<ApiLimits> = {},
  seenAs: (service: ExchangeService) => ExchangeService = (service) => service,
): Promise<RpcFixture> {
  const server = await startApi({
    service: seenAs(world.sequencer.service),
    ...{ clock: world.clock, logger: silent, limits },
  });
  context.after(() => server.stop());
  const misfits: string[] = [];
  const called = new Set<string>();
  const check = (method: string, answer: RpcAnswer): RpcAnswer => {
    if (answer.result === undefined) return answer;
    called.add(method);
    const fits = METHODS.get(method)?.result.safeParse(answer.result);
    if (fits?.success === false) misfits.push(`${method}: ${fits.error.message}`);
    return answer;
  };
  return {
    ...{ world, maker, taker, server, misfits, called },
    async post(method, params = {}, headers = {}) {
      const response = await fetch(`${server.url}/api/v2`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      });
      return check(method, (await response.json()) as RpcAnswer);
    },
    socket: async () => rpcSocket(await openSocket(`${server.url}/ws/api/v2`), check),
    signed: (trader, message) => signedParams(trader, message, world.clock.now() + 60_000),
  };
}

function signedParams(
  trader: TestTrader,
  message: Omit<Message, "deadline"> | Message,
  deadline: number,
) {
  const { word, signature } = trader.next({ deadline, ...message } as Message);
  return {
    account: trader.account,
    key_index: 0,
    word: `0x${word.toString(16)}`,
    signature: wireSignature(signature),
  };
}

function rpcSocket(
  raw: RawSocket,
  check: (method: string, answer: RpcAnswer) => RpcAnswer,
): RpcSocket {
  const heard: RpcAnswer[] = [];
  let id = 0;
  const call: RpcSocket["call"] = async (method, params = {}) => {
    id += 1;
    raw.send({ jsonrpc: "2.0", id, method, params });
    while (true) {
      const answer = (await raw.next()) as RpcAnswer;
      if (answer.id === id) return check(method, answer);
      heard.push(answer);
    }
  };
  return {
    ...raw,
    ...{ heard, call },
    async login(trader) {
      const { result } = await call("straddle/get_challenge");
      const { challenge } = result as { challenge: string };
      const asked = { domain: DOMAIN, account: trader.account, keyIndex: 0 };
      const hash = sessionHash({ ...asked, challenge: BigInt(challenge) });
      const signature = wireSignature(sign(trader.secret, hash));
      const who = { account: trader.account, key_index: 0, challenge };
      return call("public/auth", { ...who, signature });
    },
    async notice(channel) {
      while (true) {
        const kept = heard.findIndex(({ params }) => params?.channel === channel);
        if (kept >= 0) return heard.splice(kept, 1)[0]?.params?.data;
        const next = await raw.next().catch((error: unknown) => {
          throw new Error(`nothing on ${channel}: ${String(error)}`);
        });
        heard.push(next as RpcAnswer);
      }
    },
  };
}
