// E20 with real processes: sequencer and validators are stopped and started again one after the
// other while traders go on. Nothing that was acknowledged is lost, and all disks hold one log.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DataDirectory } from "../../scripts/devnet/dataDirectory.ts";
import type { Network } from "../../scripts/devnet/network.ts";
import { type DevnetTrader, openTraders, waitFor } from "../../scripts/devnet/traders.ts";
import { createExchange, type Exchange } from "../../sequencer/client/exchange.ts";
import { logHashes, markOf, type Receipts, WAIT_MS, withNetwork } from "./tradedNetwork.ts";

const TIMEOUT_MS = 30 * 60_000;
const VALIDATORS = [0, 1, 2, 3];
const NODE = path.join(import.meta.dirname, "..", "..", "sequencer", "node.ts");
/** Slower than the prover's backlog would stop it. */
const PAUSE_MS = 400;

interface Load {
  readonly receipts: Receipts;
  stop(): Promise<void>;
}

/** Orders without an end; whoever gets no answer, or a refusal, tries again. */
function startLoad(traders: readonly DevnetTrader[], price: number): Load {
  const receipts: Receipts = [];
  const stopping = new AbortController();
  const trade = async ({ trader }: DevnetTrader, place: number): Promise<void> => {
    for (let count = 0; !stopping.signal.aborted; count++) {
      const order = { book: 0, isSell: place % 2 === 0, lots: 1, price: price + (count % 3) };
      const timeInForce = count % 2 === 0 ? "ioc" : "gtc";
      const receipt = await trader.place({ ...order, timeInForce }).catch(() => undefined);
      if (receipt !== undefined) receipts.push(receipt);
      if (count % 10 === 9) {
        const all = await trader.cancelAll().catch(() => undefined);
        if (all !== undefined) receipts.push(all);
      }
      await sleep(PAUSE_MS);
    }
  };
  const trading = Promise.all(traders.map(trade));
  return {
    receipts,
    stop: async () => {
      stopping.abort();
      await trading;
    },
  };
}

function startValidator({ children }: Network, directory: DataDirectory, index: number): void {
  const name = `validator-${index}`;
  const file = directory.file("config", `${name}.json`);
  children.start(name, [NODE, "--role", "validator", "--name", name, "--config", file]);
}

/** Records that are final; 0 while the sequencer does not answer. */
async function certified(exchange: Exchange): Promise<number> {
  const status = await exchange.status().catch(() => undefined);
  return status?.certification?.position ?? 0;
}

test("E20 a rolling restart of all processes under load", {
  timeout: TIMEOUT_MS,
}, async (context) => {
  await withNetwork(async (network, signal, directory) => {
    const { children, deployment } = network;
    const exchange = createExchange({ url: network.apiUrl, timeoutMs: 3000 });
    const { makers, takers } = await openTraders(network, exchange, signal);
    const load = startLoad([makers[0]!, takers[0]!], await markOf(exchange, signal));
    // Whatever fails, the process must end.
    context.after(load.stop);
    const { receipts } = load;
    /** More than what there is now is taken, and final. */
    const goesOn = async (what: string): Promise<void> => {
      const count = receipts.length;
      await waitFor(`${what}: orders are taken`, WAIT_MS, signal, async () =>
        receipts.length > count + 1 ? true : undefined,
      );
      const goal = receipts.at(-1)!.logPosition;
      await waitFor(`${what}: they are final`, WAIT_MS, signal, async () =>
        (await certified(exchange)) > goal ? true : undefined,
      );
    };
    await goesOn("at first");
    for (const index of VALIDATORS) {
      await children.stop(`validator-${index}`);
      await goesOn(`without validator ${index}`);
      startValidator(network, directory, index);
      await goesOn(`with validator ${index}`);
    }
    await children.stop("sequencer");
    await network.startSequencer();
    await goesOn("with the sequencer");
    await waitFor("every validator has all that is final", WAIT_MS, signal, async () => {
      const { certification } = await exchange.status();
      const goal = receipts.at(-1)!.logPosition;
      const members = certification?.members ?? [];
      const all = members.filter(({ certified }) => (certified ?? 0) > goal);
      return all.length === VALIDATORS.length ? true : undefined;
    });
    await load.stop();
    exchange.close();
    for (const name of ["sequencer", ...VALIDATORS.map((index) => `validator-${index}`)]) {
      await children.stop(name);
    }
    const domain = BigInt(deployment.domain);
    const log = await logHashes(directory, "sequencer", domain);
    for (const { logPosition, logHash } of receipts) assert.equal(log[logPosition], logHash);
    for (const index of VALIDATORS) {
      const own = await logHashes(directory, `validator-${index}`, domain);
      assert.deepEqual(own, log.slice(0, own.length), `validator ${index} has the same log`);
      const said = readFileSync(directory.file("logs", `validator-${index}.log`), "utf8");
      assert.doesNotMatch(said, /refused|accus/);
    }
    context.diagnostic(`${receipts.length} receipts through ${VALIDATORS.length + 1} restarts`);
  });
});
