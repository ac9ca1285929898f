/** Configuration files of the roles: JSON, checked here, and nowhere else. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import instances from "../../circuits/instances.json" with { type: "json" };
import { DEFAULT_POLICY } from "../engine/admission.ts";
import { BATCHES_TOGETHER } from "../l1/batchCall.ts";
import { CLOSE_CONFIRMATIONS } from "../l1/queueReader.ts";
import { DEFAULT_PACKAGE_LIMITS } from "../protocol/blockRfq.ts";
import { BATCHES_TOGETHER_MAX } from "../protocol/constants.ts";
import { BUMP_MS_MAX, DEFAULT_FAIR_ORDER, ROUND_MS_MAX } from "../protocol/fairOrder.ts";
import { COMBINATIONS } from "../roles/combinations.ts";
import { DEFAULT_FEES } from "../roles/feeSchedule.ts";
import { DEFAULT_COLLECTION } from "../roles/keeper.ts";
import { DEFAULT_LIQUIDATION } from "../roles/liquidator.ts";
import { DEFAULT_LADDER } from "../roles/listingLadder.ts";
import { breakers } from "./breakerConfig.ts";
import { peerId, sequencerCertification, validatorCertification } from "./certificationConfig.ts";
import { feed, risk } from "./feedConfig.ts";

/** A configuration that cannot be used; the text says what to change. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

const hexAddress = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "must be 0x and 40 hex digits")
  .transform((text) => text as `0x${string}`);
const decimal = z
  .string()
  .regex(/^[0-9]{1,78}$/, "must be a decimal number in quotes")
  .transform(BigInt);
const seed = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits");
/** Several, where the sequencer moves: one of them serves at a time. */
const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1)]);
const port = z.int().min(0).max(65535);
const ms = z.int().min(1);
const file = z.string().min(1);

/** As `npm run deploy` writes it; other fields of the file are for other readers. */
const deployment = z.object({
  chainId: z.int().min(1),
  instance: z.enum(Object.keys(instances.trade) as [keyof typeof instances.trade]),
  rollup: hexAddress,
  token: hexAddress,
  oracles: z.array(z.object({ x: decimal, y: decimal })).min(1),
  domain: decimal,
  block: z.int().min(0),
  /** By which every node executes: validators refuse a log that is ordered by another one. */
  fairOrder: z
    .strictObject({
      roundMs: z.int().min(0).max(ROUND_MS_MAX).default(DEFAULT_FAIR_ORDER.roundMs),
      bumpMs: z.int().min(0).max(BUMP_MS_MAX).default(DEFAULT_FAIR_ORDER.bumpMs),
    })
    .refine(({ roundMs, bumpMs }) => roundMs > 0 || bumpMs === 0, "`bumpMs` needs a `roundMs`")
    .prefault({}),
});

/** Where a secp256k1 key comes from. Development accounts are refused off local chains. */
const key = z.union([
  z.strictObject({ development: z.int().min(0).max(99) }),
  /** Without a file the password is asked for. */
  z.strictObject({ keystore: file, passwordFile: file.optional() }),
]);

const vkeys = z.strictObject({ trade: file, ledger: file });
const circuitFiles = z.strictObject({ wasm: file, zkey: file, vkey: file });
/** `witness`: circom's C++ calculator of the circuit, where there is one. */
const provingFiles = circuitFiles.extend({ witness: file.optional() });
const chainAccess = {
  deployment,
  rpcUrl: z.url(),
  /**
   * Blocks on top of a queue event before it counts, or what the chain calls final: on rollups 64
   * blocks are some seconds. Endpoints must then know the contract's numbers at that block.
   */
  confirmations: z.union([z.int().min(0).max(64), z.literal("finalized")]).default(1),
  /** A second endpoint, of another provider: where the two disagree, nothing is read or sent. */
  witnessUrl: z.url().optional(),
  /** Blocks by which one of them may be behind the other. */
  headLagMax: z.int().min(0).default(8),
  /** Age at which the newest block is stale; absent on chains that mine on demand. */
  headAgeMsMax: ms.optional(),
};

