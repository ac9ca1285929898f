/**
 * The one table of errors of the JSON-RPC interface. Codes below 14000 are Deribit's, where the
 * meaning is the same; 30000 to 30099 are this venue's own; negative ones are JSON-RPC's.
 *
 * An error leaves no trace: nothing was sequenced, the key's chain is where it was. The exceptions
 * say so themselves: with `data.receipt` the message stands in the log, and the chain has moved;
 * after `outcome_unknown` the chain's head tells.
 */
import type { DoorReject } from "../../protocol/rejection.ts";

export const RPC_ERRORS = {
  parse_error: [-32700, "the body is not JSON"],
  invalid_request: [-32600, "the request is not a JSON-RPC 2.0 request"],
  method_not_found: [-32601, "no such method"],
  invalid_params: [-32602, "the parameters do not fit the method"],
  authorization_required: [10000, "this needs a session opened by a trading key's signature"],
  order_not_found: [10004, "no such order"],
  not_enough_funds: [10009, "the account has not the margin or the cash for it"],
  price_not_allowed: [10011, "the price is too far from the mark"],
  book_closed: [10012, "a series of the book has expired or was replaced"],
  invalid_or_unsupported_instrument: [10020, "no such instrument"],
  invalid_amount: [10021, "the quantity is out of range or no multiple of the lot"],
  invalid_price: [10023, "the price is out of range"],
  invalid_order_id: [10025, "that is no order id"],
  too_many_requests: [10028, "the credits are used up; `data.retry_after_ms` says until when"],
  not_owner_of_order: [10029, "the order belongs to another account"],
  must_be_websocket_request: [10030, "this needs a WebSocket connection"],
  retry: [10040, "the venue is at its backlog bound; cancels are still taken"],
  price_wrong_tick: [10043, "the price is no multiple of the tick"],
  invalid_arguments: [11029, "the signed word is not well formed"],
  not_open_order: [11044, "the order is no longer open"],
  unsupported_arg_combination: [11047, "these order flags do not go together"],
  bad_request: [11050, "the request cannot be read"],
  post_only_reject: [11054, "the post-only order would have traded"],
  internal_server_error: [11094, "something went wrong inside the node"],
  invalid_credentials: [13004, "no such trading key on this account"],
  unauthorized: [13009, "wrong or late signature, or a key that has expired"],
  subscription_failed: [13017, "too many subscriptions on this connection"],
  not_found: [13020, "no such thing"],
  temporarily_unavailable: [13028, "the node is stopping"],
  forbidden: [13021, "the key's scope does not allow this: its owner has restricted it"],
  timed_out: [13888, "the message's deadline has passed"],
  unknown_account: [30000, "no such account"],
  wrong_head: [30001, "the word does not extend the key's chain: `data.head` is its head"],
  bad_signature: [30002, "the signature does not fit key and chain head: `data.head`"],
  word_mismatch: [30003, "a readable field is not what the signed word says"],
  account_in_liquidation: [30004, "the account is being liquidated"],
  position_limit: [30005, "position or notional limit exceeded"],
  open_interest_limit: [30006, "the series' open interest is at its cap"],
  takeover_refused: [30007, "the takeover is not open to this account at these terms"],
  no_snapshot: [30008, "no fresh risk snapshot"],
  trading_paused: [30009, "trading is paused; cancels are still taken"],
  unknown_head: [30010, "the log has no such record as the message has seen"],
  stale_view: [30011, "what the message has seen of the log is too old"],
  outcome_unknown: [30012, "the node stopped meanwhile: whether it was done is not known"],
  held_limit: [30013, "as many words are held as may be"],
  quotes_frozen: [30014, "market-maker protection refuses orders that rest until it ends"],
  package_unfilled: [30015, "the quotes and the book do not fill it as it was asked for"],
  combo_limit: [30016, "as many combinations are open, or were asked for, as may be"],
  block_rfq_closed: [30017, "no such request for quotes or quote is open"],
  block_rfq_limit: [30018, "as many requests or quotes are open as may be"],
  combo_pending: [30019, "its book opens with the venue's next listing: ask again"],
} as const satisfies Record<string, readonly [number, string]>;
export type RpcErrorName = keyof typeof RPC_ERRORS;

/** What a refusal at the door is called here. */
export const DOOR_ERRORS: Readonly<Record<DoorReject, RpcErrorName>> = {
  malformed: "invalid_arguments",
  unknownAccount: "unknown_account",
  unknownKey: "invalid_credentials",
  keyExpired: "unauthorized",
  wrongHead: "wrong_head",
  badSignature: "bad_signature",
  deadlinePassed: "timed_out",
  accountLocked: "account_in_liquidation",
  unknownBook: "invalid_or_unsupported_instrument",
  bookClosed: "book_closed",
  badPrice: "invalid_price",
  badLots: "invalid_amount",
  badFlags: "unsupported_arg_combination",
  insufficientMargin: "not_enough_funds",
  limitExceeded: "position_limit",
  priceOutOfBand: "price_not_allowed",
  openInterestExceeded: "open_interest_limit",
  takeoverRefused: "takeover_refused",
  insufficientCash: "not_enough_funds",
  rateLimited: "too_many_requests",
  overloaded: "retry",
  noSnapshot: "no_snapshot",
  unknownHead: "unknown_head",
  staleView: "stale_view",
  tradingPaused: "trading_paused",
  heldFull: "held_limit",
  quotesFrozen: "quotes_frozen",
  forbidden: "forbidden",
  packageUnfilled: "package_unfilled",
  booksFull: "combo_limit",
  rfqClosed: "block_rfq_closed",
  rfqFull: "block_rfq_limit",
};

/** Thrown by handlers for what the caller did wrong; anything else that is thrown is a fault. */
export class RpcError extends Error {
  override name = "RpcError";
  readonly reason: RpcErrorName;
  readonly data: Readonly<Record<string, unknown>>;
  constructor(
    reason: RpcErrorName,
    message: string = RPC_ERRORS[reason][1],
    data: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.reason = reason;
    this.data = data;
  }
}

/** `message` is the error's stable name, as Deribit has it; the sentence is in `data.reason`. */
export function rpcErrorObject({ reason, message, data }: RpcError) {
  return { code: RPC_ERRORS[reason][0], message: reason, data: { reason: message, ...data } };
}
