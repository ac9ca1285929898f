/** What each kind of channel sends: for documents, and for the client's types. */
import { z } from "zod";
import { ACCOUNT_SUMMARY, ORDER, USER_TRADE } from "./accountSchemas.ts";
import type { Channel } from "./channelNames.ts";
import { account, natural, timestamp } from "./fieldSchemas.ts";
import { HELD, MMP_TRIGGER } from "./heldSchemas.ts";
import {
  BOOK_NOTIFICATION,
  BOOK_TOP_NOTIFICATION,
  MARK_PRICES_NOTIFICATION,
  PLATFORM_STATUS,
  PRICE_INDEX_NOTIFICATION,
  QUOTE_NOTIFICATION,
  TICKER,
  TRADE,
  VOLATILITY_INDEX_NOTIFICATION,
} from "./marketSchemas.ts";
import { BATCH } from "./ownSchemas.ts";
import { BLOCK_RFQ, BLOCK_RFQ_QUOTE, BLOCK_TRADE } from "./rfqSchemas.ts";

export const PLATFORM_NOTIFICATION = z.strictObject({
  locked: z.boolean(),
  ...PLATFORM_STATUS.pick({ mode: true, reason: true, detail: true, since: true, opens_at: true })
    .shape,
});

/** In the protocol's units and names: ticks, lots and 1e-6 USDC. */
export const LIQUIDATION_NOTIFICATION = z.strictObject({
  account,
  action: z.enum(["locked", "order", "backstop", "insure", "deleverage", "absorb", "release"]),
  book: natural.nullable(),
  slot: natural.nullable(),
  isSell: z.boolean().nullable(),
  lots: natural,
  price: z.int().nullable(),
  amount: z.int(),
  counterparty: account.nullable(),
  time: timestamp,
  batchNumber: natural,
});

export const CHANNEL_SCHEMAS: Readonly<Record<Channel["type"], z.ZodType>> = {
  book: BOOK_NOTIFICATION,
  bookTop: BOOK_TOP_NOTIFICATION,
  ticker: TICKER,
  quote: QUOTE_NOTIFICATION,
  trades: z.array(TRADE),
  // At `raw` each order alone.
  userOrders: z.union([ORDER, z.array(ORDER)]),
  userTrades: z.array(USER_TRADE),
  userPortfolio: ACCOUNT_SUMMARY,
  userMmpTrigger: MMP_TRIGGER,
  userHeld: HELD,
  userRfqMaker: BLOCK_RFQ,
  userRfqQuotes: BLOCK_RFQ_QUOTE,
  userRfqTaker: BLOCK_RFQ,
  rfqTrades: BLOCK_TRADE,
  priceIndex: PRICE_INDEX_NOTIFICATION,
  volatilityIndex: VOLATILITY_INDEX_NOTIFICATION,
  markPrices: MARK_PRICES_NOTIFICATION,
  platformState: PLATFORM_NOTIFICATION,
  batches: BATCH,
  liquidations: LIQUIDATION_NOTIFICATION,
};
