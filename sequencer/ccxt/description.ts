/** What ccxt's class says of the venue, beside what it has of Deribit's. */
import ccxt from "ccxt";

const {
  AccountSuspended,
  BadRequest,
  ExchangeNotAvailable,
  InvalidNonce,
  InvalidOrder,
  OnMaintenance,
  OperationRejected,
  PermissionDenied,
} = ccxt;

/** Of Deribit's and ccxt's methods those that mean nothing here; they throw `NotSupported`. */
export const UNSUPPORTED = [
  "createDepositAddress",
  "createMarketOrderWs",
  "createReduceOnlyOrder",
  "createStopLimitOrder",
  "createStopMarketOrder",
  "createStopOrder",
  "createTrailingAmountOrder",
  "fetchCurrenciesWs",
  "fetchDepositAddress",
  "fetchDeposits",
  "fetchDepositWithdrawFees",
  "fetchFundingRate",
  "fetchFundingRateHistory",
  "fetchLiquidations",
  "fetchMyLiquidations",
  "fetchTradingFees",
  "fetchTransfers",
  "watchOHLCV",
  "watchOHLCVForSymbols",
] as const;

const SUPPORTED = [
  "cancelOrders",
  "fetchAllGreeks",
  "fetchSettlementHistory",
  "fetchWithdrawals",
] as const;

/** Where the devnet's node answers; give `urls.api` for another one. */
const NODE = "http://127.0.0.1:8600";

export const DESCRIPTION = {
  id: "straddle",
  name: "Straddle",
  countries: [],
  // 10,000 credits come back in a second; most calls cost 500 of them.
  rateLimit: 50,
  has: {
    ...Object.fromEntries(UNSUPPORTED.map((name) => [name, false])),
    ...Object.fromEntries(SUPPORTED.map((name) => [name, true])),
    fetchOHLCV: "emulated",
    swap: false,
    future: false,
    sandbox: false,
  },
  urls: {
    api: { rest: NODE, ws: "" },
    test: { rest: NODE, ws: "" },
    logo: "",
    www: NODE,
    doc: [`${NODE}/openrpc.json`],
    fees: "",
    referral: "",
  },
  api: {
    public: { get: { get_volatility_index_data: { cost: 2 } } },
    private: { post: { buy: {}, sell: {}, edit: {}, cancel: {}, cancel_all: {} } },
    straddle: {
      get: {
        get_info: { cost: 1 },
        get_key: { cost: 1 },
        get_account: { cost: 1 },
        get_tickers: { cost: 8 },
        get_withdrawals: { cost: 2 },
      },
      post: { submit: { cost: 5 } },
    },
  },
  requiredCredentials: { apiKey: true, secret: true },
  exceptions: {
    "13028": ExchangeNotAvailable,
    "13888": OperationRejected,
    "30000": BadRequest,
    "30001": InvalidNonce,
    "30002": InvalidNonce,
    "30003": BadRequest,
    "30004": AccountSuspended,
    "30005": InvalidOrder,
    "30006": InvalidOrder,
    "30007": PermissionDenied,
    "30008": OnMaintenance,
    "30009": OnMaintenance,
    "30010": InvalidNonce,
    "30011": InvalidNonce,
    "30012": ExchangeNotAvailable,
  },
  options: {
    code: "USDC",
    currencies: ["USDC"],
    fetchBalance: { code: "USDC" },
    /** How long after its signing a word may be sequenced (ms). */
    deadlineMs: 60_000,
    /** For so long a word whose answer was lost is sent again (ms). */
    resendMs: 10_000,
    /** Whether a receipt must be the sequencer's word on the very message that was sent. */
    checksReceipts: true,
    /** How far beyond the best price a market order's limit lies, as a fraction. */
    slippage: 0.05,
  },
};
