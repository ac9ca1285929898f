/**
 * The sequencer role on a clock of its own: its store is the real one on disk, layer one is a list
 * of deposits, oracles sign what the recorded feed says. Nothing waits for wall-clock time.
 */
import type { ExchangeService, Info } from "../../sequencer/exchangeService.ts";
import { executorDeployment } from "../../sequencer/node/deployment.ts";
import { realScheduler } from "../../sequencer/node/systemClock.ts";
import { type Feed, withAnnounced } from "../../sequencer/oracle/feed.ts";
import { createMarketSources } from "../../sequencer/oracle/marketView.ts";
import { proposalToSlots } from "../../sequencer/oracle/proposal.ts";
import { propose } from "../../sequencer/oracle/propose.ts";
import { DEFAULT_RISK_PARAMETERS as PARAMETERS } from "../../sequencer/oracle/riskMatrix.ts";
import { createSettlementBook } from "../../sequencer/oracle/settlement.ts";
import type { Logger, QueuedOperation, SettlementLayer } from "../../sequencer/ports.ts";
import { publicKeyOf, sign } from "../../sequencer/protocol/eddsa.ts";
import { FIRST_COME } from "../../sequencer/protocol/fairOrder.ts";
import { oracleSetHash, type Snapshot, snapshotHash } from "../../sequencer/protocol/snapshot.ts";
import type { ProofHandlers } from "../../sequencer/roles/proofDesk.ts";
import { createSequencer, type Sequencer } from "../../sequencer/roles/sequencer.ts";
import type { SequencerConfig } from "../../sequencer/roles/sequencerConfig.ts";
import type { Store } from "../../sequencer/store/store.ts";

/** Any number serves where no contract checks it. */
export const DOMAIN = 20_260_818n;
/** Public, for simulated oracles only. */
const ORACLE_SECRETS = [101n, 102n, 103n];
const DEPLOYMENT = executorDeployment({
  ...{ instance: "tiny", domain: DOMAIN, oracles: ORACLE_SECRETS.map(publicKeyOf) },
  fairOrder: FIRST_COME,
});
const { quorum, shape, sizes } = DEPLOYMENT;

export interface Venue {
  readonly service: ExchangeService;
  now(): number;
  /** Queues a layer-one operation. */
  enqueue(operation: QueuedOperation["operation"]): void;
  /** Time passes, oracles and layer one are read, whatever is due is done. */
  step(ms: number): Promise<void>;
  /** Tells the sequencer that a batch's proof is stored. */
  proven(number: number): void;
  stop(): Promise<void>;
}

export interface VenueOptions {
  readonly store: Store;
  readonly feed: Feed;
  readonly startMs: number;
  readonly plan: SequencerConfig["plan"];
  readonly logger: Logger;
  /** What else differs from the defaults of {@link baseConfig}. */
  readonly config?: Partial<SequencerConfig>;
}

export async function createVenue(options: VenueOptions): Promise<Venue> {
  const { store, feed, logger } = options;
  const clock = { time: options.startMs, now: () => clock.time };
  const queue: QueuedOperation[] = [];
  let handlers: ProofHandlers | undefined;
  let sequencer: Sequencer | undefined;
  const sources = createMarketSources([feed]);
  const { settlementWindowMs: windowMs, disputeDelayMs } = PARAMETERS;
  const rules = { windowMs, disputeDelayMs };
  const book = createSettlementBook({ rules, history: sources.average });
  const latest = async (): Promise<Snapshot> => {
    const chain = await sequencer?.service.chain();
    const table = withAnnounced(chain?.series ?? [], chain?.announced ?? []);
    const padded = Array.from({ length: shape.slots }, (_, slot) => table[slot] ?? NO_SERIES);
    const view = await sources.read(clock.time, padded);
    const proposed = propose({ view, book, table: padded, parameters: PARAMETERS });
    if (proposed.refused !== undefined) throw new Error(proposed.refused.reason);
    return signed(clock.time, proposalToSlots(proposed.value.proposal, PARAMETERS));
  };
  const ports = {
    scheduler: realScheduler,
    ...{ clock, logger, snapshots: { latest }, settlement: depositsOnly(queue) },
    ...{ log: store.log, checkpoints: store.checkpoints, batches: store.batches },
    network: NO_NETWORK,
    prover: { verify: async () => true },
    receiptSigner: { address: "0x00" as const, sign: () => "0x00" as const },
    openProofJobs: async (given: ProofHandlers) => {
      handlers = given;
      return { notify: () => undefined, stop: async () => undefined };
    },
    isSignedAttestation: async () => false,
    isSignedRefusal: async () => false,
    ...{ accounts: store.accounts, isSignedScope: async () => false },
  };
  const { plan, config } = options;
  sequencer = await createSequencer(ports, { ...baseConfig(), plan, ...config });
  const running = sequencer;
  return {
    service: running.service,
    now: clock.now,
    enqueue: (operation) => void queue.push({ queueId: queue.length, operation, pricedFrom: 0 }),
    step: async (ms) => {
      clock.time += ms;
      await running.pollOracles();
      await running.pollChain();
      running.tick();
      await turns();
    },
    proven: (number) => handlers?.onProof(number),
    stop: () => running.stop(),
  };
}

