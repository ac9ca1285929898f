// Whole nodes with the `jetstream` log: the sequencer is killed, the one that stands by takes over
// its addresses and its keys, and a trader who only dials again loses nothing.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { openDataDirectory } from "../../scripts/devnet/dataDirectory.ts";
import { simulatedMarket } from "../../scripts/devnet/marketPlan.ts";
import { natsPlacesFrom } from "../../scripts/devnet/nats.ts";
import { type Network, startNetwork } from "../../scripts/devnet/network.ts";
import { portsFrom } from "../../scripts/devnet/ports.ts";
import { openTraders, waitFor } from "../../scripts/devnet/traders.ts";
import { createExchange } from "../../sequencer/client/exchange.ts";
import { natsMissing } from "../support/natsCluster.ts";
import { freePortBase } from "./freePorts.ts";

const TIMEOUT_MS = 30 * 60_000;
const WAIT_MS = 120_000;
const ORDERS = 30;

async function withNetwork(use: (network: Network, signal: AbortSignal, logs: string) => unknown) {
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-failover-"));
  const stopping = new AbortController();
  const directory = openDataDirectory(folder, false);
  const base = await freePortBase();
  const network = await startNetwork({
    ...{ directory, ports: portsFrom(base, 3), nats: natsPlacesFrom(base) },
    market: simulatedMarket(Date.now()),
    signal: stopping.signal,
    say: () => undefined,
    onExit: (error) => stopping.abort(error),
  });
  try {
    await use(network, stopping.signal, directory.file("logs"));
  } finally {
    await network.children.stopAll();
    directory.release();
    rmSync(folder, { recursive: true });
  }
}

test("E5 whole nodes: a standby takes over, and nothing acknowledged is lost", {
  timeout: TIMEOUT_MS,
  skip: natsMissing,
}, async (context) => {
  await withNetwork(async (network, signal, logs) => {
    const exchange = createExchange({ url: network.apiUrl, timeoutMs: 3000 });
    const { makers } = await openTraders(network, exchange, signal);
    const { trader } = makers[0]!;
    const mark = await waitFor("an open book with a mark", WAIT_MS, signal, async () => {
      const [{ series }, books] = await Promise.all([exchange.chain(), exchange.books()]);
      const isOpen = books.some((book) => book.isOpen);
      return isOpen && (series[0]?.mark ?? 0) > 0 ? series[0]!.mark : undefined;
    });
    const order = { book: 0, isSell: true, lots: 1, timeInForce: "gtc" } as const;
    const receipts = [];
    for (let count = 0; count < ORDERS; count++) {
      receipts.push(await trader.place({ ...order, price: mark + (count % 5) }));
    }
    await waitFor("the standby", WAIT_MS, signal, async () =>
      /standing by/.test(readFileSync(path.join(logs, "standby.log"), "utf8")) ? true : undefined,
    );
    const before = await exchange.status();
    const resting = await trader.orders();
    assert.ok(resting.length > 0);
    assert.equal(before.log.engine, "jetstream");
    const killed = performance.now();
    await network.children.kill("sequencer");
    await network.apiUp();
    const status = await waitFor("an answer", WAIT_MS, signal, () =>
      exchange.status().catch(() => undefined),
    );
    const took = performance.now() - killed;
    assert.ok(status.logPosition > Math.max(...receipts.map((each) => each.logPosition)));
    const idsOf = (orders: readonly { orderId: string }[]) => orders.map((each) => each.orderId);
    assert.deepEqual(idsOf(await trader.orders()).sort(), idsOf(resting).sort());
    // Its batches go on, certified by validators that found it where the first one was.
    const again = await waitFor("a cancel", WAIT_MS, signal, () =>
      trader.cancelAll().catch(() => undefined),
    );
    assert.equal(again.outcome, "allCancelled");
    const { logEpoch } = await exchange.status();
    assert.ok(logEpoch > before.logEpoch, "another writer's epoch");
    await waitFor("a certificate", WAIT_MS, signal, async () => {
      const { stage } = await exchange.stages(again.logPosition);
      return stage === "sequenced" ? undefined : true;
    });
    for (const index of [0, 1, 2, 3]) {
      const log = readFileSync(path.join(logs, `validator-${index}.log`), "utf8");
      assert.doesNotMatch(log, /refused/, log);
    }
    exchange.close();
    context.diagnostic(`first answer, API and all, ${Math.round(took)} ms after the kill`);
  });
});
