// The measured process: the real sequencer of the `large` instance on the machine's clock, with its
// embedded log and batches on this machine's disk, its threads for inputs of proofs and signatures,
// its API; and a bare `ws` server beside it. Oracles, layer one and the prover are fakes: none of
// them stands between an order and its receipt. What a node keeps on disk stays out of memory here
// too. With `--anchoring` batches are proven as they are sealed, and checkpoints are saved, so that
// nothing waits for a stage that never comes; else neither happens once the market is open.

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer } from "ws";
import { startApi } from "../../../sequencer/api/server.ts";
import { executorDeployment } from "../../../sequencer/node/deployment.ts";
import { openReceiptSigner } from "../../../sequencer/node/receiptSigner.ts";
import { withAnnounced } from "../../../sequencer/oracle/feed.ts";
import type { SettlementLayer } from "../../../sequencer/ports.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { publicKeyOf, sign } from "../../../sequencer/protocol/eddsa.ts";
import { DEFAULT_FAIR_ORDER } from "../../../sequencer/protocol/fairOrder.ts";
import {
  NO_TERMS,
  type Snapshot,
  snapshotHash,
  type Terms,
} from "../../../sequencer/protocol/snapshot.ts";
import type { ProofHandlers } from "../../../sequencer/roles/proofDesk.ts";
import { openStore } from "../../../sequencer/store/store.ts";
import { openInputWorker } from "../../../sequencer/threads/inputWorker.ts";
import { openSignatureWorker } from "../../../sequencer/threads/signatureWorker.ts";
import {
  createTrader,
  createWorld,
  DOMAIN,
  EXPIRY,
  infoOf,
  PATIENT,
  PROOF,
  START,
} from "../../../test/unit/roles/market.ts";
import {
  createBatches,
  createCheckpoints,
  createSettlement,
  silent,
} from "../../../test/unit/roles/ports.ts";
import { BOOKS, FIRST_TRADER, type Memory, type Ready, TRADERS } from "./plan.ts";

const PLENTY = { perSecond: 1e9, burst: 1e9 };
const CLIENTS_MAX = 200;
const DEPOSIT = 1_000_000_000_000;
const NEVER = 1e9;
/** As a node has it where its configuration says nothing. */
const CHECKPOINT_EVERY = 16;
const isAnchoring = process.argv.includes("--anchoring");

const began = performance.now();
/** Runs as the machine's does; nobody advances it. */
const clock = {
  now: () => START + Math.floor(performance.now() - began),
  advance: () => undefined,
};
const oracleSecrets = [11n, 22n, 33n, 44n, 55n];
const large = executorDeployment({
  ...{ instance: "large", domain: DOMAIN, oracles: oracleSecrets.map(publicKeyOf) },
  fairOrder: DEFAULT_FAIR_ORDER,
});
const { shape, sizes, fairOrder, quorum } = large;

/** Every series at 50, and 10 up or down in each scenario. */
function snapshotOf(table: readonly Terms[]): Snapshot {
  const changes = Array.from({ length: SCENARIOS }, (_, row) => (row % 2 === 0 ? 100 : -100));
  const slots = Array.from({ length: shape.slots }, (_, slot) => {
    const { isCall, strike, expiry } = table[slot] ?? NO_TERMS;
    return { terms: { isCall, strike, expiry }, mark: 500, isFinal: false, changes };
  });
  const body = { time: clock.now(), slots };
  const hash = snapshotHash(DOMAIN, body);
  const signers = oracleSecrets.slice(0, quorum);
  return {
    ...body,
    signatures: signers.map((secret, signer) => ({ signer, ...sign(secret, hash) })),
  };
}

const folder = await mkdtemp(path.join(tmpdir(), "straddle-bench-end-"));
const store = await openStore(folder, DOMAIN);
const slots = Array.from({ length: BOOKS }, (_, slot) => slot);
let isProving = true;
let handlers: ProofHandlers | undefined;
let proven = 0;
let proving = Promise.resolve();

/** As a prover would, each batch once it is stored. */
async function proveStored(): Promise<void> {
  for (; isProving && (await store.batches.sealed(proven + 1)) !== undefined; proven++) {
    await store.batches.putProof(proven + 1, PROOF);
    handlers?.onProof(proven + 1);
  }
}

