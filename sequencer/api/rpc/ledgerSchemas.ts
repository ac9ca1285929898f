/** The sequenced state as the protocol has it: ticks, lots, 1e-6 USDC, and the protocol's names. */
import { z } from "zod";
import { account, address, hexField, keyIndex, natural, stage, timestamp } from "./fieldSchemas.ts";
import { SNAPSHOT } from "./ownSchemas.ts";

const ticks = z.int();
const micros = z.int().describe("1e-6 USDC");
const level = z.strictObject({ price: ticks, lots: natural, orders: natural });
const seriesStatus = z.enum(["empty", "listed", "settled"]);

export const SERIES_TABLE = z.strictObject({
  underlying: z.string(),
  underlyingPrice: z.number().nullable(),
  snapshotTime: timestamp.nullable(),
  series: z.array(
    z.strictObject({
      slot: natural,
      status: seriesStatus,
      isCall: z.boolean(),
      strike: natural,
      expiry: natural.describe("unix seconds"),
      generation: natural,
      holders: natural,
      mark: natural,
      markIv: z.number().nullable(),
      delta: z.number().nullable(),
      book: natural.nullable(),
      bestBid: level.nullable(),
      bestAsk: level.nullable(),
      openInterest: natural.nullable(),
    }),
  ),
  announced: z
    .array(z.strictObject({ slot: natural, isCall: z.boolean(), strike: natural, expiry: natural }))
    .describe("listed once the oracles price it"),
});

const impliedQuote = z.strictObject({ price: ticks, lots: natural });

export const BOOKS = z.array(
  z.strictObject({
    book: natural,
    weights: z.array(z.int()).describe("of each slot"),
    generation: natural,
    isOpen: z.boolean(),
    plainSlot: natural.nullable(),
    fees: z
      .strictObject({ taker: z.int(), maker: z.int() })
      .describe("rates in ticks for each lot"),
    bestBid: level.nullable(),
    bestAsk: level.nullable(),
    implied: z
      .strictObject({ bid: impliedQuote.nullable(), ask: impliedQuote.nullable() })
      .nullable(),
  }),
);

const point = z.strictObject({ x: hexField, y: hexField });

export const HOLDINGS = z.strictObject({
  account,
  owner: hexField,
  cash: micros,
  positions: z.array(z.int()).describe("signed lots by slot"),
  costs: z
    .array(
      z.strictObject({
        slot: natural,
        cost: micros.nullable().describe("of the open lots, signed as they are, without fees"),
        realized: micros.nullable().describe("profit on closed lots since the series was listed"),
      }),
    )
    .describe("nulls: from before the node kept this"),
  equity: micros.nullable(),
  headroom: micros.nullable().describe("what may be lost before the account is not covered"),
  maintenance: micros.nullable(),
  lockedSince: natural.nullable(),
  watermark: natural.describe("orders with a smaller seq are void"),
  keys: z.array(
    z.strictObject({
      account,
      keyIndex,
      key: point,
      head: hexField,
      expiry: natural,
      version: natural,
    }),
  ),
});

/** What an account had at the end of a batch, and the way from there to the batch's state root. */
export const LEDGER_PROOF = z.strictObject({
  batch_number: natural,
  root: hexField.describe("the state root at the batch's end"),
  stage,
  transaction: z.string().nullable().describe("of layer one, once the batch is anchored"),
  account,
  owner: hexField.describe("0x0: the account is not used"),
  cash: micros,
  positions: z.array(z.int()).describe("signed lots by slot"),
  siblings: z
    .array(z.array(hexField).length(3))
    .describe("at each level from the account's leaf upwards, in the order of children"),
  series_root: hexField,
  fees: natural.describe("1e-6 USDC that nobody has collected"),
  private_root: hexField,
});

const amountOrNot = z.number().nullable();

/** Offers are of the moment: what an account may take over of each position, and for how much. */
export const AUCTION = z.strictObject({
  account,
  lockedSince: natural,
  cash: micros,
  positions: z.array(z.int()),
  equity: micros.nullable(),
  maintenance: micros.nullable(),
  time: timestamp,
  lockedFor: z.number().describe("seconds"),
  offers: z.array(
    z.strictObject({
      slot: natural,
      position: z.int(),
      mark: natural,
      scenario: natural,
      lossPerLot: z.number(),
      lotsMax: natural,
      amountPerLot: z.number(),
      amountPerLotMax: z.number(),
    }),
  ),
});

const figures = {
  equity: micros,
  initialMargin: micros,
  maintenanceMargin: micros,
  initialHeadroom: micros,
  maintenanceHeadroom: micros,
  worstScenario: natural,
  liquidationPrices: z.strictObject({ down: amountOrNot, up: amountOrNot }),
};

const greeks = { delta: z.number(), gamma: z.number(), vega: z.number(), theta: z.number() };

const report = z.strictObject({
  snapshotTime: timestamp,
  underlyingPrice: amountOrNot,
  sizes: z.strictObject({ unit: natural, tickSize: natural, lotsPerContract: natural }),
  weights: z.strictObject({ value: natural, change: natural }),
  cash: micros,
  ...figures,
  usage: amountOrNot,
  isCovered: z.boolean(),
  isBelowMaintenance: z.boolean(),
  scenarios: z.array(
    z.strictObject({
      scenario: natural,
      name: z.string(),
      pnl: micros,
      initialHeadroom: micros,
      maintenanceHeadroom: micros,
    }),
  ),
  positions: z.array(
    z.strictObject({
      slot: natural,
      lots: z.int(),
      mark: natural,
      changes: z.array(z.int()),
      value: micros,
      markIv: amountOrNot,
      greeks: z.strictObject(greeks).nullable(),
    }),
  ),
  greeks: z.strictObject({ ...greeks, unknown: z.array(natural) }),
});

/** The report, and everything that it can be computed again from. */
export const RISK = z.strictObject({
  account,
  report,
  liquidation: AUCTION.nullable(),
  snapshot: SNAPSHOT,
  series: z.array(
    z.looseObject({
      status: seriesStatus,
      isCall: z.boolean(),
      strike: natural,
      expiry: natural,
      mark: natural,
    }),
  ),
});

export const PREVIEW = z.strictObject({
  verdict: z.string().nullable().describe("what the door would refuse it for; null: it would not"),
  snapshotTime: timestamp,
  premium: micros,
  fee: micros,
  before: z.strictObject(figures),
  after: z.strictObject(figures),
});

export const WHO = z
  .strictObject({ account: account.optional(), owner: address.optional() })
  .refine((who) => (who.account === undefined) !== (who.owner === undefined), {
    message: "must have either `account` or `owner`",
  });
