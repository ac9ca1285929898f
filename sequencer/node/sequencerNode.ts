/** Puts a sequencer together: store, layer one, validator network, proof jobs, API. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { startApi } from "../api/server.ts";
import { blockHash } from "../consensus/block.ts";
import { withMemory } from "../consensus/signing.ts";
import type { Info } from "../exchangeService.ts";
import { createLogServer } from "../gossip/logServer.ts";
import { isSignedRefusal, recoverAttester } from "../l1/attestation.ts";
import { accountOf } from "../l1/localAccount.ts";
import { createSettlementLayer } from "../l1/settlementLayer.ts";
import { createSnapshotSource } from "../oracle/peers.ts";
import type { Log, Logger, LogServer, LogSource } from "../ports.ts";
import { oracleSetHash } from "../protocol/snapshot.ts";
import { createJobServer } from "../prover/jobServer.ts";
import { createProver } from "../prover/prover.ts";
import { createSequencer, type SequencerConfig } from "../roles/sequencer.ts";
import { createSitting } from "../roles/validatorSitting.ts";
import { openStore, type Store } from "../store/store.ts";
import { ConfigError, type SequencerFile, sizesOf } from "./config.ts";
import { closeConfirmationsOf, executorDeployment, layerOneAccess } from "./deployment.ts";
import { createDigestSigner, loadPrivateKey } from "./keys.ts";
import { openOrderLog } from "./orderLog.ts";
import { realScheduler, systemClock } from "./systemClock.ts";
import { openVoteKeys, SIGNATURES_KEPT } from "./voteKeys.ts";

/** Where the others find this node: written to the data directory once it listens. */
export interface Endpoints {
  readonly apiUrl: string;
  readonly jobsUrl: string;
  readonly gossip: readonly string[];
}

export const ENDPOINTS_FILE = "endpoints.json";

export async function runSequencerNode(
  file: SequencerFile,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { deployment, vkeys } = file;
  const { chainId, rollup } = deployment;
  const receiptSigner = createDigestSigner(await loadPrivateKey(file.receiptKey, chainId));
  const operator = accountOf(await loadPrivateKey(file.operatorKey, chainId));
  const store = await openStore(file.dataDir, deployment.domain);
  const prover = createProver({ keys: verifyingKeys(vkeys), singleThread: true, logger });
  let opened: LogServer | undefined;
  let log: Log = store.log;
  // A node that stands by is found by validators only when the log is its own.
  const openNetwork = async (): Promise<void> => {
    opened = await createLogServer({ ...file.gossip, source: logSource(() => log, store), logger });
  };
  log = await openOrderLog(file, { copy: store.log, logger, signal, onOwn: openNetwork });
  const { feePerGasMax, replaceMs, ...feeLimits } = file.layerOneFees;
  const settlement = createSettlementLayer({
    ...layerOneAccess(file),
    closeConfirmations: closeConfirmationsOf(file),
    ...{ account: operator, feePerGasMax, replaceMs, feeLimits },
    ...{ values: store.values, clock: systemClock, logger, signal },
    pollMs: Math.min(file.pollMs, 1000),
  });
  let jobsUrl = "";
  const sequencer = await createSequencer(
    {
      ...{ clock: systemClock, scheduler: realScheduler, logger, settlement, prover },
      receiptSigner,
      get network() {
        if (opened === undefined) throw new Error("the validator network is not open yet");
        return opened;
      },
      ...{ log, checkpoints: store.checkpoints, batches: store.batches },
      snapshots: createSnapshotSource(file.oracleUrls, executorDeployment(deployment)),
      openProofJobs: async (handlers) => {
        const jobs = await createJobServer({
          ...file.jobs,
          ...handlers,
          batches: store.batches,
          logger,
        });
        jobsUrl = jobs.url;
        return jobs;
      },
      isSignedAttestation: async (attestation) =>
        (await recoverAttester(attestation, { chainId, rollup })) !== undefined,
      isSignedRefusal: (refusal) => isSignedRefusal(refusal, { chainId, rollup }),
    },
    sequencerConfig(file, receiptSigner.address, logger),
  ).catch((error: unknown) => {
    // A node that only stood by ends like one that has run.
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  });
  const close = async (): Promise<void> => {
    await opened?.stop();
    await prover.stop();
    await log.close();
    await store.close();
  };
  if (sequencer === undefined) return close();
  const { service } = sequencer;
  const api = await startApi({ service, clock: systemClock, logger, ...file.api });
  writeEndpoints(file.dataDir, { apiUrl: api.url, jobsUrl, gossip: opened?.addresses() ?? [] });
  try {
    await sequencer.run(signal);
  } finally {
    await api.stop();
    await sequencer.stop();
    await close();
  }
}

function sequencerConfig(
  file: SequencerFile,
  sequencer: Info["sequencer"],
  logger: Logger,
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
    operationsPerBatch: ledger.steps,
    oracles: common.oracles,
    oracleQuorum: common.quorum,
    oracleSet: oracleSetHash(common.oracles),
    fairOrder: common.fairOrder,
    sequencer,
    validators,
  };
  const { ladder, fees, collection, liquidation, policy } = file;
  const policies = { ladder, fees, collection, liquidation, policy };
  const { plan, limits, rate, checkpointEvery, certificationWaitMs } = file;
  const { backlogMax, unanchoredMax } = file;
  const { tickMs, pollMs } = file;
  const times = { checkpointEvery, certificationWaitMs, tickMs, pollMs };
  const { endsPause = null, provingMax, ...breakers } = file.breakers;
  const proving = provingMax === undefined ? {} : { provingMax };
  const bounds = {
    ...{ limits, rate, backlogMax, unanchoredMax },
    breakers: { ...breakers, ...proving, endsPause },
  };
  const certification = certificationOf(file, common, logger);
  return { deployment: common, info, plan, certification, ...bounds, ...times, ...policies };
}

/** Whom the sequencer believes that its log is final. */
function certificationOf(
  { certification, validators: members }: SequencerFile,
  deployment: SequencerConfig["deployment"],
  logger: Logger,
): SequencerConfig["certification"] {
  if (certification === undefined) return undefined;
  const { epoch, peers } = certification;
  if (peers.length !== members.length) {
    throw new ConfigError("`certification.peers` must name as many as `validators`");
  }
  const { validators, genesis } = createSitting(deployment, { epoch, members });
  // Members report the same block, each with the same signatures.
  const verify = withMemory(openVoteKeys(logger).verify, SIGNATURES_KEPT);
  return { rules: { validators, genesis: blockHash(genesis), verify }, peers };
}

/** What validators read: the log, and each batch that has a proof. */
function logSource(log: () => Log, { batches }: Store): LogSource {
  return {
    record: (from) => log().read(from),
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
