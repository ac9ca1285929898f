/** ccxt's markets: this venue's instruments under ccxt's symbols, those that have expired too. */
import ccxt, { type Market, type MarketInterface } from "ccxt";
import { instrumentName, parseInstrument } from "../market/instrument.ts";
import { type Dict, StraddleAccess, type VenueInfo } from "./access.ts";

const { BadSymbol } = ccxt;

/** Where money stands. */
export const SETTLE = "USDC";

const SYMBOL = /^(\w+)\/\w+:\w+-(\d{6}(?:T\d{4,6})?)-(\d+(?:\.\d+)?)-([CP])$/;

export class StraddleMarkets extends StraddleAccess {
  override async fetchMarkets(params: Dict = {}) {
    // Node needs it for WebSockets without TLS, as a node on this machine has them.
    if (ccxt.isNode) await this.loadHttpProxyAgent();
    const { result: info } = await this.request("get_info", "straddle", "GET", {});
    this.options.info = info as VenueInfo;
    const request = this.extend({ currency: "any" }, params);
    const { result } = await this.request("get_instruments", "public", "GET", request);
    return (result as Dict[]).map((instrument) => this.parseMarket(instrument)) as Market[];
  }

  override parseMarket(instrument: Dict): MarketInterface {
    const id = this.safeString(instrument, "instrument_name") ?? "";
    const isOption = instrument.kind === "option";
    const fee = (name: string) => this.safeNumber(instrument, name);
    const lot = this.safeNumber(instrument, "min_trade_amount");
    const tick = this.safeNumber(instrument, "tick_size");
    const market = isOption ? this.optionMarket(id) : this.comboMarket(id, instrument);
    return this.safeMarketStructure({
      ...market,
      active: this.safeBool(instrument, "is_active"),
      contractSize: this.safeNumber(instrument, "contract_size"),
      // USDC for one contract, at most an eighth of its price.
      ...{ taker: fee("taker_fee"), maker: fee("maker_fee"), percentage: false, feeSide: "quote" },
      precision: { amount: lot, price: tick },
      limits: {
        leverage: { min: undefined, max: undefined },
        amount: { min: lot, max: undefined },
        price: { min: isOption ? tick : undefined, max: undefined },
        cost: { min: undefined, max: undefined },
      },
      created: this.safeInteger(instrument, "creation_timestamp"),
      info: instrument,
    }) as MarketInterface;
  }

  /** An option's name says all that it is, whether it trades or has expired. */
  private optionMarket(id: string): Dict {
    const info = this.venueInfo();
    const { isCall, strike, expiry } = parseInstrument(id, info);
    const { underlying: base } = info;
    // `ETH-20261225T1630-3000-C`: a date with a time where that is not 08:00 UTC.
    const date = id.split("-")[1]?.slice(2);
    const strikeText = strike === 0 ? "0" : id.split("-")[2];
    const letter = isCall ? "C" : "P";
    const at = expiry * 1000;
    return {
      ...{ id, symbol: `${base}/${SETTLE}:${SETTLE}-${date}-${strikeText}-${letter}` },
      ...this.contract(base),
      ...{ expiry: at, expiryDatetime: this.iso8601(at) },
      ...{ strike: Number(strikeText), optionType: isCall ? "call" : "put" },
    };
  }

  private comboMarket(id: string, instrument: Dict): Dict {
    const expiry = this.safeInteger(instrument, "expiration_timestamp");
    const { underlying } = this.venueInfo();
    const own = { id, symbol: id, expiry, expiryDatetime: this.iso8601(expiry) };
    return { ...own, ...this.contract(underlying) };
  }

  private contract(base: string): Dict {
    return {
      ...{ base, quote: SETTLE, settle: SETTLE, baseId: base, quoteId: SETTLE, settleId: SETTLE },
      ...{ type: "option", option: true, contract: true, linear: true, inverse: false },
      ...{ spot: false, swap: false, future: false, margin: false },
    };
  }

  /** By ccxt's symbol or the venue's name. Throws BadSymbol. */
  override createExpiredOptionMarket(symbolOrId: string): MarketInterface {
    const match = SYMBOL.exec(symbolOrId);
    const name = match === null ? symbolOrId : nameOf(match);
    try {
      const info = this.venueInfo();
      const id = instrumentName(parseInstrument(name, info), info);
      const market = { ...this.optionMarket(id), active: false, contractSize: 1 };
      return this.safeMarketStructure(market) as MarketInterface;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new BadSymbol(`${this.id} has no market \`${symbolOrId}\`: ${reason}`);
    }
  }
}

function nameOf([, base, date, strike, letter]: RegExpExecArray): string {
  const isForward = strike === "0" && letter === "C";
  return `${base}-20${date}-${isForward ? "F" : `${strike}-${letter}`}`;
}
