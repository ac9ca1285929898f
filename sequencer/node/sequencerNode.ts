/** Puts a sequencer together: store, layer one, validator network, proof jobs, API. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { startApi } from "../api/server.ts";
import type { Info } from "../exchangeService.ts";
import { createLogServer } from "../gossip/logServer.ts";
import { recoverAttester } from "../l1/attestation.ts";
import { accountOf } from "../l1/localAccount.ts";
import { createSettlementLayer } from "../l1/settlementLayer.ts";
import { createSnapshotSource } from "../oracle/peers.ts";
import type { Logger, LogSource } from "../ports.ts";
import { oracleSetHash } from "../protocol/snapshot.ts";
import { createJobServer } from "../prover/jobServer.ts";
import { createProver } from "../prover/prover.ts";
import { createSequencer, type SequencerConfig } from "../roles/sequencer.ts";
import { openStore, type Store } from "../store/store.ts";
import { type SequencerFile, sizesOf } from "./config.ts";
import { executorDeployment, layerOneAccess } from "./deployment.ts";
import { createDigestSigner, loadPrivateKey } from "./keys.ts";
import { systemClock } from "./systemClock.ts";

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
  const network = await createLogServer({
    ...file.gossip,
    source: logSource(store),
    logger,
  });
  const { feePerGasMax, replaceMs, ...feeLimits } = file.layerOneFees;
  const settlement = createSettlementLayer({
    ...layerOneAccess(file),
    ...{ account: operator, feePerGasMax, replaceMs, feeLimits },
    ...{ values: store.values, clock: systemClock, logger, signal },
    pollMs: Math.min(file.pollMs, 1000),
  });
  let jobsUrl = "";
  const sequencer = await createSequencer(
    {
      ...{ clock: systemClock, logger, settlement, network, prover, receiptSigner },
      ...{ log: store.log, checkpoints: store.checkpoints, batches: store.batches },
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
    },
    sequencerConfig(file, receiptSigner.address),
  );
  const { service } = sequencer;
  const api = await startApi({ service, clock: systemClock, logger, ...file.api });
  writeEndpoints(file.dataDir, { apiUrl: api.url, jobsUrl, gossip: network.addresses() });
  try {
    await sequencer.run(signal);
  } finally {
    await api.stop();
    await sequencer.stop();
    await network.stop();
    await prover.stop();
    await store.close();
  }
}

function sequencerConfig(file: SequencerFile, sequencer: Info["sequencer"]): SequencerConfig {
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
    sequencer,
    validators,
  };
  const { ladder, fees, collection, liquidation, policy } = file;
  const policies = { ladder, fees, collection, liquidation, policy };
  const { plan, limits, rate, checkpointEvery, certificationWaitMs } = file;
  const { backlogMax, unanchoredMax } = file;
  const { tickMs, pollMs } = file;
  const times = { checkpointEvery, certificationWaitMs, tickMs, pollMs };
  const bounds = { limits, rate, backlogMax, unanchoredMax };
  return { deployment: common, info, plan, ...bounds, ...times, ...policies };
}

/** What validators read: the log, and each batch that has a proof. */
function logSource({ log, batches }: Store): LogSource {
  return {
    record: (from) => log.read(from),
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
