/** A whole network of processes for a test, and what traders of it know. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type DataDirectory, openDataDirectory } from "../../scripts/devnet/dataDirectory.ts";
import { simulatedMarket } from "../../scripts/devnet/marketPlan.ts";
import { natsPlacesFrom } from "../../scripts/devnet/nats.ts";
import { type Network, startNetwork } from "../../scripts/devnet/network.ts";
import { portsFrom } from "../../scripts/devnet/ports.ts";
import { waitFor } from "../../scripts/devnet/traders.ts";
import type { Exchange } from "../../sequencer/client/exchange.ts";
import type { Receipt, Wire } from "../../sequencer/exchangeService.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { freePortBase } from "./freePorts.ts";

export const WAIT_MS = 120_000;

export type Receipts = Wire<Receipt>[];

export type Engine = "embedded" | "jetstream" | "simplex";

export async function withNetwork(
  use: (network: Network, signal: AbortSignal, directory: DataDirectory) => Promise<void>,
  engine: Engine = "embedded",
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-network-"));
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
    await use(network, stopping.signal, directory);
  } finally {
    await network.children.stopAll();
    directory.release();
    rmSync(folder, { recursive: true });
  }
}

/** Of the first series, once it has one: orders must be near it. */
export function markOf(exchange: Exchange, signal: AbortSignal): Promise<number> {
  // A series that was listed a moment ago has none.
  return waitFor("an open book with a mark", WAIT_MS, signal, async () => {
    const books = await exchange.books();
    const { series } = await exchange.chain();
    const mark = series[0]?.mark ?? 0;
    return books.some(({ isOpen }) => isOpen) && mark > 0 ? mark : undefined;
  });
}

/** Of the log that a node has on its disk; the node must not run. */
export async function logHashes(
  directory: DataDirectory,
  node: string,
  domain: bigint,
): Promise<string[]> {
  const store = await openStore(directory.file("nodes", node), domain);
  const hashes: string[] = [];
  for await (const { hash } of store.log.read(0)) hashes.push(hash);
  await store.close();
  return hashes;
}

/** Every acknowledged record stands in the log on disk, at its place and with its contents. */
export async function assertRecords(
  directory: DataDirectory,
  domain: bigint,
  receipts: Receipts,
): Promise<void> {
  const hashes = await logHashes(directory, "sequencer", domain);
  for (const { logPosition, logHash } of receipts) assert.equal(hashes[logPosition], logHash);
}
