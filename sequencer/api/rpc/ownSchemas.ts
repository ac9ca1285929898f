/** What only this venue answers: its log, batches, proofs, keys and oracles. */
import { z } from "zod";
import {
  account,
  hash,
  hexField,
  keyIndex,
  natural,
  address as ownerAddress,
  stage,
  timestamp,
} from "./fieldSchemas.ts";

const point = z.strictObject({ x: hexField, y: hexField });
const address = z.string();
const usdcMicros = z.int().describe("1e-6 USDC");

/** The protocol's own objects keep the names that clients verify them by. */
export const INFO = z.strictObject({
  name: z.literal("straddle"),
  version: z.string(),
  protocol: natural,
  chainId: natural,
  rollup: address,
  token: address,
  tokenDecimals: natural,
  domain: hexField,
  shape: z.strictObject({
    slots: natural,
    depth: natural,
    accountLevels: natural,
    bookLevels: natural,
    unit: natural,
  }),
  underlying: z.string(),
  tickSize: natural,
  lotsPerContract: natural,
  stepsPerBatch: natural,
  fillsPerBatch: natural,
  operationsPerBatch: natural,
  oracles: z.array(point),
  oracleQuorum: natural,
  oracleSet: hexField,
  fairOrder: z.strictObject({ roundMs: z.number(), bumpMs: z.number() }),
  sequencer: address,
  receiptSigners: z.array(address).optional(),
  validators: z.array(address),
});

const tolerance = z.strictObject({ latencyMs: z.number().nullable(), boundMs: z.number() });

const member = z.strictObject({
  validator: address,
  term: natural.nullable(),
  position: natural.nullable(),
  certified: natural.nullable(),
  lag: z.int().nullable(),
  reportAgeMs: z.number().nullable(),
  halted: z.string().nullable(),
});

export const STATUS = z.strictObject({
  time: timestamp,
  logPosition: natural,
  logHash: hash,
  logEpoch: natural,
  log: z.strictObject({
    engine: z.enum(["embedded", "jetstream", "simplex", "simulated"]),
    durability: z.string(),
    lossWindowMs: z.number().nullable(),
    lossWindow: z.string(),
  }),
  openBatch: natural,
  sealed: natural,
  certified: natural,
  proven: natural,
  anchored: natural,
  snapshotTime: timestamp.nullable(),
  nextQueueId: natural,
  validatorsConnected: natural,
  certification: z
    .strictObject({
      position: natural,
      height: natural,
      term: natural,
      leader: address.nullable(),
      members: z.array(member),
    })
    .nullable(),
  insuranceFund: usdcMicros,
  feeAccount: usdcMicros,
  feesUncollected: usdcMicros,
  lockedAccounts: natural,
  isOverloaded: z.boolean(),
  trading: z.strictObject({
    mode: z.enum(["open", "paused", "cancelOnly"]),
    reason: z.string().nullable(),
    detail: z.string().nullable(),
    since: timestamp.nullable(),
    opensAt: timestamp.nullable(),
    append: tolerance,
    certification: tolerance,
    dissenting: natural,
  }),
  layerOne: z.strictObject({
    paused: z.string().nullable(),
    stopped: z.string().nullable(),
    frozenAt: natural.nullable().describe("unix seconds; null: the rollup lives"),
    head: natural.nullable(),
    confirmed: natural.nullable(),
    reorgs: natural,
    deepestReorg: natural,
    replacements: natural,
    spentHour: hexField,
    spentDay: hexField,
  }),
  halted: z.string().nullable(),
});

export const KEY = z.strictObject({
  account,
  key_index: keyIndex,
  key: point,
  head: hexField.describe("what the key's next word extends"),
  expires: natural.describe("unix seconds"),
  version: natural,
});

export const ACCOUNT = z.strictObject({
  account,
  owner: ownerAddress,
  balance: z.number().describe("USDC"),
  equity: z.number().nullable(),
  locked_since: natural.nullable(),
  keys: z.array(KEY),
});

export const BATCH = z.strictObject({
  number: natural,
  kind: z.enum(["trade", "ledger"]),
  timestamp,
  root: hexField,
  log_position: natural,
  stage,
  attestations: natural,
  transaction: z.string().nullable(),
});

/** Everything that layer one is given of a batch, for whoever wants to check it alone. */
export const BATCH_PROOF = z.strictObject({
  number: natural,
  kind: z.enum(["trade", "ledger"]),
  root_before: hexField,
  root_after: hexField,
  words: z.array(hexField).describe("the public data of SPEC section 8"),
  commitment: hexField,
  proof: z.array(hexField).length(8).nullable().describe("Groth16: a, b, c; null: not proven yet"),
  certificate: z
    .array(
      z.strictObject({
        validator: address,
        root: z.string(),
        words_hash: z.string(),
        log_hash: z.string(),
        signature: z.string(),
      }),
    )
    .describe("validators' attestations, kept until the batch is final on layer one"),
});

export const STAGE = z.strictObject({
  log_position: natural,
  batch_number: natural,
  is_sealed: z.boolean(),
  stage,
  transaction: z.string().nullable(),
});

export const LOG = z.strictObject({
  from: natural,
  hashes: z.array(hash),
  signature: z.string().nullable().describe("the sequencer's, over the last of them"),
});

const signature = { r8x: hexField, r8y: hexField, s: hexField };

export const SNAPSHOT = z.strictObject({
  time: timestamp,
  slots: z.array(
    z.strictObject({
      terms: z.strictObject({ isCall: z.boolean(), strike: natural, expiry: natural }),
      mark: natural,
      isFinal: z.boolean(),
      changes: z.array(z.int()),
    }),
  ),
  signatures: z.array(z.strictObject({ signer: natural, ...signature })),
});

export const WITHDRAWAL = z.strictObject({
  account,
  owner: ownerAddress,
  amount: z.number().describe("USDC"),
  is_forced: z.boolean(),
  log_position: natural,
  batch_number: natural,
  stage,
  transaction: z.string().nullable(),
});

export const CHALLENGE = z.strictObject({
  challenge: hexField.describe("a trading key signs `sessionHash` of it: SPEC section 11"),
});
