/** Puts a sequencer together: store, layer one, validator network, proof jobs, API. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { startApi } from "../api/server.ts";
import { withMemory } from "../consensus/signing.ts";
import { rulesOf } from "../consensus/verification.ts";
import type { Info } from "../exchangeService.ts";
import { createLogServer } from "../gossip/logServer.ts";
import { isSignedRefusal, recoverAttester } from "../l1/attestation.ts";
import { isSignedScope } from "../l1/keyScope.ts";
import { accountOf } from "../l1/localAccount.ts";
import { createSettlementLayer } from "../l1/settlementLayer.ts";
import type { Watched } from "../metrics/watch.ts";
import { createSnapshotSource } from "../oracle/peers.ts";
import type { Log, Logger, LogSource } from "../ports.ts";
import { oracleSetHash } from "../protocol/snapshot.ts";
import { createJobServer } from "../prover/jobServer.ts";
import { createProver } from "../prover/prover.ts";
import { type Certification, CertifiedLogError } from "../roles/certifiedLog.ts";
import { pause } from "../roles/loop.ts";
import { createSequencer, type Sequencer } from "../roles/sequencer.ts";
import type { SequencerConfig } from "../roles/sequencerConfig.ts";
import { TurnOverError } from "../roles/termLog.ts";
import { createSitting, sittingValidators } from "../roles/validatorSitting.ts";
import { openStore, type Store } from "../store/store.ts";
import { openInputWorker } from "../threads/inputWorker.ts";
import { openSignatureWorker } from "../threads/signatureWorker.ts";
import { ConfigError, type SequencerFile, sizesOf } from "./config.ts";
import { closeConfirmationsOf, executorDeployment, layerOneAccess } from "./deployment.ts";
import { readHandover } from "./handoverFile.ts";
import { createDigestSigner, loadPrivateKey } from "./keys.ts";
import { openOrderLog } from "./orderLog.ts";
import { openReceiptSigner } from "./receiptSigner.ts";
import { holdToSitting } from "./sittingOfLog.ts";
import { realScheduler, systemClock } from "./systemClock.ts";
import { openVoteKeys, SIGNATURES_KEPT } from "./voteKeys.ts";

/** Where the others find this node: written to the data directory once it listens. */
export interface Endpoints {
  readonly apiUrl: string;
  readonly jobsUrl: string;
  readonly gossip: readonly string[];
}

export const ENDPOINTS_FILE = "endpoints.json";

/** How long what is under way may take to be certified when the node is told to end (ms). */
const STOP_MS_MAX = 3_000;

/** Where the sequencer moves with the leader, it stands by, writes in its turn, and so on. */
export async function runSequencerNode(
  file: SequencerFile,
  parts: Watched,
  signal: AbortSignal,
): Promise<void> {
  const { logger } = parts;
  if (file.log.engine !== "simplex") return runOnce(file, parts, signal);
  while (!signal.aborted) {
    try {
      await runOnce(file, parts, signal);
    } catch (error) {
      const isPassing = error instanceof TurnOverError || error instanceof CertifiedLogError;
      if (!isPassing) throw error;
      logger.info("stands by again", { reason: error.message });
    }
  }
}