const plan = z.strictObject({
  series: z.array(
    z.strictObject({
      slot: z.int().min(0).max(63),
      isCall: z.boolean(),
      strike: z.int().min(0),
      expiry: z.int().min(1),
    }),
  ),
  books: z.array(
    z.strictObject({
      book: z.int().min(0),
      legs: z.array(z.tuple([z.int().min(0).max(63), z.int().min(-8).max(7)])).min(1),
      /** Ticks for each lot; those of `fees` where absent. A negative maker's is a rebate. */
      fees: z
        .strictObject({ taker: z.int().min(0).max(65_535), maker: z.int().max(65_535) })
        .refine(({ taker, maker }) => -maker <= taker, "a rebate is at most the taker's fee")
        .optional(),
    }),
  ),
});

const ladder = z.strictObject({
  dailies: z.int().min(0).max(7).default(DEFAULT_LADDER.dailies),
  weeklies: z.int().min(0).max(8).default(DEFAULT_LADDER.weeklies),
  monthlies: z.int().min(0).max(12).default(DEFAULT_LADDER.monthlies),
  minimumSeconds: z.int().min(60).default(DEFAULT_LADDER.minimumSeconds),
  widthSigmas: z.number().positive().max(5).default(DEFAULT_LADDER.widthSigmas),
  stepSigmas: z.number().positive().max(5).default(DEFAULT_LADDER.stepSigmas),
  strikesPerSideMax: z.int().min(0).max(32).default(DEFAULT_LADDER.strikesPerSideMax),
  /** The underlying's price in ticks while no marks tell it. */
  startTicks: z.int().min(1),
  startVolatility: z.number().positive().max(10).default(DEFAULT_LADDER.startVolatility),
  slotsMax: z.int().min(1).max(64).default(DEFAULT_LADDER.slotsMax),
  spareSlots: z.int().min(0).max(64).default(DEFAULT_LADDER.spareSlots),
  combinations: z.array(z.enum(COMBINATIONS)).default([...DEFAULT_LADDER.combinations]),
  combinationsMax: z.int().min(0).default(DEFAULT_LADDER.combinationsMax),
});

const ppm = z.int().min(-100_000).max(100_000);
const feeRate = z
  .strictObject({ takerPpm: ppm.min(0), makerPpm: ppm })
  .refine(({ takerPpm, makerPpm }) => -makerPpm <= takerPpm, "a rebate is at most the taker's fee");

/** What makes a venue out of the protocol; every part has a default. */
const policies = {
  plan: plan.default({ series: [], books: [] }),
  /** What is listed as the market moves. */
  ladder: ladder.optional(),
  /** Parts per million of the underlying for each contract. */
  fees: z
    .strictObject({ plain: feeRate, combination: feeRate })
    .default({ plain: DEFAULT_FEES.plain, combination: DEFAULT_FEES.combination }),
  collection: z
    .strictObject({
      threshold: z.int().min(1).default(DEFAULT_COLLECTION.threshold),
      everyBatches: z.int().min(1).default(DEFAULT_COLLECTION.everyBatches),
    })
    .prefault({}),
  liquidation: z
    .strictObject({
      stepsPerBatch: z.int().min(1).default(DEFAULT_LIQUIDATION.stepsPerBatch),
      retryMs: ms.default(DEFAULT_LIQUIDATION.retryMs),
      oracleGapMs: ms.default(DEFAULT_LIQUIDATION.oracleGapMs),
    })
    .prefault({}),
  policy: z
    .strictObject({
      positionLimit: z.int().min(1).default(DEFAULT_POLICY.positionLimit),
      openInterestLimit: z.int().min(1).default(DEFAULT_POLICY.openInterestLimit),
      bandMoves: z.number().min(0).default(DEFAULT_POLICY.bandMoves),
      bandTicks: z.int().min(0).default(DEFAULT_POLICY.bandTicks),
    })
    .prefault({}),
  /** Requests for quotes, blocks and books on demand: ms, lots of a book, books, books an hour. */
  packages: z
    .strictObject({
      lifeMs: ms.max(3_600_000).default(DEFAULT_PACKAGE_LIMITS.lifeMs),
      graceMs: z.int().min(0).max(60_000).default(DEFAULT_PACKAGE_LIMITS.graceMs),
      rfqLotsMin: z.int().min(1).default(DEFAULT_PACKAGE_LIMITS.rfqLotsMin),
      blockLotsMin: z.int().min(1).default(DEFAULT_PACKAGE_LIMITS.blockLotsMin),
      combosMax: z.int().min(0).max(2048).default(DEFAULT_PACKAGE_LIMITS.combosMax),
      combosPerHour: z.int().min(1).max(3600).default(DEFAULT_PACKAGE_LIMITS.combosPerHour),
    })
    .prefault({}),
};

