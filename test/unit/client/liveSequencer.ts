// An API server over the real sequencer role, whose receipts are signed as clients want them.
import type { TestContext } from "node:test";
import { type ApiServer, startApi } from "../../../sequencer/api/server.ts";
import { createTrader, type Trader, type TraderOptions } from "../../../sequencer/client/trader.ts";
import type { ExchangeService, Receipt } from "../../../sequencer/exchangeService.ts";
import { receiptDigest } from "../../../sequencer/protocol/receipt.ts";
import { SEQUENCER, signDigest } from "../api/fakeService.ts";
import { DOMAIN, type TestTrader, type World } from "../roles/market.ts";
import { silent } from "../roles/ports.ts";

export interface Venue {
  readonly server: ApiServer;
  /** Another node of the same sequencer, which remembers nothing of what this one was sent. */
  another(): Promise<ApiServer>;
  /** A client of the identity's first key, at the server's own url if no other is told. */
  trader(identity: TestTrader, options?: Partial<TraderOptions>): Promise<Trader>;
}

/** The world's clock goes on by itself. */
export async function startVenue(context: TestContext, world: World): Promise<Venue> {
  const { clock } = world;
  const service = signing(world.sequencer.service);
  const another = async (): Promise<ApiServer> => {
    const server = await startApi({ service, clock, logger: silent });
    context.after(() => server.stop());
    return server;
  };
  const server = await another();
  // The roles' clock stands still unless it is told to go on.
  const pump = setInterval(() => void world.step(300), 50);
  context.after(() => clearInterval(pump));
  return {
    ...{ server, another },
    async trader({ account, secret }, options = {}) {
      const own = { account, keyIndex: 0, key: { secret }, now: () => clock.now() };
      const trader = await createTrader({ node: server.url, ...own, ...options });
      context.after(() => trader.close());
      return trader;
    },
  };
}

/** Clients for the identities. */
export async function connect(
  context: TestContext,
  world: World,
  identities: readonly TestTrader[],
): Promise<Trader[]> {
  const venue = await startVenue(context, world);
  return Promise.all(identities.map((identity) => venue.trader(identity)));
}

/** The roles' test world signs receipts with a dummy. */
export function signing(service: ExchangeService): ExchangeService {
  const { packages } = service;
  return {
    ...service,
    packages: {
      ...packages,
      accept: async (...of) => withReceipt(await packages.accept(...of)),
      block: async (...of) => withReceipt(await packages.block(...of)),
    },
    info: async () => ({ ...(await service.info()), sequencer: SEQUENCER }),
    async submit(submission) {
      return withReceipt(await service.submit(submission));
    },
  };
}

function withReceipt<T extends { readonly accepted: boolean }>(result: T): T {
  if (!("receipt" in result)) return result;
  const receipt = result.receipt as Receipt;
  const { logPosition, logHash } = receipt;
  const signature = signDigest(receiptDigest(DOMAIN, logPosition, logHash));
  return { ...result, receipt: { ...receipt, signature } };
}
