// An API server over the real sequencer role, whose receipts are signed as clients want them.
import type { TestContext } from "node:test";
import { startApi } from "../../../sequencer/api/server.ts";
import { createTrader, type Trader } from "../../../sequencer/client/trader.ts";
import type { ExchangeService } from "../../../sequencer/exchangeService.ts";
import { receiptDigest } from "../../../sequencer/protocol/receipt.ts";
import { SEQUENCER, signDigest } from "../api/fakeService.ts";
import { DOMAIN, type TestTrader, type World } from "../roles/market.ts";
import { silent } from "../roles/ports.ts";

/** Clients for the identities; the world's clock goes on by itself. */
export async function connect(
  context: TestContext,
  world: World,
  identities: readonly TestTrader[],
): Promise<Trader[]> {
  const { clock } = world;
  const service = signing(world.sequencer.service);
  const server = await startApi({ service, clock, logger: silent });
  // The roles' clock stands still unless it is told to go on.
  const pump = setInterval(() => void world.step(300), 50);
  context.after(async () => {
    clearInterval(pump);
    await server.stop();
  });
  const traders: Trader[] = [];
  for (const { account, secret } of identities) {
    const key = { secret };
    const now = () => clock.now();
    traders.push(await createTrader({ node: server.url, account, keyIndex: 0, key, now }));
  }
  context.after(() => {
    for (const trader of traders) trader.close();
  });
  return traders;
}

/** The roles' test world signs receipts with a dummy. */
function signing(service: ExchangeService): ExchangeService {
  return {
    ...service,
    info: async () => ({ ...(await service.info()), sequencer: SEQUENCER }),
    async submit(submission) {
      const result = await service.submit(submission);
      if (!result.accepted) return result;
      const { logPosition, logHash } = result.receipt;
      const signature = signDigest(receiptDigest(DOMAIN, logPosition, logHash));
      return { accepted: true, receipt: { ...result.receipt, signature } };
    },
  };
}
