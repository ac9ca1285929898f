// Whole nodes of a venue whose sequencer moves: its validators' sitting ends at a position in their
// configuration, and the next one goes on with the log, by the file that the first has left. One
// machine comes into it with nothing.
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { DataDirectory } from "../../scripts/devnet/dataDirectory.ts";
import type { Network } from "../../scripts/devnet/network.ts";
import { waitFor } from "../../scripts/devnet/traders.ts";
import { HANDOVER_FILE } from "../../sequencer/node/handoverFile.ts";
import { assertNobodyRefused, goesOn, openBook } from "./keptBook.ts";
import { WAIT_MS, withNetwork } from "./tradedNetwork.ts";

const MACHINES = [0, 1, 2, 3];
/** Loses its disks between the sittings. */
const NEWCOMER = 3;
/** Records that are written while validators are told the end, and some more. */
const UNTIL_MORE = 120;
/** Orders between two looks at whether that is there. */
const ORDERS = 10;
const NODE = path.join(import.meta.dirname, "..", "..", "sequencer", "node.ts");

type Role = "validator" | "sequencer";

/** Changes `certification` in a node's configuration; `undefined` takes a field away. */
function configure(directory: DataDirectory, name: string, change: object): string {
  const file = directory.file("config", `${name}.json`);
  const config = JSON.parse(readFileSync(file, "utf8"));
  config.certification = { ...config.certification, ...change };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

function start({ children }: Network, role: Role, index: number, file: string): void {
  const name = `${role}-${index}`;
  children.start(name, [NODE, "--role", role, "--name", name, "--config", file]);
}

test("E5 whole nodes: a sitting ends, and the next one goes on with the log", {
  timeout: 30 * 60_000,
  // With toy records `faults/movingSittings` shows the same in seconds.
  skip: process.env.STRADDLE_TEST_LONG === undefined && "two and a half minutes: test:long",
}, async (context) => {
  await withNetwork(async (network, signal, directory) => {
    const { children } = network;
    const book = await openBook(network, signal);
    const { trader, exchange } = book;
    const until = (await exchange.status()).logPosition + UNTIL_MORE;
    for (const index of MACHINES) {
      const name = `validator-${index}`;
      await children.stop(name);
      start(network, "validator", index, configure(directory, name, { until }));
    }
    const handovers = MACHINES.map((index) =>
      directory.file("nodes", `validator-${index}`, HANDOVER_FILE),
    );
    // Orders bring the log to its end; those behind it are not acknowledged.
    let newest = 0;
    await waitFor("all validators have left their file", WAIT_MS, signal, async () => {
      for (let count = 0; count < ORDERS; count++) {
        const receipt = await trader.cancelAll().catch(() => undefined);
        if (receipt === undefined) break;
        newest = Math.max(newest, receipt.logPosition);
      }
      return handovers.every(existsSync) ? true : undefined;
    });
    for (const index of MACHINES) {
      await Promise.all([children.stop(`sequencer-${index}`), children.stop(`validator-${index}`)]);
    }
    const { to } = JSON.parse(readFileSync(handovers[0]!, "utf8")).block as { to: number };
    assert.ok(to >= until && newest < to, `until ${until}, to ${to}, acknowledged ${newest}`);
    for (const role of ["validator", "sequencer"]) {
      rmSync(directory.file("nodes", `${role}-${NEWCOMER}`), { recursive: true });
    }
    const next = { epoch: 2, handover: handovers[0], until: undefined };
    for (const index of MACHINES) {
      for (const role of ["sequencer", "validator"] as const) {
        start(network, role, index, configure(directory, `${role}-${index}`, next));
      }
    }
    await network.apiUp();
    const resting = await waitFor("an answer", WAIT_MS, signal, () =>
      trader.openOrders().catch(() => undefined),
    );
    await goesOn({ ...book, resting }, signal);
    const { certification } = await exchange.status();
    await waitFor("the newcomer has what is final", WAIT_MS, signal, async () => {
      const status = await exchange.status().catch(() => undefined);
      const own = status?.certification?.members[NEWCOMER]?.certified ?? 0;
      return own > to ? true : undefined;
    });
    assertNobodyRefused(directory);
    exchange.close();
    context.diagnostic(`handed over at ${to}, then in term ${certification?.term}`);
  }, "simplex");
});
