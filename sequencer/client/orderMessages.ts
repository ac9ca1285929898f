/** Orders in decimals as the messages that are signed. */
import { type MarketSizes, parsePrice, parseQuantity } from "../market/decimal.ts";
import { timeInForceOf } from "../market/timeInForce.ts";
import { isWellFormed, type Message, type PlaceMessage } from "../protocol/messages.ts";
import type { RpcConnection } from "./rpcConnection.ts";
import { ExchangeError } from "./rpcErrors.ts";
import type { OrderRequest } from "./trader.ts";

/** Instruments whose books are remembered. */
const BOOKS_MAX = 5000;

/** Rejects for what is no multiple of tick or lot, and for an instrument without an open book. */
export type OrderMessages = (
  order: OrderRequest,
  isSell: boolean,
  deadline: number,
) => Promise<PlaceMessage>;

export function createOrderMessages(rpc: RpcConnection, info: MarketSizes): OrderMessages {
  const bookOf = createBookNames(rpc);
  return async (order, isSell, deadline) => {
    const price = parsePrice(String(order.price), info);
    const lots = parseQuantity(String(order.amount), info, "amount");
    const timeInForce = timeInForceOf(order.time_in_force ?? "good_til_cancelled");
    const flags = { postOnly: order.post_only ?? false, reduceOnly: order.reduce_only ?? false };
    const book = await bookOf(order.instrument_name);
    return wellFormed({
      kind: "place",
      book,
      isSell,
      price,
      lots,
      timeInForce,
      ...flags,
      deadline,
    });
  };
}

/** Books by instrument, asked for when first needed. */
function createBookNames(rpc: RpcConnection): (instrument: string) => Promise<number> {
  const known = new Map<string, { readonly book: number; readonly expiry: number }>();
  return async (name) => {
    const found = known.get(name);
    if (found !== undefined && found.expiry > Date.now()) return found.book;
    const answer = await rpc.call("public/get_instrument", { instrument_name: name });
    const { book, expiration_timestamp: expiry } = answer;
    if (book === null) {
      const reason = `\`${name}\` has no open book.`;
      throw new ExchangeError(10012, "book_closed", { reason });
    }
    const [oldest] = known.keys();
    if (known.size >= BOOKS_MAX && oldest !== undefined) known.delete(oldest);
    known.set(name, { book, expiry });
    return book;
  };
}

export function wellFormed<M extends Message>(message: M): M {
  if (isWellFormed(message)) return message;
  throw new RangeError(`the ${message.kind} is not well formed: \`${JSON.stringify(message)}\``);
}
