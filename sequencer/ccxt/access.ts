/**
 * ccxt's `deribit` class with this venue's requests: signed words and signed reads in place of a
 * shared secret, names and errors of its own.
 */
import ccxt from "ccxt";
import { type SignedWord, wireSignature, wireWord } from "../client/exchange.ts";
import {
  type Answered,
  createKeyChain,
  type KeyChain,
  type WordAnswer,
} from "../client/keyChain.ts";
import { checkReceipt } from "../client/receipt.ts";
import { createReceiptBook } from "../client/receiptBook.ts";
import { exchangeError } from "../client/rpcErrors.ts";
import { sign } from "../protocol/eddsa.ts";
import type { Message } from "../protocol/messages.ts";
import { readRequestHash } from "../protocol/receipt.ts";
import { DESCRIPTION, UNSUPPORTED } from "./description.ts";
import { asCcxt, asClient, type RpcErrorObject } from "./failures.ts";

const { AuthenticationError, ExchangeError, NotSupported } = ccxt;

export type Dict = Record<string, unknown>;

/** What of `straddle/get_info` the class needs. */
export interface VenueInfo {
  readonly domain: string;
  readonly chainId: number;
  readonly underlying: string;
  readonly tickSize: number;
  readonly lotsPerContract: number;
  readonly shape: { readonly unit: number };
  /** Who signs receipts: several where they take turns. */
  readonly sequencer: string;
  readonly receiptSigners?: readonly string[];
}

/** Deribit's names for what is one method here. */
const ALIASES: Readonly<Record<string, string>> = {
  get_last_trades_by_instrument_and_time: "get_last_trades_by_instrument",
  get_last_trades_by_currency_and_time: "get_last_trades_by_currency",
  get_user_trades_by_instrument_and_time: "get_user_trades_by_instrument",
  get_user_trades_by_currency_and_time: "get_user_trades_by_currency",
};

export class StraddleAccess extends ccxt.pro.deribit {
  private chain: KeyChain | undefined;

  constructor(userConfig: object = {}) {
    super(userConfig);
    for (const name of UNSUPPORTED) {
      Reflect.set(this, name, () => {
        throw new NotSupported(`${this.id} ${name}() is not supported`);
      });
    }
  }

  override describe() {
    return this.deepExtend(super.describe(), DESCRIPTION);
  }

  /** Throws where markets have not been loaded. */
  venueInfo(): VenueInfo {
    const info = this.options.info as VenueInfo | undefined;
    if (info === undefined) throw new ExchangeError(`${this.id} call loadMarkets() first`);
    return info;
  }

  /** `apiKey` is `ACCOUNT/KEY`, `secret` the trading key's scalar in hex. */
  credentials() {
    this.checkRequiredCredentials();
    const match = /^(\d+)\/(\d)$/.exec(this.apiKey);
    if (match === null) {
      const text = `\`apiKey\` must be ACCOUNT/KEY, such as 7/0. Got \`${this.apiKey}\`.`;
      throw new AuthenticationError(`${this.id} ${text}`);
    }
    if (!/^0x[0-9a-f]{1,64}$/i.test(this.secret)) {
      const text = "`secret` must be the trading key's secret: 0x and hex digits.";
      throw new AuthenticationError(`${this.id} ${text}`);
    }
    return { account: Number(match[1]), keyIndex: Number(match[2]), secret: BigInt(this.secret) };
  }

  override sign(path: string, api = "public", method = "GET", params: Dict = {}) {
    const name = `${api}/${ALIASES[path] ?? path}`;
    const rest = `${this.urls.api.rest}/api/v2`;
    const given = this.omit(params, "include_old");
    if (method === "POST") {
      const headers = { "content-type": "application/json" };
      const body = this.json({ jsonrpc: "2.0", id: 1, method: name, params: given });
      return { url: rest, method, body, headers };
    }
    const query = Object.keys(given).length === 0 ? "" : `?${this.urlencode(given)}`;
    const headers = api === "private" ? this.readHeaders() : undefined;
    return { url: `${rest}/${name}${query}`, method, body: undefined, headers };
  }

