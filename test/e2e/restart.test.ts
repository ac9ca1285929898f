// A sequencer that is killed in the middle of its work loses nothing that it has acknowledged.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { type DataDirectory, openDataDirectory } from "../../scripts/devnet/dataDirectory.ts";
import { simulatedMarket } from "../../scripts/devnet/marketPlan.ts";
import { type Network, startNetwork } from "../../scripts/devnet/network.ts";
import { portsFrom } from "../../scripts/devnet/ports.ts";
import { type DevnetTrader, openTraders, waitFor } from "../../scripts/devnet/traders.ts";
import { createExchange, type Exchange } from "../../sequencer/client/exchange.ts";
import { ExchangeError } from "../../sequencer/client/rpc.ts";
import type { Receipt, Wire } from "../../sequencer/exchangeService.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { freePortBase } from "./freePorts.ts";

const TIMEOUT_MS = 30 * 60_000;
const WAIT_MS = 120_000;

type Receipts = Wire<Receipt>[];

/** Sends orders without a pause until the sequencer is gone; gives what was acknowledged. */
async function tradeUntilKilled(
  { trader }: DevnetTrader,
  { isSell, price }: { isSell: boolean; price: number },
): Promise<Receipts> {
  const receipts: Receipts = [];
  for (let count = 0; count < 500; count++) {
    const order = { book: 0, isSell, lots: 1, price: price + (count % 3) };
    try {
      receipts.push(await trader.place({ ...order, timeInForce: count % 2 ? "gtc" : "ioc" }));
    } catch {
      break;
    }
  }
  return receipts;
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
    // One message more may have become durable without its answer having come through.
    const isKnown = own.some((receipt) => receipt.head === head);
    const newest = Math.max(...own.map(({ logPosition }) => logPosition));
    assert.ok(isKnown || status.logPosition > newest + 1, `the chain of ${account} went back`);
  }
}

async function withNetwork(
  use: (network: Network, signal: AbortSignal, directory: DataDirectory) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-restart-"));
  const stopping = new AbortController();
  const directory = openDataDirectory(folder, false);
  const network = await startNetwork({
    directory,
    ports: portsFrom(await freePortBase(), 3),
    market: simulatedMarket(Date.now()),
    signal: stopping.signal,
    say: () => undefined,
    onExit: (error) => stopping.abort(error),
  });
  try {
    await use(network, stopping.signal, directory);
  } finally {
    await network.children.stopAll();
    directory.release();
    rmSync(folder, { recursive: true });
  }
}

test("a killed and restarted sequencer goes on", { timeout: TIMEOUT_MS }, async () => {
  await withNetwork(async (network, signal, directory) => {
    const exchange = createExchange({ url: network.apiUrl, timeoutMs: 3000 });
    const { makers, takers } = await openTraders(network, exchange, signal);
    const [maker, taker] = [makers[0]!, takers[0]!];
    // A series that was listed a moment ago has no mark, and orders must be near one.
    const price = await waitFor("an open book with a mark", WAIT_MS, signal, async () => {
      const books = await exchange.books();
      const { series } = await exchange.chain();
      const mark = series[0]?.mark ?? 0;
      return books.some(({ isOpen }) => isOpen) && mark > 0 ? mark : undefined;
    });
    const trading = Promise.all([
      tradeUntilKilled(maker, { isSell: true, price }),
      tradeUntilKilled(taker, { isSell: false, price }),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await network.children.kill("sequencer");
    const receipts = (await trading).flat();
    assert.ok(receipts.length > 10, `only ${receipts.length} orders were acknowledged`);
    await network.startSequencer();
    await assertNothingLost(exchange, receipts);
    // What was sequenced before goes on its way, and new orders are taken.
    const last = receipts.at(-1)!;
    await waitFor("a certificate", WAIT_MS, signal, async () => {
      const { stage } = await exchange.stages(last.logPosition);
      return stage === "sequenced" ? undefined : true;
    });
    // What was certified needs no batch that is open now, but a cancel does: it needs marks.
    const again = await waitFor("marks after the restart", WAIT_MS, signal, async () =>
      maker.trader.cancelAll().catch((error: unknown) => {
        if (error instanceof ExchangeError && error.reason === "noSnapshot") return undefined;
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

/** Every acknowledged record stands in the log on disk, at its place and with its contents. */
async function assertRecords(
  directory: DataDirectory,
  domain: bigint,
  receipts: Receipts,
): Promise<void> {
  const store = await openStore(directory.file("nodes", "sequencer"), domain);
  const hashes: string[] = [];
  for await (const { hash } of store.log.read(0)) hashes.push(hash);
  await store.close();
  for (const { logPosition, logHash } of receipts) assert.equal(hashes[logPosition], logHash);
}