async function runOnce(file: SequencerFile, parts: Watched, outer: AbortSignal): Promise<void> {
  const { logger, watch } = parts;
  const ending = new AbortController();
  const signal = AbortSignal.any([outer, ending.signal]);
  const { deployment, vkeys } = file;
  const { chainId, rollup } = deployment;
  const receiptKey = await loadPrivateKey(file.receiptKey, chainId);
  const operator = accountOf(await loadPrivateKey(file.operatorKey, chainId));
  const store = await openStore(file.dataDir, deployment.domain);
  const prover = createProver({ keys: verifyingKeys(vkeys), singleThread: true, logger });
  const network = openNetwork(file, store, logger);
  const signatures = file.threads ? openSignatureWorker(logger) : undefined;
  const receiptWorker = file.threads ? openReceiptSigner(receiptKey, logger) : undefined;
  const receiptSigner = receiptWorker ?? createDigestSigner(receiptKey);
  const close = async (): Promise<void> => {
    await signatures?.stop();
    await receiptWorker?.stop();
    await network.opened()?.stop();
    await prover.stop();
    await store.close();
  };
  try {
    const sitting = sittingOf(file, logger);
    if (file.log.engine === "simplex") {
      await holdToSitting(store, { session: sessionOf(file), beginning: sitting?.beginning });
    }
    const { log, waiting } = await openOrderLog(file, {
      ...{ store, logger, signal, onOwn: network.own, openDesk: network.desk },
    });
    network.serve(waiting === undefined ? log : store.log);
    const { feePerGasMax, replaceMs, ...feeLimits } = file.layerOneFees;
    const settlement = createSettlementLayer({
      ...layerOneAccess(file),
      closeConfirmations: closeConfirmationsOf(file),
      ...{ account: operator, feePerGasMax, replaceMs, feeLimits },
      batchesTogether: file.batchesTogether,
      ...{ values: store.values, clock: systemClock, logger, signal },
      pollMs: Math.min(file.pollMs, 1000),
    });
    let jobsUrl = "";
    const sequencer = await createSequencer(
      {
        ...{ clock: systemClock, scheduler: realScheduler, logger, settlement, prover },
        receiptSigner,
        get network() {
          const opened = network.opened();
          if (opened === undefined) throw new Error("the validator network is not open yet");
          return opened;
        },
        ...{ log, checkpoints: store.checkpoints, batches: store.batches },
        accounts: store.accounts,
        snapshots: createSnapshotSource(file.oracleUrls, executorDeployment(deployment)),
        ...(signatures && { openInputs: openInputWorker, signatures }),
        openProofJobs: async (handlers) => {
          const { batches } = store;
          const jobs = await createJobServer({ ...file.jobs, ...handlers, batches, logger });
          jobsUrl = jobs.url;
          return jobs;
        },
        isSignedAttestation: async (attestation) =>
          (await recoverAttester(attestation, { chainId, rollup })) !== undefined,
        isSignedRefusal: (refusal) => isSignedRefusal(refusal, { chainId, rollup }),
        isSignedScope,
      },
      sequencerConfig(file, receiptSigner.address, {
        ...{ sitting, waiting: waiting && { ...waiting, log: store.log } },
      }),
    );
    try {
      // Nobody is told of a state that another turn could still begin without.
      await waiting?.begun();
      const gossip = network.opened()?.addresses() ?? [];
      const endpoints = { jobsUrl, gossip };
      await serve(file, { sequencer, endpoints, logger, watch, signal });
    } finally {
      const stopped = sequencer.stop();
      // What validators have not certified by then they may never: without a quorum nobody waits.
      if (waiting !== undefined) await Promise.race([stopped, pause(STOP_MS_MAX, ending.signal)]);
      else await stopped;
      await log.close();
      await stopped;
    }
  } catch (error) {
    // A node that only stood by ends like one that has run.
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    ending.abort();
    await close();
  }
}

