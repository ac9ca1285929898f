/**
 * The sequencer: orders messages, executes them, and takes their batches from sequenced to
 * anchored. Each stage has its own loop and its own durable queue, and none waits for a later one.
 */
import { DEFAULT_POLICY } from "../engine/admission.ts";
import { firstMispriced } from "../engine/risk.ts";
import type { ExchangeEvent, ExchangeService } from "../exchangeService.ts";
import type { AccountPolicies } from "./accountPolicy.ts";
import { createAnchoring } from "./anchoring.ts";
import { type Batcher, createBatcher } from "./batcher.ts";
import { type CertifiedLog, followCertification } from "./certifiedLog.ts";
import type { CircuitBreakers } from "./circuitBreakers.ts";
import { createExchangeQueries } from "./exchangeQueries.ts";
import { DEFAULT_FEES } from "./feeSchedule.ts";
import { createFreshness } from "./freshness.ts";
import { createHalt, type Halt, haltWith } from "./halt.ts";
import { openInputsInProcess } from "./inputsInProcess.ts";
import { createIntake, type Intake } from "./intake.ts";
import { DEFAULT_COLLECTION } from "./keeper.ts";
import { type KeptAccounts, loadKeptAccounts } from "./keptAccounts.ts";
import { watchQueue } from "./layerOneQueue.ts";
import { createLiquidator, DEFAULT_LIQUIDATION, type Liquidator } from "./liquidator.ts";
import { createLogQuery } from "./logQuery.ts";
import { NoSnapshotError } from "./opening.ts";
import { createPackages, type Packages } from "./packages.ts";
import { type ProofJobs, verifyBatchProof } from "./proofDesk.ts";
import type { Admission } from "./riskQueries.ts";
import { createSealing, type Sealing } from "./sealing.ts";
import { readSeenHeads, type SeenHeads } from "./seenHeads.ts";
import type { SequencerConfig, SequencerPorts } from "./sequencerConfig.ts";
import { runLoops, type Work } from "./sequencerLoops.ts";
import { restoreSequencer, type SequencerState } from "./sequencerState.ts";
import { createSequencing, type Sequencing } from "./sequencing.ts";
import { AT_THE_DOOR } from "./signaturesAhead.ts";
import { createSnapshotWatch, type SnapshotWatch } from "./snapshotWatch.ts";
import { createTradingGuard, type TradingGuard } from "./tradingGuard.ts";
import { createUnpricedWatch } from "./unpricedWatch.ts";
import { listenToValidators } from "./validatorReports.ts";

export interface Sequencer {
  readonly service: ExchangeService;
  /** Ends batches and runs ledger groups that are due. */
  tick(): void;
  /** One look at the oracles. */
  pollOracles(): Promise<void>;
  /** One look at layer one's queue, and one try at anchoring. */
  pollChain(): Promise<void>;
  /** Runs the loops until the signal aborts. Throws what made the node stop, if anything did. */
  run(signal: AbortSignal): Promise<void>;
  /** Waits for what is under way. The ports are closed by whoever opened them. */
  stop(): Promise<void>;
}

interface Core extends SequencerState {
  readonly ports: SequencerPorts;
  readonly config: SequencerConfig;
  readonly halt: Halt;
  readonly listeners: Set<(event: ExchangeEvent) => void>;
  readonly sealing: Sealing;
  readonly watch: SnapshotWatch;
  readonly batcher: Batcher;
  readonly sequencing: Sequencing;
  readonly liquidator: Liquidator;
  readonly admission: Admission;
  readonly guard: TradingGuard;
  readonly breakers: CircuitBreakers;
  readonly heads: SeenHeads;
  readonly policies: AccountPolicies;
  readonly packages: Packages;
  isOverloaded(): boolean;
}

/** Restores the state. Throws LogCorruptionError where log and checkpoint are damaged. */
export async function createSequencer(
  ports: SequencerPorts,
  config: SequencerConfig,
): Promise<Sequencer> {
  const { log, checkpoints, batches: store, logger } = ports;
  const { deployment, info, checkpointEvery } = config;
  const { validators } = info;
  const kept = await loadKeptAccounts(ports);
  const { openInputs = openInputsInProcess } = ports;
  const options = { deployment, validators, log, checkpoints, checkpointEvery, store, logger };
  const restored = await restoreSequencer({
    ...{ ...options, openInputs, replayed: kept.replayed },
  });
  try {
    return await startSequencer(ports, config, { restored, kept });
  } catch (error) {
    await restored.inputs.stop();
    throw error;
  }
}

