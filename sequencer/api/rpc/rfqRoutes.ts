/** By which routes channels hear of requests for quotes; those of accounts end with the account. */
export const RFQ_ROUTES = {
  ...{ maker: "rfqMaker:", quotes: "rfqQuotes:", taker: "rfqTaker:", trades: "rfqTrades" },
} as const;
