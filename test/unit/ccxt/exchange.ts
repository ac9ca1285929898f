/** ccxt's class against the JSON-RPC interface over a real sequencer in memory. */
import type { TestContext } from "node:test";
import straddle from "../../../sequencer/ccxt/straddle.ts";
import { type RpcFixture, startRpc } from "../api/rpcFixture.ts";
import { signing } from "../client/liveSequencer.ts";
import type { TestTrader } from "../roles/market.ts";

/** The two series of test/unit/roles/market.ts by ccxt's names. */
export const CALL = "ETH/USDC:USDC-270116-2000-C";
export const PUT = "ETH/USDC:USDC-270116-2000-P";

export interface Venue {
  readonly rpc: RpcFixture;
  readonly maker: straddle;
  readonly taker: straddle;
}

export async function startVenue(context: TestContext): Promise<Venue> {
  const rpc = await startRpc(context, {}, {}, signing);
  const exchangeOf = async (trader?: TestTrader) => {
    const exchange = createExchange(rpc, trader);
    context.after(() => exchange.close());
    await exchange.loadMarkets();
    return exchange;
  };
  return { rpc, maker: await exchangeOf(rpc.maker), taker: await exchangeOf(rpc.taker) };
}

export function createExchange({ server, world }: RpcFixture, trader?: TestTrader): straddle {
  const key =
    trader === undefined
      ? {}
      : { apiKey: `${trader.account}/0`, secret: `0x${trader.secret.toString(16)}` };
  const exchange = new straddle({ ...key, enableRateLimit: false });
  exchange.urls.api = { rest: server.url, ws: `${server.url.replace("http", "ws")}/ws/api/v2` };
  // The world's clock is not this machine's.
  exchange.milliseconds = () => world.clock.now();
  return exchange;
}
