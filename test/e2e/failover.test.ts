// Whole nodes of which one can be lost. With the `jetstream` log the sequencer is killed, and the
// one that stands by takes over its addresses and its keys; with `simplex` the leader's machine is,
// validator and sequencer at once, and the next leader's sequencer goes on. A trader who only dials
// again loses nothing.
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

type Engine = "jetstream" | "simplex";

async function withNetwork(
  engine: Engine,
  use: (network: Network, signal: AbortSignal, logs: string) => unknown,
) {
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-failover-"));
  const stopping = new AbortController();
  const directory = openDataDirectory(folder, false);
  const base = await freePortBase();
  const network = await startNetwork({
    ...{ directory, ports: portsFrom(base, 3), movesSequencer: engine === "simplex" },
    nats: engine === "jetstream" ? natsPlacesFrom(base) : undefined,
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

/** A trader with resting orders, and what the venue was like before anything was lost. */
async function openBook(network: Network, signal: AbortSignal) {
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
  const resting = await trader.openOrders();
  assert.ok(resting.length > 0);
  const newest = Math.max(...receipts.map((each) => each.logPosition));
  return { exchange, trader, resting, newest, before: await exchange.status() };
}

type Book = Awaited<ReturnType<typeof openBook>>;

/** Everything acknowledged is there, and orders, the key's chain and certificates go on. */
async function goesOn({ exchange, trader, resting, newest, before }: Book, signal: AbortSignal) {
  const status = await waitFor("an answer", WAIT_MS, signal, () =>
    exchange.status().catch(() => undefined),
  );
  assert.ok(status.logPosition > newest);
  const idsOf = (orders: readonly { order_id: string }[]) => orders.map((each) => each.order_id);
  assert.deepEqual(idsOf(await trader.openOrders()).sort(), idsOf(resting).sort());
  const again = await waitFor("a cancel", WAIT_MS, signal, () =>
    trader.cancelAll().catch(() => undefined),
  );
  assert.equal(again.outcome, "allCancelled");
  assert.ok((await exchange.status()).logEpoch > before.logEpoch, "another writer's epoch");
  await waitFor("a certificate", WAIT_MS, signal, async () => {
    const { stage } = await exchange.stages(again.logPosition);
    return stage === "sequenced" ? undefined : true;
  });
}

function assertNobodyRefused(logs: string): void {
  for (const index of [0, 1, 2, 3]) {
    const log = readFileSync(path.join(logs, `validator-${index}.log`), "utf8");
    assert.doesNotMatch(log, /refused|votes no more/, log);
  }
}

test("E5 whole nodes: a standby takes over, and nothing acknowledged is lost", {
  timeout: TIMEOUT_MS,
  skip: natsMissing,
}, async (context) => {
  await withNetwork("jetstream", async (network, signal, logs) => {
    const book = await openBook(network, signal);
    await waitFor("the standby", WAIT_MS, signal, async () =>
      /standing by/.test(readFileSync(path.join(logs, "standby.log"), "utf8")) ? true : undefined,
    );
    assert.equal(book.before.log.engine, "jetstream");
    const killed = performance.now();
    await network.children.kill("sequencer");
    await network.apiUp();
    const took = Math.round(performance.now() - killed);
    // Its batches go on, certified by validators that found it where the first one was.
    await goesOn(book, signal);
    assertNobodyRefused(logs);
    book.exchange.close();
    context.diagnostic(`first answer, API and all, ${took} ms after the kill`);
  });
});

test("E5 whole nodes: the next leader's sequencer goes on in one term change", {
  timeout: TIMEOUT_MS,
}, async (context) => {
  await withNetwork("simplex", async (network, signal, logs) => {
    const book = await openBook(network, signal);
    assert.equal(book.before.log.engine, "simplex");
    const { certification } = await book.exchange.status();
    const leader = certification!.members.findIndex(
      ({ validator }) => validator === certification!.leader,
    );
    assert.ok(leader >= 0, "a leader is known");
    const killed = performance.now();
    await Promise.all([
      network.children.kill(`sequencer-${leader}`),
      network.children.kill(`validator-${leader}`),
    ]);
    await network.apiUp();
    const took = Math.round(performance.now() - killed);
    await goesOn(book, signal);
    const terms = (await book.exchange.status()).logEpoch - book.before.logEpoch;
    assertNobodyRefused(logs);
    book.exchange.close();
    context.diagnostic(`first answer, API and all, ${took} ms after the kill, ${terms} terms on`);
  });
});
