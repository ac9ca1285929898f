/** Puts an oracle together: its feed and key, its peers, the sequencer's series table. */
import { readFileSync } from "node:fs";
import { hexToBytes } from "@noble/hashes/utils.js";
import type { Feed } from "../oracle/feed.ts";
import { createOraclePeer, createTableReader } from "../oracle/peers.ts";
import {
  assembleSnapshot,
  checkProposal,
  DEFAULT_TOLERANCE,
  proposalFromJson,
  proposalToSlots,
  propose,
  signSnapshot,
} from "../oracle/proposal.ts";
import { createRecordedFeed, type Recording } from "../oracle/recordedFeed.ts";
import { DEFAULT_RISK_PARAMETERS } from "../oracle/riskMatrix.ts";
import { startOracleServer } from "../oracle/server.ts";
import { createSimulatedFeed } from "../oracle/simulatedFeed.ts";
import type { Logger } from "../ports.ts";
import { publicKeyOf, secretFromSeed } from "../protocol/eddsa.ts";
import { createOracle, type OracleMarket } from "../roles/oracle.ts";
import { ConfigError, type OracleFile, readJson, sizesOf } from "./config.ts";
import { systemClock } from "./systemClock.ts";

export async function runOracleNode(
  file: OracleFile,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { deployment, index, intervalMs, port } = file;
  const { domain, oracles } = deployment;
  const { quorum } = sizesOf(deployment).trade;
  const market = createMarket(file, readSecret(file));
  const peers = file.peers.map(createOraclePeer);
  const oracle = createOracle(
    { clock: systemClock, logger, market, peers },
    { index, domain, oracles, quorum, intervalMs },
  );
  const server = await startOracleServer({ service: oracle, logger, port });
  logger.info("oracle started", { url: server.url, index });
  try {
    await oracle.run(signal);
  } finally {
    await server.stop();
  }
}

function readSecret({ secretFile, index, deployment }: OracleFile): bigint {
  let text: string;
  try {
    text = readFileSync(secretFile, "utf8").trim();
  } catch (error) {
    throw new ConfigError(`\`secretFile\` cannot be read: ${(error as Error).message}`);
  }
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new ConfigError(`\`${secretFile}\` must hold 64 hex digits`);
  }
  const secret = secretFromSeed(hexToBytes(text));
  const expected = deployment.oracles[index];
  const key = publicKeyOf(secret);
  if (key.x !== expected?.x || key.y !== expected.y) {
    throw new ConfigError(`the key in \`${secretFile}\` is not that of oracle \`${index}\``);
  }
  return secret;
}

/** The series table is read after the proposal's time is taken: it has every listing before. */
function createMarket(file: OracleFile, secret: bigint): OracleMarket {
  const { apiUrl, index, deployment } = file;
  const { domain } = deployment;
  const { slots } = sizesOf(deployment).trade;
  const readTable = createTableReader(apiUrl, slots);
  const feed = createFeed(file);
  const parameters = DEFAULT_RISK_PARAMETERS;
  return {
    propose: async (now) => propose(feed, await readTable(), now),
    review: async (value, now) => {
      const proposal = proposalFromJson(value);
      const table = await readTable();
      const market = await feed.read(proposal.time, table);
      const reason = checkProposal(proposal, { now, table, market }, DEFAULT_TOLERANCE);
      if (reason !== undefined) return { reason };
      const snapshot = { time: proposal.time, slots: proposalToSlots(proposal, parameters) };
      return { signature: signSnapshot(secret, index, domain, snapshot) };
    },
    assemble: (value, signatures) =>
      assembleSnapshot({ proposal: proposalFromJson(value), parameters, signatures }),
  };
}

function createFeed({ feed }: OracleFile): Feed {
  if (feed.kind === "recorded") {
    const { recording, startMs, speed } = feed;
    return createRecordedFeed(readJson(recording) as Recording, { startMs, speed });
  }
  const { seed, startMs, spotTicks, volatilityBps, carryBps } = feed;
  return createSimulatedFeed({
    seed,
    startMs,
    ...(spotTicks === undefined ? {} : { spotTicks }),
    ...(volatilityBps === undefined ? {} : { volatilityBps }),
    ...(carryBps === undefined ? {} : { carryBps }),
  });
}