async function startSequencer(
  ports: SequencerPorts,
  config: SequencerConfig,
  { restored, kept }: { restored: SequencerState; kept: KeptAccounts },
): Promise<Sequencer> {
  const jobs: { current: ProofJobs | undefined } = { current: undefined };
  const heads = await readSeenHeads(ports.log);
  const said: { current: ReturnType<typeof listenToValidators> | undefined } = {
    current: undefined,
  };
  const onStored = ({ number }: { number: number }) => {
    said.current?.sealed(number);
    jobs.current?.notify();
  };
  const core = createCore(ports, config, { restored, heads, kept, onStored });
  said.current = listenToValidators(core);
  const certified = followCertification(core, config.certification);
  jobs.current = await openJobs(core);
  const { halt, sequencing, batcher, sealing, breakers } = core;
  const intake = openIntake(core);
  const tick = (): void => {
    if (halt.reason() !== undefined) return;
    try {
      breakers.tick(ports.clock.now());
      sequencing.tick(ports.clock.now());
      core.policies.tick(ports.clock.now());
      core.packages.tick(ports.clock.now());
    } catch (error) {
      // Whatever was due stays due until the oracles are back.
      if (!(error instanceof NoSnapshotError)) halt.fail(error);
    }
  };
  const { clock, logger } = ports;
  const unpriced = createUnpricedWatch({ clock, logger, watch: core.watch, ...sequencing });
  const poll = async (): Promise<void> => {
    await core.watch.poll();
    unpriced.look();
  };
  const work = { tick, poll, ...createPolls(core) };
  return {
    service: createService(core, intake, certified),
    tick,
    pollOracles: poll,
    pollChain: async () => {
      await work.queue();
      await work.anchor();
    },
    run: (signal) => runLoops({ halt, ...ports, ...config }, work, signal),
    stop: async () => {
      intake.close();
      try {
        await sealEnded(core);
        await batcher.flushed();
        await sealing.stored();
      } finally {
        await restored.inputs.stop();
        await jobs.current?.stop();
      }
    },
  };
}

/** The batch that has ended and waits for its root: a node that stops leaves none of them. */
async function sealEnded({ node, inputs, halt, batcher }: Core): Promise<void> {
  const ended = node.executor.ended();
  if (ended === undefined || halt.reason() !== undefined) return;
  try {
    await inputs.hasHashes(ended);
    if (halt.reason() === undefined) batcher.seal(ended);
  } catch (error) {
    halt.fail(error);
  }
}