const NO_SERIES = { status: "empty", isCall: false, strike: 0, expiry: 0 } as const;

function signed(time: number, slotRisks: Snapshot["slots"]): Snapshot {
  const body = { time, slots: slotRisks };
  const hash = snapshotHash(DOMAIN, body);
  const signatures = ORACLE_SECRETS.slice(0, quorum).map((secret, signer) => {
    return { signer, ...sign(secret, hash) };
  });
  return { ...body, signatures };
}

/** Layer one as far as a replay needs it: it has a queue, and anchors what it is given. */
function depositsOnly(queue: readonly QueuedOperation[]): SettlementLayer {
  let anchored = { number: 0, root: 0n };
  return {
    domain: async () => DOMAIN,
    anchored: async () => anchored,
    queued: async (from) => queue.filter(({ queueId }) => queueId >= from),
    submitBatch: async ({ number, rootAfter }) => {
      anchored = { number, root: rootAfter };
      return { ...anchored, transaction: `0x${number.toString(16).padStart(64, "0")}` };
    },
    validators: async () => undefined,
    report: () => ({
      ...{ paused: null, stopped: null, frozenAt: null, head: null, confirmed: null },
      ...{ reorgs: 0, deepestReorg: 0 },
      ...{ replacements: 0, spentHour: 0n, spentDay: 0n },
    }),
  };
}

const NO_NETWORK = {
  addresses: () => [],
  peers: () => [],
  onAttestation: () => undefined,
  onRefusal: () => undefined,
  onReport: () => undefined,
  announce: () => undefined,
  announceProof: () => undefined,
  stop: async () => undefined,
};

/** Lets everything that waits on resolved promises and on the disk happen. */
async function turns(): Promise<void> {
  for (let count = 0; count < 5; count++) await new Promise((resolve) => setImmediate(resolve));
}

function baseConfig(): Omit<SequencerConfig, "plan"> {
  return {
    deployment: DEPLOYMENT,
    info: INFO,
    limits: {
      batchAgeMs: 1000,
      batchAgeMsMax: 10_000,
      ledgerDelayMs: 500,
      snapshotRenewMs: 5000,
      idleBacklog: Number.MAX_SAFE_INTEGER,
    },
    // Recorded snapshots come minutes apart: that is no silence of the oracles here.
    liquidation: { oracleGapMs: 600_000 },
    rate: { perSecond: 10_000, burst: 100_000 },
    backlogMax: Number.MAX_SAFE_INTEGER,
    unanchoredMax: Number.MAX_SAFE_INTEGER,
    checkpointEvery: 1000,
    certificationWaitMs: 1,
    tickMs: 10,
    pollMs: 10,
  };
}

const INFO: Info = {
  name: "straddle",
  version: "0",
  protocol: 1,
  chainId: 31337,
  rollup: "0x00",
  token: "0x00",
  tokenDecimals: 6,
  domain: DOMAIN,
  shape: DEPLOYMENT.shape,
  underlying: "ETH",
  tickSize: 100_000,
  lotsPerContract: 100,
  stepsPerBatch: sizes.trade.steps,
  fillsPerBatch: sizes.trade.fills,
  operationsPerBatch: sizes.ledger.steps,
  oracles: DEPLOYMENT.oracles,
  oracleQuorum: quorum,
  oracleSet: oracleSetHash(DEPLOYMENT.oracles),
  fairOrder: DEPLOYMENT.fairOrder,
  sequencer: "0x00",
  validators: [],
};