/** Knows the newest batch only: others are layer one's. */
function createLayerOne() {
  let newest = { number: 0, root: 0n };
  const layerOne: Pick<SettlementLayer, "anchored" | "submitBatch"> = {
    anchored: async () => newest,
    submitBatch: async ({ number, rootAfter: root }) => {
      newest = { number, root };
      return { ...newest, transaction: `0x${number.toString(16).padStart(64, "0")}` };
    },
  };
  return Object.assign(createSettlement(DOMAIN), layerOne);
}
const world = await createWorld(
  {
    deployment: large,
    info: {
      ...{ ...infoOf(), shape, fairOrder },
      ...{ stepsPerBatch: sizes.trade.steps, fillsPerBatch: sizes.trade.fills },
      ...{ operationsPerBatch: sizes.ledger.steps },
    },
    plan: {
      series: slots.map((slot) => ({
        ...{ slot, isCall: true, strike: 20_000 + 500 * slot, expiry: EXPIRY },
      })),
      books: slots.map((slot) => ({ book: slot, legs: [[slot, 1]] as const })),
    },
    ...{ rate: PLENTY, backlogMax: NEVER, unanchoredMax: NEVER },
    breakers: { ...PATIENT, provingMax: NEVER },
    ...{ tickMs: 10, pollMs: 250, certificationWaitMs: 0 },
    checkpointEvery: isAnchoring ? CHECKPOINT_EVERY : NEVER,
  },
  {
    ...{ clock, batches: createBatches(), checkpoints: createCheckpoints() },
    ...{ settlement: createLayerOne(), records: [] },
  },
  {
    ...{ log: store.log, batches: store.batches },
    ...{ checkpoints: store.checkpoints, accounts: store.accounts },
    openInputs: openInputWorker,
    signatures: openSignatureWorker(silent),
    receiptSigner: openReceiptSigner(`0x${"11".repeat(32)}`, silent),
    openProofJobs: async (given) => {
      handlers = given;
      const notify = (): void => {
        proving = proving.then(proveStored);
      };
      return { notify, stop: () => proving };
    },
    snapshots: {
      latest: async () => {
        const { series, announced } = await world.sequencer.service.chain();
        return snapshotOf(withAnnounced(series, announced));
      },
    },
  },
);
const traders = Array.from({ length: TRADERS }, (_, at) => createTrader(FIRST_TRADER + at));
for (const trader of traders) world.open(trader, DEPOSIT);
const stopping = new AbortController();
const running = world.sequencer.run(stopping.signal);
const { service } = world.sequencer;
// The world of tests keeps all events; nobody asks for them here.
service.subscribe(() => world.events.splice(0));

async function isOpen(): Promise<boolean> {
  const books = await service.books();
  const last = await service.account({ id: FIRST_TRADER + TRADERS - 1 });
  const { snapshotTime } = await service.chain();
  return books.length === BOOKS && last !== null && snapshotTime !== null;
}
// Listings wait for proofs; orders do not.
while (!(await isOpen())) await sleep(100);
isProving = isAnchoring;

const api = await startApi({
  ...{ service, clock, logger: silent },
  limits: {
    ...{ credits: PLENTY, accountRate: PLENTY },
    ...{ webSockets: CLIENTS_MAX, connections: CLIENTS_MAX, connectionsPerAddress: CLIENTS_MAX },
  },
});

/** Sends back what comes. */
const echo = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
echo.on("connection", (socket) => {
  socket.on("message", (data) => socket.send(data.toString()));
});
await once(echo, "listening");
const { port } = echo.address() as { port: number };

/** Sealed batches that are not stored and proven yet. */
async function backlog(): Promise<number> {
  const newest = await service.batch("latest");
  return newest === null ? 0 : newest.number - proven;
}

/** With `--anchoring` at rest: nothing of what was sent is under way. */
async function memoryNow(): Promise<Memory> {
  const waiting = await backlog();
  while (isAnchoring && (await backlog()) > 0) await sleep(10);
  // Where the process was started with it: what is left is what is in use.
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const cpuMs = process.cpuUsage().user / 1000;
  return { heapUsed, rss, rssFiles: residentFiles(), waiting, cpuMs };
}

/** NaN where the system does not tell. */
function residentFiles(): number {
  const source = "/proc/self/status";
  const status = existsSync(source) ? readFileSync(source, "utf8") : "";
  const [, kib] = /^RssFile:\s+(\d+) kB$/m.exec(status) ?? [];
  return Number(kib) * 1024;
}
process.on("message", () => void memoryNow().then((memory) => process.send?.(memory)));
process.on("disconnect", async () => {
  stopping.abort();
  isProving = false;
  await running.catch(() => undefined);
  await api.stop();
  await store.close().catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
  process.exit(0);
});
const ready: Ready = { url: api.url, echoUrl: `ws://127.0.0.1:${port}`, time: clock.now() };
process.send?.(ready);