function createCore(
  ports: SequencerPorts,
  config: SequencerConfig,
  given: {
    restored: SequencerState;
    heads: SeenHeads;
    kept: KeptAccounts;
    onStored: (batch: { number: number }) => void;
  },
): Core {
  const { checkpoints, batches: store, logger, network, clock } = ports;
  const { restored, heads, kept, onStored } = given;
  const { node, trackers, batches } = restored;
  const { state } = node;
  const halt = createHalt(logger);
  haltWith(halt, ports.log.failure);
  const listeners = new Set<(event: ExchangeEvent) => void>();
  const { checkpointEvery, deployment, limits, plan, backlogMax, breakers: bounds } = config;
  const guard = createTradingGuard({ ports, deployment, limits: bounds, backlogMax, restored });
  const publish = (event: ExchangeEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const sealing: Sealing = createSealing({
    ...{ ...restored, store, checkpoints, logger, checkpointEvery, onStored },
    publish: (events) => {
      for (const event of events) publish(event);
    },
    announce: (position) => network.announce(position),
    // What has stopped writes nothing more.
    seal: (number) => {
      if (halt.reason() === undefined) batcher.seal(number);
    },
    fail: halt.fail,
  });
  const { slots } = deployment.shape;
  const watch = createSnapshotWatch({ ...deployment, slots, source: ports.snapshots, logger });
  const policies = kept.policies({
    ...{ state, clock, logger, publish, rate: config.rate, info: config.info },
    ...{ snapshot: watch.newest, fail: halt.fail, isSignedScope: ports.isSignedScope },
    isLiveOrder: (account, id) =>
      trackers.orders.orders(account).some(({ orderId }) => orderId === id),
  });
  const packages = createPackages({ state, clock, publish, plan, limits: config.packages });
  const batcher = createBatcher(
    {
      executor: node.executor,
      log: guard.log,
      snapshot: watch.newest,
      isOfListed: (snapshot) => firstMispriced(state.series(), snapshot) === undefined,
      cashOf: (account) => state.account(account).cash,
      observe: (effect) => {
        sealing.observe(effect);
        policies.executed(effect);
        packages.executed(effect);
        return trackers.observe(effect);
      },
      onDurable: (done) => {
        heads.note(done.records);
        sealing.onDurable(done);
        policies.durable(done);
        packages.durable(done);
      },
      fail: halt.fail,
    },
    {
      position: node.position(),
      lastTime: node.lastTime(),
      openBatch: node.openBatch(),
      endedBatch: node.endedBatch(),
      snapshot: node.snapshot(),
      isCarried: () => state.carry() !== undefined,
    },
  );
  const backlog = (): number => batches.progress().sealed - batches.progress().proven;
  const unanchored = (): number => batches.progress().proven - batches.progress().anchored;
  const isOverloaded = (): boolean =>
    backlog() >= config.backlogMax || unanchored() >= config.unanchoredMax;
  const breakers = guard.breakers({ batcher, snapshot: watch.newest, isOverloaded });
  const nextQueueId = trackers.nextQueueId();
  const liquidation = { ...DEFAULT_LIQUIDATION, ...config.liquidation };
  const { oracleGapMs: gapMs } = liquidation;
  const freshness = createFreshness({ startedAt: clock.now(), gapMs });
  const liquidator = createLiquidator({
    ...{ state, batcher, limits: liquidation, logger, snapshot: watch.newest },
    freshness: { ...freshness, allows: (...at) => !breakers.stop() && freshness.allows(...at) },
  });
  const { ladder, fees = DEFAULT_FEES, collection = DEFAULT_COLLECTION } = config;
  const keeper = { plan, ladder, fees, collection, combos: packages.combos };
  const sequencing = createSequencing({
    ...{ batcher, state, keeper, liquidator, limits, logger, backlog, nextQueueId },
    proven: () => batches.progress().proven,
    snapshot: watch.newest,
  });
  const { policy = DEFAULT_POLICY } = config;
  const admission = { policy, openInterest: trackers.openInterest.of };
  const trading = { guard, breakers, isOverloaded };
  const parts = { sealing, watch, batcher, sequencing, liquidator, admission, heads, ...trading };
  return { ...restored, ports, config, halt, listeners, policies, packages, ...parts };
}

function openIntake(core: Core): Intake {
  const { ports, config, halt, node, batcher, sequencing, liquidator, breakers } = core;
  const { isOverloaded, admission, heads, policies } = core;
  const { clock, scheduler, receiptSigner, signatures = AT_THE_DOOR } = ports;
  const intake = createIntake({
    ...{ state: node.state, batcher, sequencing, isOverloaded, admission, heads },
    ...{ clock, scheduler, receiptSigner, signatures },
    ...{ deployment: config.deployment, rate: config.rate },
    ...{ stop: breakers.stop, fail: halt.fail, assertRunning: halt.assertRunning },
    ordering: node.executor.ordering(),
    areTakeoversOpen: (now) => liquidator.isOpen(batcher.newestSnapshot(), now),
    policyRefusal: policies.refusal,
  });
  policies.open(intake);
  core.packages.open(intake);
  return intake;
}

function createService(
  core: Core,
  { submit }: Intake,
  certified: CertifiedLog | undefined,
): ExchangeService {
  const { ports, config, halt, node, trackers, batcher, batches, listeners } = core;
  const { clock } = ports;
  const { isOverloaded, admission, breakers } = core;
  const { stop, status: trading } = breakers;
  const { state } = node;
  const { domain } = config.deployment;
  const queries = createExchangeQueries({
    ...{ info: config.info, state, clock, batcher, batches, isOverloaded, admission, stop },
    ...{ ...trackers, trading, store: ports.batches },
    provenAccount: core.inputs.ledgerProof,
    announced: () => core.sequencing.announced(clock.now()),
    logHead: () => ports.log.head(),
    logPolicy: () => ports.log.policy(),
    isLogLate: core.guard.isLogLate,
    validatorsConnected: () => ports.network.peers().length,
    certification: () => certified?.status() ?? null,
    halted: () => halt.reason() ?? null,
    layerOne: () => ports.settlement.report(),
  });
  return {
    ...queries,
    policy: core.policies.service,
    packages: core.packages.service,
    log: createLogQuery({ log: ports.log, heads: core.heads, domain, signer: ports.receiptSigner }),
    submit: async (submission) => {
      halt.assertRunning();
      return submit(submission);
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function openJobs({ ports, batches, sealing }: Core): Promise<ProofJobs> {
  const { logger, network, prover } = ports;
  return ports.openProofJobs({
    from: () => batches.progress().anchored + 1,
    verify: (batch, proof) => verifyBatchProof(prover, batch, proof),
    onProof: (number) => {
      logger.info("batch proven", { number });
      sealing.publishBatches(batches.proven(number));
      network.announceProof(number);
    },
  });
}

function createPolls(core: Core): Pick<Work, "queue" | "anchor"> {
  const { ports, config, batches, sealing, sequencing, trackers } = core;
  const { settlement, clock, logger } = ports;
  return {
    queue: () => {
      const served = trackers.closes.served(batches.progress().anchored);
      return watchQueue({ settlement, sequencing, clock, served });
    },
    anchor: createAnchoring({
      ...{ settlement, batches: ports.batches, tracker: batches, clock, logger },
      certificationWaitMs: config.certificationWaitMs,
      onChange: sealing.publishBatches,
    }),
  };
}
