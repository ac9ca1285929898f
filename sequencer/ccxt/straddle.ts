/** The exchange class for ccxt: REST by the classes below it, `watch*` here. */
import ccxt from "ccxt";
import { wireSignature } from "../client/exchange.ts";
import { type BookSizes, checksumOf } from "../client/localBook.ts";
import { CHECKSUM_LEVELS } from "../market/bookChecksum.ts";
import { sign } from "../protocol/eddsa.ts";
import { sessionHash } from "../protocol/session.ts";
import type { Dict } from "./access.ts";
import { StraddleFunds } from "./funds.ts";

const { ChecksumError } = ccxt;

type Client = Parameters<InstanceType<typeof ccxt.pro.deribit>["handleMessage"]>[0];
/** A book as ccxt keeps it, and the change that it has come to. */
interface KeptBook {
  changeId?: number;
  nonce: number;
  readonly bids: Side;
  readonly asks: Side;
}

type Side = readonly (readonly [price: number, amount: number])[];

interface BookNotice {
  /** Absent where the channel sends whole books. */
  readonly type?: "snapshot" | "change";
  readonly instrument_name: string;
  readonly timestamp: number;
  readonly change_id: number;
  readonly prev_change_id?: number;
  readonly checksum: number;
  readonly bids: readonly unknown[];
  readonly asks: readonly unknown[];
}

const AUTHENTICATED = "authenticated";
const CHALLENGE = "challenge";

export default class straddle extends StraddleFunds {
  constructor(userConfig: object = {}) {
    super(userConfig);
    // One address serves both.
    const api: { rest: string; ws: string } = this.urls.api as never;
    if (api.ws === "") api.ws = `${api.rest.replace(/^http/, "ws")}/ws/api/v2`;
  }

  /** A trading key signs the connection's challenge. */
  override async authenticate(_params: Dict = {}) {
    await this.loadMarkets();
    const url = this.urls.api.ws;
    const client = this.client(url);
    client.subscriptions[AUTHENTICATED] ??= this.openSession(url).catch((error: unknown) => {
      delete client.subscriptions[AUTHENTICATED];
      throw error;
    });
    return client.subscriptions[AUTHENTICATED];
  }

  private async openSession(url: string): Promise<unknown> {
    const { account, keyIndex, secret } = this.credentials();
    const asked = { jsonrpc: "2.0", id: this.requestId(), method: "straddle/get_challenge" };
    const { challenge } = await this.watch(url, CHALLENGE, asked, CHALLENGE);
    const domain = BigInt(this.venueInfo().domain);
    const hash = sessionHash({ domain, account, keyIndex, challenge: BigInt(challenge) });
    const signature = wireSignature(sign(secret, hash));
    const params = { account, key_index: keyIndex, challenge, signature };
    const request = { jsonrpc: "2.0", id: this.requestId(), method: "public/auth", params };
    const opened = `${AUTHENTICATED} as ${account}`;
    return this.watch(url, opened, request, opened);
  }

  override handleMessage(client: Client, message: Dict): void {
    const error = message.error as Parameters<typeof this.failureOf>[0] | undefined;
    if (error !== undefined) {
      client.reject(this.failureOf(error));
      return;
    }
    const result = message.result as Dict | undefined;
    if (result?.challenge !== undefined) {
      client.resolve(result, CHALLENGE);
      delete client.subscriptions[CHALLENGE];
    } else if (result?.key_index !== undefined) {
      client.resolve(result, `${AUTHENTICATED} as ${String(result.account)}`);
    } else {
      super.handleMessage(client, message);
    }
  }

  /** Begins anew with each snapshot, and shows no book that has lost a change. */
  override handleOrderBook(client: Client, message: Dict): void {
    const { channel, data } = message.params as { channel: string; data: BookNotice };
    const symbol = this.safeSymbol(data.instrument_name);
    if (data.type !== "change") delete this.orderbooks[symbol];
    if (data.type === undefined) {
      // The levels of a fixed depth are whole books, not changes.
      super.handleOrderBook(client, asSnapshot(message));
      return;
    }
    const before = this.orderbooks[symbol] as KeptBook | undefined;
    if (data.type === "change" && before?.changeId !== data.prev_change_id) {
      this.loseBook(client, channel, symbol);
      return;
    }
    super.handleOrderBook(client, message);
    const book = this.orderbooks[symbol] as unknown as KeptBook;
    book.changeId = data.change_id;
    book.nonce = data.change_id;
    const levels = (side: Side) =>
      side.slice(0, CHECKSUM_LEVELS).map(([price, amount]) => ({ price, amount }));
    const sides = { bids: levels(book.bids), asks: levels(book.asks) };
    const sum = checksumOf(sides, this.market(symbol).info as BookSizes);
    if (sum !== data.checksum) this.loseBook(client, channel, symbol);
  }

  /** Whoever waits is told; the next watch joins the channel again, and so gets the whole book. */
  private loseBook(client: Client, channel: string, symbol: string): void {
    delete this.orderbooks[symbol];
    delete client.subscriptions[channel];
    const params = { channels: [channel] };
    const leave = { jsonrpc: "2.0", id: this.requestId(), method: "public/unsubscribe", params };
    void client.send(leave);
    const [, , ...descriptor] = channel.split(".");
    const error = new ChecksumError(`${this.id} ${symbol}: changes of the book were lost`);
    client.reject(error, `book|${symbol}|${descriptor.join(".")}`);
  }
}

function asSnapshot(message: Dict): Dict {
  const params = message.params as { channel: string; data: { bids: Side; asks: Side } };
  const levels = (side: Side) => side.map((level) => ["new", ...level]);
  const data = { ...params.data, bids: levels(params.data.bids), asks: levels(params.data.asks) };
  return { ...message, params: { ...params, data } };
}
