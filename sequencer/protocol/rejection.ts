/**
 * Why an instruction had no effect. *Door* codes refuse a message before it is sequenced: its key's
 * chain does not move and nothing is proven. *Outcome* codes belong to sequenced messages: the
 * chain has moved and the circuit proves the outcome.
 */

/** Refused before sequencing: number (JSON-RPC error code) and what it means. */
export const DOOR_REJECTS = {
  malformed: [-32001, "the message is not well formed"],
  unknownAccount: [-32010, "no such account"],
  unknownKey: [-32011, "no such trading key on this account"],
  keyExpired: [-32012, "the trading key has expired"],
  wrongHead: [-32013, "the message does not extend the key's chain"],
  badSignature: [-32014, "the signature does not fit key and chain head"],
  deadlinePassed: [-32015, "the message's deadline has passed"],
  accountLocked: [-32016, "the account is being liquidated"],
  unknownBook: [-32020, "no such book"],
  bookClosed: [-32021, "a series of the book has expired or was replaced"],
  badPrice: [-32022, "the price is out of range"],
  badLots: [-32023, "the quantity is out of range"],
  badFlags: [-32024, "these order flags do not go together"],
  insufficientMargin: [-32030, "the order's worst fill would leave the account without margin"],
  limitExceeded: [-32031, "position or notional limit exceeded"],
  priceOutOfBand: [-32033, "the price is too far from the mark"],
  openInterestExceeded: [-32034, "the series' open interest is at its cap"],
  takeoverRefused: [-32035, "the takeover is not open to this account at these terms"],
  insufficientCash: [-32032, "the amount exceeds what may be withdrawn"],
  rateLimited: [-32040, "too many messages"],
  overloaded: [-32041, "the venue is at its backlog bound; cancels are still taken"],
  noSnapshot: [-32042, "no fresh risk snapshot"],
  unknownHead: [-32044, "the log has no such record as the message has seen"],
  staleView: [-32045, "what the message has seen of the log is too old"],
  heldFull: [-32046, "as many words are held as may be"],
  quotesFrozen: [-32047, "market-maker protection refuses orders that rest until it ends"],
  forbidden: [-32048, "the key's scope does not allow this"],
  packageUnfilled: [-32049, "the quotes and the book do not fill it as it was asked for"],
  booksFull: [-32050, "as many books are open, or were asked for, as may be"],
  rfqClosed: [-32051, "no such request for quotes or quote is open"],
  rfqFull: [-32052, "as many requests or quotes are open as may be"],
  tradingPaused: [-32043, "trading is paused; cancels are still taken"],
} as const satisfies Record<string, readonly [number, string]>;
export type DoorReject = keyof typeof DOOR_REJECTS;

/** Proven outcomes of a sequenced order's remainder or of a request. */
export const OUTCOMES = {
  rested: "the remainder rests in the book",
  filled: "filled completely",
  killed: "immediate-or-cancel remainder, or reduce-only with nothing to reduce",
  postOnlyWouldCross: "post-only order would have traded",
  fokNotFillable: "fill-or-kill could not be filled completely",
  takerMargin: "the fill would leave the taker without margin",
  sideFull: "the side is full of better orders",
  cancelled: "the order was cancelled",
  allCancelled: "every order placed before is void",
  notFound: "no such order",
  notOwner: "the order belongs to another account",
  interrupted: "carries on in the next batch",
  executed: "done",
  refused: "the account would be left without margin or cash, or there is no such recipient",
} as const satisfies Record<string, string>;
export type Outcome = keyof typeof OUTCOMES;

/** Why a resting order left the book without its owner's asking. */
export const REMOVALS = {
  void: "voided by its owner's cancel-all",
  selfTrade: "would have traded with its owner",
  makerMargin: "the fill would have left its owner without margin",
  evicted: "a better order needed the place",
} as const satisfies Record<string, string>;
export type Removal = keyof typeof REMOVALS;
