// A sequencer that is killed in the middle of its work loses nothing that it has acknowledged.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type DevnetTrader, openTraders, waitFor } from "../../scripts/devnet/traders.ts";
import { createExchange, type Exchange } from "../../sequencer/client/exchange.ts";
import { ExchangeError } from "../../sequencer/client/rpcErrors.ts";
import { assertRecords, markOf, type Receipts, WAIT_MS, withNetwork } from "./tradedNetwork.ts";

const TIMEOUT_MS = 30 * 60_000;
/** Acknowledged when the sequencer is killed, in the middle of others. */
const ORDERS_MIN = 20;

/** Sends orders without a pause until the sequencer is gone; notes what was acknowledged. */
async function tradeUntilKilled(
  { trader }: DevnetTrader,
  { isSell, price }: { isSell: boolean; price: number },
  receipts: Receipts,
): Promise<void> {
  for (let count = 0; count < 500; count++) {
    const order = { book: 0, isSell, lots: 1, price: price + (count % 3) };
    try {
      receipts.push(await trader.place({ ...order, timeInForce: count % 2 ? "gtc" : "ioc" }));
    } catch (error) {
      // Refused, it says that it is there.
      if (!(error instanceof ExchangeError)) return;
    }
  }
}

async function assertNothingLost(exchange: Exchange, receipts: Receipts): Promise<void> {
  const status = await exchange.status();
  assert.equal(status.halted, null);
  for (const { logPosition } of receipts) {
    assert.ok(logPosition < status.logPosition, `log position ${logPosition} is lost`);
  }
  for (const account of new Set(receipts.map((receipt) => receipt.account))) {
    const own = receipts.filter((receipt) => receipt.account === account);
    const { head } = await exchange.key(account, 0);
    const [, ...older] = own.sort((a, b) => b.logPosition - a.logPosition);
    // One message more may have become durable without its answer having come through.
    assert.ok(
      older.every((receipt) => receipt.head !== head),
      `the chain of ${account} went back`,
    );
  }
}

/** From its next start on, one thread does everything: what the others left must be enough. */
function withoutThreads(file: string): void {
  const config = JSON.parse(readFileSync(file, "utf8")) as object;
  assert.ok(!("threads" in config));
  writeFileSync(file, JSON.stringify({ ...config, threads: false }));
}

test("a killed and restarted sequencer goes on, with threads and without", {
  timeout: TIMEOUT_MS,
}, async () => {
  await withNetwork(async (network, signal, directory) => {
    const exchange = createExchange({ url: network.apiUrl, timeoutMs: 3000 });
    const { makers, takers } = await openTraders(network, exchange, signal);
    const [maker, taker] = [makers[0]!, takers[0]!];
    const price = await markOf(exchange, signal);
    const receipts: Receipts = [];
    const trading = Promise.all([
      tradeUntilKilled(maker, { isSell: true, price }, receipts),
      tradeUntilKilled(taker, { isSell: false, price }, receipts),
    ]);
    await waitFor("orders are acknowledged", WAIT_MS, signal, async () =>
      receipts.length > ORDERS_MIN ? true : undefined,
    );
    await network.children.kill("sequencer");
    await trading;
    withoutThreads(directory.file("config", "sequencer.json"));
    await network.startSequencer();
    await assertNothingLost(exchange, receipts);
    // What was sequenced before goes on its way, and new orders are taken.
    const last = receipts.at(-1)!;
    await waitFor("a certificate", WAIT_MS, signal, async () => {
      const { stage } = await exchange.stages(last.logPosition);
      return stage === "sequenced" ? undefined : true;
    });
    // A cancel needs a batch: behind an order that was interrupted it waits for marks.
    const again = await waitFor("marks after the restart", WAIT_MS, signal, async () =>
      maker.trader.cancelAll().catch((error: unknown) => {
        if (error instanceof ExchangeError && error.reason === "no_snapshot") return undefined;
        throw error;
      }),
    );
    assert.equal(again.outcome, "allCancelled");
    for (const index of [0, 1, 2, 3]) {
      const log = readFileSync(directory.file("logs", `validator-${index}.log`), "utf8");
      assert.doesNotMatch(log, /refused/, log);
    }
    exchange.close();
    await network.children.stop("sequencer");
    await assertRecords(directory, BigInt(network.deployment.domain), receipts);
  });
});