  private readHeaders(): Dict {
    const { account, keyIndex, secret } = this.credentials();
    const domain = BigInt(this.venueInfo().domain);
    const time = this.milliseconds();
    const hash = readRequestHash({ domain, account, keyIndex, time });
    const { r8x, r8y, s } = wireSignature(sign(secret, hash));
    const id = `id=${account}/${keyIndex},ts=${time},sig=${r8x}:${r8y}:${s}`;
    return { Authorization: `straddle-eddsa ${id}` };
  }

  override handleErrors(
    ...args: Parameters<InstanceType<typeof ccxt.pro.deribit>["handleErrors"]>
  ) {
    const response: unknown = args[6];
    const error = (response as { error?: RpcErrorObject } | undefined)?.error;
    try {
      return super.handleErrors(...args);
    } catch (thrown) {
      throw error === undefined ? thrown : Object.assign(thrown as Error, { rpc: error });
    }
  }

  /** The exception that ccxt has for an error object. */
  failureOf(error: RpcErrorObject): unknown {
    try {
      this.handleErrors(200, "", "", "", {}, this.json(error), { error }, {}, "");
    } catch (thrown) {
      return thrown;
    }
    return new ExchangeError(`${this.id} ${error.message}`);
  }

  /** Signs a message and posts it with `method`; the answer's result, its receipt checked. */
  async sendWord(
    message: Message,
    method: string,
    paramsOf: (signed: SignedWord) => Dict,
  ): Promise<Dict> {
    this.chain ??= this.createChain();
    const answer = this.chain.sendBy(message, (sent) =>
      asClient(this.post(method, paramsOf(wireWord(sent))) as Promise<Dict & Answered>),
    );
    return asCcxt(this, answer);
  }

  /** A message of any kind; its receipt. */
  async submitWord(message: Message): Promise<Dict> {
    this.chain ??= this.createChain();
    const receipt = this.chain.send(message) as Promise<unknown> as Promise<Dict>;
    return asCcxt(this, receipt);
  }

  private async post(method: string, params: Dict): Promise<Dict> {
    const [api, path] = method.split("/");
    const { result } = await this.request(path, api, "POST", params);
    return result as Dict;
  }

  private createChain(): KeyChain {
    const { account, keyIndex, secret } = this.credentials();
    return createKeyChain({
      ...{ account, keyIndex, secret, checkReceipt: this.createReceiptCheck() },
      // Requests overtake each other, and a word must find the head that the one before has left.
      ...{ inFlightMax: 1, resendMs: Number(this.options.resendMs) },
      submit: async (sent) => {
        const { results } = await asClient(
          this.post("straddle/submit", { words: sent.map(wireWord) }),
        );
        return (results as (Answered | { error: RpcErrorObject })[]).map(
          (result): WordAnswer => ("error" in result ? exchangeError(result.error) : result),
        );
      },
      fetchHead: async () => {
        const key = { account, key_index: keyIndex };
        const { result } = await asClient(this.request("get_key", "straddle", "GET", key));
        return BigInt((result as { head: string }).head);
      },
    });
  }

  /** Of receipts by the sequencer that the node named when the markets were loaded. */
  private createReceiptCheck(): Parameters<typeof createKeyChain>[0]["checkReceipt"] {
    if (this.options.checksReceipts === false) return async () => undefined;
    const { domain: domainText, sequencer, receiptSigners, shape } = this.venueInfo();
    const domain = BigInt(domainText);
    const context = { domain, sequencers: receiptSigners ?? [sequencer], unit: shape.unit };
    const receipts = createReceiptBook({ domain });
    return async (receipt, sent) => {
      checkReceipt(receipt, sent, context);
      const { logPosition: position, logHash: hash, signature } = receipt;
      receipts.keep({ position, hash, signature });
    };
  }

  /** Deadline of a message that is signed now, unix ms. */
  deadline(params: Dict): number {
    const own = this.safeInteger2(params, "validUntil", "valid_until");
    return own ?? this.milliseconds() + Number(this.options.deadlineMs);
  }
}
