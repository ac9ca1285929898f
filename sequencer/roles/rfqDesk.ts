/**
 * Requests for quotes. A quote is a signed order that its maker has left for one request; the taker
 * accepts with a signed order of his own, and both are executed in one turn (packageTurn.ts), or
 * neither. What the sequencer could do wrong here is to do nothing: it can alter no word.
 */
import type { Receipt, Refused, Submission } from "../exchangeService.ts";
import type { Made, PackageTrading, QuoteRequest, RfqNews, RfqRequest } from "../packageTrading.ts";
import type { Clock } from "../ports.ts";
import {
  isAskedOf,
  type PackageLimits,
  QUOTES_PER_RFQ_MAX,
  type QuoteEnd,
  type QuoteInfo,
  RFQ_MAKERS_MAX,
  type RfqInfo,
  type RfqTrade,
} from "../protocol/blockRfq.ts";
import { isTradeMessage, messageFromWord, type PlaceMessage } from "../protocol/messages.ts";
import type { MemoryState } from "../state/memoryState.ts";
import { createBlockDesk, tradeOf } from "./blockDesk.ts";
import { refuse } from "./doorChecks.ts";
import type { Effect } from "./effect.ts";
import type { Intake } from "./intake.ts";
import type { PackageDone, PackageMaker, PackageResult } from "./packageTurn.ts";
import {
  createRfqBook,
  type KeptQuote,
  type KeptRfq,
  openQuotes,
  type RfqBook,
} from "./rfqBook.ts";
import { planOf } from "./rfqPlan.ts";

export interface RfqOptions {
  readonly state: MemoryState;
  readonly clock: Clock;
  readonly limits: PackageLimits;
  /** Once the door is made. */
  door(): Pick<Intake, "submit" | "submitPackage" | "admitPlace">;
  publish(news: RfqNews): void;
  publishTrade(trade: RfqTrade): void;
}

type Service = PackageTrading<Refused, Receipt>;

export interface RfqDesk
  extends Pick<
    Service,
    | ("request" | "cancelRequest" | "quote" | "editQuote" | "cancelQuotes" | "accept")
    | ("checkBlock" | "block" | "requests" | "quotes" | "rfqTrades")
  > {
  /** Right after the entry's execution: a key's chain may have moved. */
  executed(effect: Effect): void;
  tick(now: number): void;
}

interface Desk extends RfqOptions {
  readonly book: RfqBook;
  /** Accounts whose chains or keys have moved since they were looked at. */
  readonly moved: Set<number>;
}

export function createRfqDesk(options: RfqOptions): RfqDesk {
  const { clock } = options;
  const desk: Desk = { ...options, book: createRfqBook(), moved: new Set() };
  const { book, moved } = desk;
  return {
    request: async (request) => open(desk, request),
    cancelRequest: async (account, id) => {
      const rfq = book.find(id);
      if (rfq === undefined || rfq.info.account !== account) return closed("request", id);
      end(desk, rfq, "cancelled");
      return { accepted: true, rfq: rfq.info };
    },
    quote: async (request) => {
      const rfq = book.find(request.rfq);
      const full = rfq && book.quoteFullness(rfq, request.signed.account);
      if (full !== undefined) return refuse("rfqFull", full);
      return leave(desk, rfq, request, undefined);
    },
    editQuote: async (id, request) => {
      const found = book.findQuote(id);
      const { account, keyIndex } = request.signed;
      if (found?.quote.info.account !== account) return closed("quote", id);
      if (found.quote.info.keyIndex !== keyIndex) {
        return refuse("malformed", "a quote is replaced by a word of the same key");
      }
      return leave(desk, found.rfq, { ...request, rfq: found.rfq.info.id }, found.quote);
    },
    cancelQuotes: async (account, wanted) => {
      const own = [...book.open()].flatMap((rfq) =>
        openQuotes(rfq)
          .filter(({ info }) => info.account === account && wanted(info))
          .map((quote) => ({ rfq, quote })),
      );
      for (const { rfq, quote } of own) endQuote(desk, rfq, quote, "cancelled");
      return own.map(({ quote }) => quote.info);
    },
    accept: (id, taker) => accept(desk, id, taker),
    ...createBlockDesk(desk),
    requests: async () => book.all().map(({ info }) => info),
    quotes: async () => book.all().flatMap(({ quotes }) => [...quotes.values()].map(infoOf)),
    rfqTrades: async () => book.trades(),
    executed: ({ entry, operation }) => {
      if (entry.type === "message") moved.add(entry.author.account);
      const done = operation?.operation;
      if (done !== undefined && "author" in done) moved.add(done.author.account);
      else if (done !== undefined && "keyIndex" in done) moved.add(done.account);
    },
    tick: (now) => {
      for (const rfq of [...book.open()]) {
        const { expiresAt, quotesFrom } = rfq.info;
        if (expiresAt <= now && !rfq.isTaken) end(desk, rfq, "expired");
        else endQuotes(desk, rfq, now);
        if (!rfq.areQuotesSeen && quotesFrom <= now) tell(desk, rfq, []);
      }
      moved.clear();
    },
  };
  function closed(what: string, id: number): Refused {
    return refuse("rfqClosed", `no open ${what} \`${id}\` of this account`, { time: clock.now() });
  }
}