async function serve(
  file: SequencerFile,
  parts: {
    readonly sequencer: Sequencer;
    readonly endpoints: Omit<Endpoints, "apiUrl">;
    readonly logger: Logger;
    readonly watch: Watched["watch"];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { sequencer, endpoints, logger, signal } = parts;
  const measured = parts.watch?.(sequencer.service);
  const { service, onCall } = measured ?? { service: sequencer.service };
  const site = file.web && { ...file.web, vkeys: file.vkeys };
  try {
    const api = await startApi({ service, clock: systemClock, logger, ...file.api, site, onCall });
    try {
      writeEndpoints(file.dataDir, { apiUrl: api.url, ...endpoints });
      await sequencer.run(signal);
    } finally {
      await api.stop();
    }
  } finally {
    measured?.stop();
  }
}

/** The validator network: open when the log is this node's, or as soon as a member must find it. */
function openNetwork(file: SequencerFile, store: Store, logger: Logger) {
  let opened: Awaited<ReturnType<typeof createLogServer>> | undefined;
  let shown: Pick<Log, "read"> | undefined;
  let isOwn = false;
  const source = logSource(() => (isOwn ? shown : undefined), store);
  const open = async (member?: string) => {
    opened ??= await createLogServer({ ...file.gossip, source, member, logger });
    return opened;
  };
  return {
    opened: () => opened,
    /** Validators are shown the log from here on: what they hear of is this node's to write. */
    own: async (): Promise<void> => {
      isOwn = true;
      // Whoever has connected before waits for news.
      (await open()).announce(0);
    },
    serve: (log: Pick<Log, "read">): void => {
      shown = log;
      opened?.announce(0);
    },
    desk: async (member: string) => {
      const { leadDesk, announce } = await open(member);
      if (leadDesk === undefined) throw new Error("the network has no desk for the member");
      return { desk: leadDesk, announce };
    },
  };
}

function sequencerConfig(
  file: SequencerFile,
  sequencer: Info["sequencer"],
  certifying: Certifying,
): SequencerConfig {
  const { deployment, market, validators } = file;
  const { trade, ledger } = sizesOf(deployment);
  const common = executorDeployment(deployment);
  const info: Info = {
    name: "straddle",
    version: packageJson.version,
    protocol: 1,
    chainId: deployment.chainId,
    rollup: deployment.rollup,
    token: deployment.token,
    tokenDecimals: 6,
    domain: deployment.domain,
    shape: common.shape,
    ...market,
    stepsPerBatch: trade.steps,
    fillsPerBatch: trade.fills,
    operationsPerBatch: ledger.steps,
    oracles: common.oracles,
    oracleQuorum: common.quorum,
    oracleSet: oracleSetHash(common.oracles),
    fairOrder: common.fairOrder,
    sequencer,
    ...(file.receiptSigners && { receiptSigners: file.receiptSigners }),
    validators,
  };
  const { ladder, fees, collection, liquidation, policy, packages } = file;
  const policies = { ladder, fees, collection, liquidation, policy, packages };
  const { plan, limits, rate, checkpointEvery, certificationWaitMs } = file;
  const { backlogMax, unanchoredMax } = file;
  const { tickMs, pollMs } = file;
  const times = { checkpointEvery, certificationWaitMs, tickMs, pollMs };
  const { endsPause = null, provingMax, ...breakers } = boundsOf(file);
  const proving = provingMax === undefined ? {} : { provingMax };
  const bounds = {
    ...{ limits, rate, backlogMax, unanchoredMax },
    breakers: { ...breakers, ...proving, endsPause },
  };
  const certification = certificationOf(file, common, certifying);
  return { deployment: common, info, plan, certification, ...bounds, ...times, ...policies };
}

/** Where certification makes records durable, an append lasts as long as that may. */
function boundsOf({ log, breakers }: SequencerFile): SequencerFile["breakers"] {
  if (log.engine !== "simplex") return breakers;
  const floorMs = Math.max(breakers.append.floorMs, SIMPLEX_APPEND_MS_MIN);
  const ceilingMs = Math.max(breakers.append.ceilingMs, floorMs);
  return { ...breakers, append: { ...breakers.append, floorMs, ceilingMs } };
}

/** Longer than a term lasts that makes nothing final. */
const SIMPLEX_APPEND_MS_MIN = 5_000;

interface Certifying extends Pick<Certification, "waiting"> {
  readonly sitting: ReturnType<typeof sittingOf>;
}

/** Whom the sequencer believes that its log is final. */
function certificationOf(
  { certification, validators: members }: SequencerFile,
  deployment: SequencerConfig["deployment"],
  { waiting, sitting }: Certifying,
): Certification | undefined {
  if (certification === undefined || sitting === undefined) return undefined;
  const { epoch, peers } = certification;
  if (peers.length !== members.length) {
    throw new ConfigError("`certification.peers` must name as many as `validators`");
  }
  const { validators, genesis } = createSitting(deployment, { epoch, members }, sitting.beginning);
  // Members report the same block, each with the same signatures.
  const verify = withMemory(sitting.verify, SIGNATURES_KEPT);
  return { rules: rulesOf(validators, genesis, verify), peers, ...(waiting && { waiting }) };
}

/** How the votes of those who certify the log are checked, and where they begin. */
function sittingOf({ certification, deployment: { domain } }: SequencerFile, logger: Logger) {
  if (certification === undefined) return undefined;
  const { epoch, handover } = certification;
  const { verify } = openVoteKeys(logger);
  return { verify, beginning: readHandover(handover, { domain, epoch, verify }) };
}

/** Of the sitting whose members the sequencer moves between. */
function sessionOf({ certification, validators: members, deployment }: SequencerFile): string {
  const { epoch } = certification ?? { epoch: 0 };
  return sittingValidators(deployment.domain, { epoch, members }).session;
}

/** What validators read: the log, and each batch that has a proof. */
function logSource(log: () => Pick<Log, "read"> | undefined, { batches }: Store): LogSource {
  return {
    record: async function* (from) {
      yield* log()?.read(from) ?? [];
    },
    proofOf: async (number) => {
      const proof = await batches.proof(number);
      const batch = proof === undefined ? undefined : await batches.sealed(number);
      return proof && batch && { words: batch.words, proof };
    },
  };
}

/** Only verification is done here, so there are no proving keys. */
export function verifyingKeys(vkeys: { readonly trade: string; readonly ledger: string }) {
  const none = { wasm: "", zkey: "" };
  return { trade: { ...none, vkey: vkeys.trade }, ledger: { ...none, vkey: vkeys.ledger } };
}

function writeEndpoints(directory: string, endpoints: Endpoints): void {
  mkdirSync(directory, { recursive: true });
  const text = `${JSON.stringify(endpoints, null, 2)}\n`;
  writeFileSync(path.join(directory, ENDPOINTS_FILE), text);
}