/** Where the order log lives. */
const log = z
  .discriminatedUnion("engine", [
    z.strictObject({ engine: z.literal("embedded") }),
    z
      .strictObject({
        engine: z.literal("jetstream"),
        /** Addresses of NATS servers, host:port. */
        servers: z.array(z.string().min(1)).min(1),
        replicas: z.union([z.literal(3), z.literal(5)]).default(3),
        /** Name of the stream; by default it follows from the deployment. */
        stream: z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,64}$/, "letters, digits, _ and -")
          .optional(),
        /** HTTP monitoring addresses of all servers: how they sync is told nowhere else. */
        monitors: z.array(z.url()).default([]),
        /** How long the outcome of a write may stay unknown: longer than an election of theirs. */
        patienceMs: z.int().min(10_000).default(15_000),
        /** After so long without a write an empty one shows that the log can be written. */
        probeMs: ms.default(1000),
        /** Absent: the node writes at once. Else it follows, and writes after so long a silence. */
        standby: z.strictObject({ takeoverMs: ms.default(3000) }).optional(),
      })
      .refine(
        ({ standby, probeMs }) => standby === undefined || standby.takeoverMs >= 2 * probeMs,
        "`standby.takeoverMs` must be twice `probeMs` at least",
      ),
    z.strictObject({
      engine: z.literal("simplex"),
      /** Peer id of the validator whose sequencer this is: it writes when that one leads. */
      member: peerId,
    }),
  ])
  .default({ engine: "embedded" });

/** Figures for Prometheus, and whether the process is ready. Absent: no port is opened. */
const metrics = z
  .strictObject({
    port,
    host: z.string().default("127.0.0.1"),
    /** How this process is called in the figures; its role where absent. */
    name: z.string().max(64).optional(),
  })
  .optional();

const sequencerFields = z.strictObject({
  ...chainAccess,
  metrics,
  log,
  /** The same as `confirmations` for closes; 64 where absent, on local chains none. */
  closeConfirmations: z.int().min(0).max(CLOSE_CONFIRMATIONS).optional(),
  dataDir: file,
  api: z.strictObject({ port, origins: z.array(z.string()).default([]) }),
  /**
   * The web terminal at the API's port: the folder that `npm run web` builds, and layer one's RPC
   * as browsers reach it. Absent: none is served.
   */
  web: z.strictObject({ folder: file, layerOneUrl: z.url().optional() }).optional(),
  jobs: z.strictObject({ port, token: z.string().min(16) }),
  gossip: z.strictObject({ listen: z.string().startsWith("/"), seed }),
  oracleUrls: z.array(z.url()).min(1),
  validators: z.array(hexAddress),
  operatorKey: key,
  receiptKey: key,
  /** Addresses whose receipts count; where the sequencer moves, those of all of them. */
  receiptSigners: z.array(hexAddress).min(1).optional(),
  vkeys,
  ...policies,
  market: z.strictObject({
    underlying: z.string().min(1),
    tickSize: z.int().min(1),
    lotsPerContract: z.int().min(1),
  }),
  limits: z
    .strictObject({
      batchAgeMs: ms.default(1500),
      batchAgeMsMax: ms.default(20_000),
      ledgerDelayMs: ms.default(1000),
      snapshotRenewMs: ms.default(15_000),
      idleBacklog: z.int().min(1).default(1),
    })
    .prefault({}),
  rate: z
    .strictObject({
      perSecond: z.number().positive().default(20),
      burst: z.number().min(1).default(50),
    })
    .prefault({}),
  backlogMax: z.int().min(1).default(8),
  unanchoredMax: z.int().min(1).default(256),
  breakers,
  /** What batches may cost on layer one; beyond it they wait. Wei, in quotes. */
  layerOneFees: z
    .strictObject({
      feePerGasMax: decimal.optional(),
      /** One ether, and five. */
      weiPerHour: decimal.default(10n ** 18n),
      weiPerDay: decimal.default(5n * 10n ** 18n),
      /** After so long without inclusion a transaction is replaced. */
      replaceMs: ms.default(60_000),
    })
    .prefault({}),
  /** Proven batches that go to layer one in one transaction at most; 1: each by itself. */
  batchesTogether: z.int().min(1).max(BATCHES_TOGETHER_MAX).default(BATCHES_TOGETHER),
  /** Whether inputs of proofs, signatures, receipts and hashes have threads; else one does all. */
  threads: z.boolean().default(true),
  checkpointEvery: z.int().min(1).default(16),
  certificationWaitMs: ms.default(30_000),
  /** Absent: `certified` is what two thirds of the validators have attested. */
  certification: sequencerCertification.optional(),
  tickMs: ms.default(50),
  pollMs: ms.default(500),
});