function infoOf({ info }: KeptQuote): QuoteInfo {
  return info;
}

function open(desk: Desk, request: RfqRequest): Made<"rfq", RfqInfo> | Refused {
  const { book, clock, limits } = desk;
  const { account, lots, makers } = request;
  if (lots < limits.rfqLotsMin) {
    return refuse("badLots", `a request is of at least ${limits.rfqLotsMin} lots`);
  }
  if (makers !== null && (makers.length < 1 || makers.length > RFQ_MAKERS_MAX)) {
    return refuse("malformed", `a request names 1 to ${RFQ_MAKERS_MAX} makers, or none`);
  }
  const full = book.fullness(account);
  if (full !== undefined) return refuse("rfqFull", full);
  const now = clock.now();
  const rfq = book.add({
    ...{ ...request, id: book.nextId(now), state: "open", trade: null, createdAt: now },
    ...{ quotesFrom: now + limits.graceMs, expiresAt: now + limits.lifeMs },
  });
  tell(desk, rfq, []);
  return { accepted: true, rfq: rfq.info };
}

function tell({ publish, clock }: Desk, rfq: KeptRfq, changed: readonly KeptQuote[]): void {
  const { info } = rfq;
  rfq.areQuotesSeen ||= info.quotesFrom <= clock.now();
  const { areQuotesSeen } = rfq;
  const quotes = openQuotes(rfq).map(infoOf);
  publish({ rfq: info, quotes, changed: changed.map(infoOf), areQuotesSeen });
}

function end(desk: Desk, rfq: KeptRfq, state: "cancelled" | "expired" | "filled"): void {
  const left = desk.book.end(rfq, state, desk.clock.now());
  tell(desk, rfq, left);
}

function endQuote(
  desk: Desk,
  rfq: KeptRfq,
  quote: KeptQuote,
  state: "cancelled" | "expired",
  reason?: QuoteEnd,
): void {
  desk.book.endQuote(quote, state, desk.clock.now(), reason);
  tell(desk, rfq, [quote]);
}

/** Those that cannot act any more. */
function endQuotes(desk: Desk, rfq: KeptRfq, now: number): void {
  for (const quote of openQuotes(rfq)) {
    const { account, expiresAt } = quote.info;
    if (expiresAt <= now) endQuote(desk, rfq, quote, "expired");
    else if (desk.moved.has(account) && !rfq.isTaken) {
      const reason = chainFault(desk.state, quote.maker, now);
      if (reason !== undefined) endQuote(desk, rfq, quote, "cancelled", reason);
    }
  }
}

function chainFault(
  state: MemoryState,
  { word, before }: PackageMaker,
  now: number,
): QuoteEnd | undefined {
  const key = state.session(word.account).keys[word.keyIndex];
  if (key === undefined || key.expiry * 1000 <= now) return "keyChanged";
  return key.head === before ? undefined : "headUsed";
}

/** A quote, in the place of another one where that is given. */
function leave(
  desk: Desk,
  rfq: KeptRfq | undefined,
  request: QuoteRequest,
  replaced: KeptQuote | undefined,
): Made<"quote", QuoteInfo> | Refused {
  const { book, clock } = desk;
  const { signed, isWhole, label, cancel } = request;
  const isSeen = rfq !== undefined && isAskedOf(rfq.info, signed.account);
  if (!isSeen) return refuse("rfqClosed", `no open request \`${request.rfq}\``);
  const admitted = desk.door().admitPlace(signed);
  if ("refused" in admitted) return admitted.refused;
  const { message, before } = admitted.value;
  const now = clock.now();
  const fault = quoteFault(rfq.info, message, isWhole) ?? cancelFault(request);
  if (fault !== undefined) return refuse("malformed", fault);
  const { account, keyIndex } = signed;
  const { isSell, price, lots, deadline } = message;
  const info: QuoteInfo = {
    id: replaced?.info.id ?? book.nextId(now),
    ...{ rfq: rfq.info.id, account, keyIndex, isSell, price, lots, isWhole, label },
    ...{ createdAt: replaced?.info.createdAt ?? now, updatedAt: now, expiresAt: deadline },
    ...{ state: "open", reason: null, filledLots: 0, orderId: null, restingLots: 0 },
    isReplaced: replaced !== undefined,
  };
  const maker = { word: signed, message, before, isWhole };
  const quote: KeptQuote = { info, maker, cancel: cancel ?? undefined };
  rfq.quotes.delete(info.id);
  rfq.quotes.set(info.id, quote);
  forgetEnded(rfq);
  tell(desk, rfq, [quote]);
  return { accepted: true, quote: info };
}

