/** A trader's book in a network that loses its sequencer: what it was before, and is again. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { DataDirectory } from "../../scripts/devnet/dataDirectory.ts";
import type { Network } from "../../scripts/devnet/network.ts";
import { openTraders, waitFor } from "../../scripts/devnet/traders.ts";
import { createExchange } from "../../sequencer/client/exchange.ts";
import { WAIT_MS } from "./tradedNetwork.ts";

const ORDERS = 30;

/** A trader with resting orders, and what the venue was like before anything was lost. */
export async function openBook(network: Network, signal: AbortSignal) {
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

export type Book = Awaited<ReturnType<typeof openBook>>;

/** Everything acknowledged is there, and orders, the key's chain and certificates go on. */
export async function goesOn(
  { exchange, trader, resting, newest, before }: Book,
  signal: AbortSignal,
) {
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

export function assertNobodyRefused(directory: DataDirectory): void {
  for (const index of [0, 1, 2, 3]) {
    const log = readFileSync(directory.file("logs", `validator-${index}.log`), "utf8");
    assert.doesNotMatch(log, /refused|votes no more/, log);
  }
}