const MOVING_ONLY =
  "`certification.handover` and `until` are for sequencers that move with the leader: elsewhere " +
  "the next `epoch` certifies the log from its first record";

const sequencer = sequencerFields.refine(
  ({ certification, log }) => log.engine === "simplex" || certification?.handover === undefined,
  MOVING_ONLY,
);

const validatorFields = z.strictObject({
  ...chainAccess,
  metrics,
  dataDir: file,
  /**
   * Multiaddr of the sequencer, with its peer id. Where it moves with the leader (`simplex`), those
   * of all validators' sequencers, in the order of `certification.validators`.
   */
  sequencer: oneOrMore(z.string().startsWith("/")),
  /** Absent: the validator attests batches and certifies nothing. */
  certification: validatorCertification.optional(),
  seed,
  key,
  vkeys,
  queueWaitMs: ms.default(60_000),
  clockSkewMs: ms.default(10_000),
  checkpointEvery: z.int().min(1).default(16),
  resendMs: ms.default(30_000),
  pollMs: ms.default(2000),
});

const validator = validatorFields.refine(({ certification, sequencer: followed }) => {
  const { handover, until } = certification ?? {};
  return typeof followed !== "string" || (handover ?? until) === undefined;
}, MOVING_ONLY);

const prover = z.strictObject({
  metrics,
  jobs: z.strictObject({ url: oneOrMore(z.url()), token: z.string().min(16) }),
  keys: z.strictObject({ trade: provingFiles, ledger: provingFiles }),
  /** rapidsnark's program, which proves in place of snarkjs. */
  rapidsnark: file.optional(),
});

const oracle = z.strictObject({
  deployment,
  metrics,
  /** Place in the deployment's oracle set. */
  index: z.int().min(0),
  /** Secret of the signing key, 64 hex digits in a file that only its owner reads. */
  secretFile: file,
  port,
  peers: z.array(z.url()),
  /** The sequencer's public API, for the series table. */
  apiUrl: oneOrMore(z.url()),
  /** One source, or several, of which most must agree. */
  feed: z.union([feed, z.array(feed).min(1).max(16)]),
  /** Samples and settlement prices that outlive the process; without it they do not. */
  settlementFile: file.optional(),
  /** The same for every oracle of a market. */
  risk: risk.prefault({}),
  intervalMs: ms.default(3000),
});

const SCHEMAS = { sequencer, validator, prover, oracle } as const;

export type Role = keyof typeof SCHEMAS;
export const ROLES = Object.keys(SCHEMAS) as readonly Role[];

export type ConfigFile<R extends Role> = z.output<(typeof SCHEMAS)[R]>;
export type SequencerFile = z.output<typeof sequencer>;
export type ValidatorFile = z.output<typeof validator>;
export type ProverFile = z.output<typeof prover>;
export type OracleFile = z.output<typeof oracle>;
export type DeploymentFile = z.output<typeof deployment>;
export type KeySource = z.output<typeof key>;
export type ConfigInput<R extends Role> = z.input<(typeof SCHEMAS)[R]>;

/** Reads and checks a file. Relative paths in it are relative to where the process runs. */
export function readConfig<R extends Role>(role: R, name: string): ConfigFile<R> {
  const schema: z.ZodType = SCHEMAS[role];
  const { success, data, error } = schema.safeParse(readJson(name));
  if (success) return data as ConfigFile<R>;
  throw new ConfigError(`\`${name}\` is no configuration of a ${role}:\n${z.prettifyError(error)}`);
}

export function readJson(name: string): unknown {
  let text: string;
  try {
    text = readFileSync(path.resolve(name), "utf8");
  } catch (error) {
    throw new ConfigError(`\`${name}\` cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`\`${name}\` is not JSON: ${(error as Error).message}`);
  }
}

/** Sizes of the deployment's circuits. Where the ledger has no such instance, the medium one. */
export function sizesOf({ instance }: Pick<DeploymentFile, "instance">) {
  const ledgers = instances.ledger;
  const ledger = instance in ledgers ? ledgers[instance as keyof typeof ledgers] : ledgers.medium;
  return { trade: instances.trade[instance], ledger };
}