/** As many that have ended are remembered as may be open. */
function forgetEnded({ quotes }: KeptRfq): void {
  const ended = [...quotes.values()].filter(({ info }) => info.state !== "open");
  const most = Math.max(0, ended.length - QUOTES_PER_RFQ_MAX);
  for (const { info } of ended.slice(0, most)) quotes.delete(info.id);
}

function quoteFault(
  rfq: RfqInfo,
  { book, postOnly, lots, deadline }: PlaceMessage,
  isWhole: boolean,
): string | undefined {
  if (book !== rfq.book) return `the word is of book \`${book}\`, the request of \`${rfq.book}\``;
  if (!postOnly) return "a quote's word is that of a post-only order";
  if (lots > rfq.lots) return `the request is of \`${rfq.lots}\` lots. Got \`${lots}\``;
  if (isWhole && lots !== rfq.lots) {
    return `a quote for all or none is of all \`${rfq.lots}\` lots. Got \`${lots}\``;
  }
  if (deadline <= rfq.expiresAt) return undefined;
  const end = `after the request's end, \`${rfq.expiresAt}\``;
  return `the word's deadline is ${end}. Got \`${deadline}\``;
}

function cancelFault({ cancel, signed }: QuoteRequest): string | undefined {
  if (cancel === null) return undefined;
  const message = messageFromWord(cancel.word);
  const isCancel = message !== undefined && isTradeMessage(message) && message.kind === "cancelAll";
  if (!isCancel || cancel.account !== signed.account || cancel.keyIndex === signed.keyIndex) {
    return "what takes back the rest is a cancel-all by another key of the same account";
  }
  return undefined;
}

function takerFault(rfq: RfqInfo, { book, timeInForce, lots }: PlaceMessage): string | undefined {
  if (book !== rfq.book) return `the word is of book \`${book}\`, the request of \`${rfq.book}\``;
  if (timeInForce !== "fok") return "the taker's word is that of a fill-or-kill order";
  if (lots <= rfq.lots) return undefined;
  return `the request is of \`${rfq.lots}\` lots. Got \`${lots}\``;
}

async function accept(desk: Desk, id: number, taker: Submission): ReturnType<Service["accept"]> {
  const { book, clock, limits } = desk;
  const rfq = book.find(id);
  if (rfq === undefined || rfq.info.account !== taker.account || rfq.isTaken) {
    return refuse("rfqClosed", `no open request \`${id}\` of this account`);
  }
  const { quotesFrom } = rfq.info;
  if (clock.now() < quotesFrom) {
    return refuse("rfqClosed", "quotes can be accepted after the grace period", { quotesFrom });
  }
  const message = messageFromWord(taker.word);
  if (message?.kind !== "place") return refuse("malformed", "the word is not that of an order");
  const fault = takerFault(rfq.info, message);
  if (fault !== undefined) return refuse("malformed", fault);
  if (message.lots < limits.rfqLotsMin) {
    return refuse("badLots", `at least ${limits.rfqLotsMin} lots are traded by a request`);
  }
  rfq.isTaken = true;
  let result: PackageResult;
  try {
    const plan = (excluded: ReadonlySet<PackageMaker>) => {
      const quotes = openQuotes(rfq).filter(({ info }) => info.expiresAt > clock.now());
      // A request that was cancelled while it waited for its round has none.
      return planOf(quotes, message, excluded);
    };
    result = await desk.door().submitPackage({ taker, plan });
  } finally {
    rfq.isTaken = false;
  }
  if (!result.accepted) return result;
  return settle(desk, rfq, message, result);
}

function settle(desk: Desk, rfq: KeptRfq, message: PlaceMessage, done: PackageDone) {
  const { book, clock } = desk;
  const now = clock.now();
  const trade = tradeOf(rfq.info.id, message, done);
  const filled: KeptQuote[] = [];
  for (const { maker, orderId, filledLots, restingLots } of done.orders) {
    const quote = [...rfq.quotes.values()].find((known) => known.maker === maker);
    if (quote === undefined) continue;
    book.endQuote(quote, "filled", now);
    quote.info = { ...quote.info, orderId, filledLots, restingLots };
    filled.push(quote);
    if (restingLots > 0 && quote.cancel !== undefined) takeBack(desk, quote.cancel);
  }
  rfq.info = { ...rfq.info, trade };
  const isOpen = book.find(rfq.info.id) === rfq;
  const left = isOpen ? book.end(rfq, "filled", now) : [];
  tell(desk, rfq, [...filled, ...left]);
  book.keepTrade(trade);
  desk.publishTrade(trade);
  return { accepted: true, trade, receipt: done.receipt } as const;
}

/** Goes through the door as any cancel, in the round that comes. */
function takeBack(desk: Desk, cancel: Submission): void {
  desk
    .door()
    .submit(cancel)
    // A node that has halted answers nothing more.
    .catch(() => undefined);
}
