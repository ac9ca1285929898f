/** Puts an oracle together: its feed and key, its peers, the sequencer's series table. */
import { readFileSync } from "node:fs";
import { hexToBytes } from "@noble/hashes/utils.js";
import { createDeribitFeed } from "../oracle/deribit.ts";
import type { Feed } from "../oracle/feed.ts";
import { SAMPLE_MS } from "../oracle/indexHistory.ts";
import { createJsonFeed } from "../oracle/jsonFeed.ts";
import { createMarketSources } from "../oracle/marketView.ts";
import { createOraclePeer, createTableReader } from "../oracle/peers.ts";
import { createRecordedFeed, type Recording } from "../oracle/recordedFeed.ts";
import { RISK_PARAMETERS, type RiskParameters } from "../oracle/riskMatrix.ts";
import { startOracleServer } from "../oracle/server.ts";
import { createSettlementBook } from "../oracle/settlement.ts";
import { createSettlementFile } from "../oracle/settlementFile.ts";
import { createSigner } from "../oracle/signer.ts";
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
  const market = createMarket(file, readSecret(file), logger);
  const peers = file.peers.map(createOraclePeer);
  const oracle = createOracle(
    { clock: systemClock, logger, market, peers },
    { index, domain, oracles, quorum, intervalMs, sampleMs: SAMPLE_MS },
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

function createMarket(file: OracleFile, secret: bigint, logger: Logger): OracleMarket {
  const { apiUrl, index, deployment, settlementFile } = file;
  const { domain } = deployment;
  const { slots } = sizesOf(deployment).trade;
  const parameters = riskParameters(file);
  const { settlementWindowMs: windowMs, disputeDelayMs } = parameters;
  const sources = createMarketSources([file.feed].flat().map(createFeed));
  const store =
    settlementFile === undefined
      ? undefined
      : createSettlementFile(settlementFile, systemClock.now());
  return createSigner({
    sources,
    book: createSettlementBook({
      rules: { windowMs, disputeDelayMs },
      store,
      history: sources.average,
    }),
    readTable: createTableReader(apiUrl, slots),
    parameters,
    key: { secret, index, domain },
    onIssues: (issues) => {
      const told = issues.map(({ source, reject }) => `${source}: ${reject.code} ${reject.reason}`);
      logger.debug("market data that does not count", { issues: told });
    },
  });
}

function riskParameters({ risk }: OracleFile): RiskParameters {
  const { underlying, ...changes } = risk;
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { ...RISK_PARAMETERS[underlying], ...Object.fromEntries(given) };
}

type FeedConfig = Exclude<OracleFile["feed"], readonly unknown[]>;

function createFeed(feed: FeedConfig): Feed {
  switch (feed.kind) {
    case "recorded": {
      const { recording, startMs, speed } = feed;
      return createRecordedFeed(readJson(recording) as Recording, { startMs, speed });
    }
    case "deribit":
      return createDeribitFeed(feed);
    case "json":
      return createJsonFeed(feed);
    case "simulated": {
      const { seed, startMs, spotTicks, volatilityBps, carryBps } = feed;
      return createSimulatedFeed({
        seed,
        startMs,
        ...(spotTicks === undefined ? {} : { spotTicks }),
        ...(volatilityBps === undefined ? {} : { volatilityBps }),
        ...(carryBps === undefined ? {} : { carryBps }),
      });
    }
  }
}
