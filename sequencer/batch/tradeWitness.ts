/** Inputs and public words of the trade circuit. Twin: circuits/trade.circom. */

import type { Fill, StepRecord } from "../engine/records.ts";
import { pack } from "../protocol/codec.ts";
import {
  MESSAGE_KINDS,
  PRICE_OFFSET,
  TIME_IN_FORCE,
  TRADE_WORD_KINDS,
} from "../protocol/constants.ts";
import { FILL, TRADE_MESSAGE } from "../protocol/layout.ts";
import { sharedLevels } from "../protocol/merklePath.ts";
import { feesWord, sideWords, weightWords } from "../protocol/state.ts";
import type { StepDraft } from "./inputDraft.ts";
import type { CircuitInputs } from "./sealedBatch.ts";
import type { TradeSizes } from "./sizes.ts";
import { field, fields, type Opening, signerOrder } from "./witness.ts";
import { needsFillUnit, padded, signerId, type WorkingSet } from "./workingSet.ts";

/** Opens each book, in ascending order, and moves the tree to the new leaves. */
export function bookInputs(
  { base, trees, leaves, set }: Opening,
  sizes: TradeSizes,
): CircuitInputs {
  const ids = padded(set.books, sizes.books);
  const shared = sharedLevels(sizes.books, sizes.bookLevels);
  const bookTop = fields(trees.books.top(shared));
  const paths = trees.books.replace(ids, leaves.books, sizes.bookLevels - shared);
  const books = ids.map((id) => base.book(id));
  const sideOf = (isSell: boolean) =>
    books.map((book) =>
      fields(sideWords(isSell, (isSell ? book?.asks : book?.bids) ?? [], sizes.depth)),
    );
  return {
    bookIds: fields(ids),
    bookExists: fields(books.map((book) => (book === undefined ? 0 : 1))),
    bookWeights: books.map((book) =>
      fields(book === undefined ? [0n, 0n] : weightWords(book.weights)),
    ),
    bookGeneration: fields(books.map((book) => book?.generation ?? 0)),
    bookFees: fields(books.map((book) => (book === undefined ? 0n : feesWord(book.fees)))),
    bids: sideOf(false),
    asks: sideOf(true),
    bookSiblings: paths.map((path) => path.map(fields)),
    bookTop,
  };
}

/** The steps, filled up with idle ones. */
export function stepInputs(
  drafts: readonly StepDraft[],
  set: WorkingSet,
  sizes: TradeSizes,
): CircuitInputs {
  const order = signerOrder(set);
  const steps = Array.from({ length: sizes.steps }, (_, index) => drafts[index]);
  const flags = (kind: StepRecord["kind"]) =>
    steps.map((step) => field(step !== undefined && step.kind === kind));
  return {
    isPlace: flags("place"),
    isCancel: flags("cancel"),
    isCancelAll: flags("cancelAll"),
    isProceed: flags("proceed"),
    isPurge: flags("purge"),
    isLiquidate: flags("liquidate"),
    stepSigner: steps.map((step) =>
      field(step?.signer === undefined ? 0 : order.indexOf(step.signer)),
    ),
    word: steps.map((step) => field(step?.word ?? 0n)),
    isDoomed: steps.map((step) => field(step?.isDoomed ?? false)),
    makerFails: steps.map((step) => field(step?.makerFails ?? false)),
    fills: steps.map((step) => field((step?.filledLots ?? 0) > 0)),
    filledLots: steps.map((step) => field(step?.filledLots ?? 0)),
    ...fillInputs(drafts, sizes),
  };
}

/** Of the fill units, which take what steps hand over in order, and are idle behind the last. */
function fillInputs(drafts: readonly StepDraft[], { fills }: TradeSizes): CircuitInputs {
  const scenarios = drafts.flatMap(({ scenario }) => scenario ?? []);
  return { scenario: Array.from({ length: fills }, (_, unit) => field(scenarios[unit] ?? 0)) };
}

/** What of the records the circuit is told. */
export function draftSteps(records: readonly StepRecord[]): StepDraft[] {
  const doomed = doomedSeqs(records);
  return records.map((step) => ({
    kind: step.kind,
    signer: "author" in step ? signerId(step.author) : undefined,
    word: stepWord(step),
    isDoomed: step.kind === "place" && doomed.has(step.seq),
    makerFails: "order" in step && step.order.orderCase === "makerMargin",
    filledLots: "order" in step ? (step.order.fill?.lots ?? 0) : 0,
    scenario: needsFillUnit(step) ? scenarioOf(step) : undefined,
  }));
}

function scenarioOf(step: StepRecord): number {
  return step.kind === "liquidate" ? step.scenario : 0;
}

const NO_ORDER = { lots: 0, timeInForce: 0, postOnly: 0, reduceOnly: 0, deadline: 0 };

/**
 * A step's word: what was signed, the name of the purged order, or a liquidation's order with the
 * account in the place of a seq.
 */
function stepWord(step: StepRecord): bigint {
  if ("word" in step) return step.word;
  if (step.kind !== "purge" && step.kind !== "liquidate") return 0n;
  const { book } = step;
  const place = { book, isSell: step.isSell ? 1 : 0, price: step.price + PRICE_OFFSET };
  if (step.kind === "purge") {
    return pack(TRADE_MESSAGE, { ...NO_ORDER, ...place, kind: 0, seq: step.seq });
  }
  return pack(TRADE_MESSAGE, {
    ...NO_ORDER,
    ...place,
    kind: MESSAGE_KINDS.liquidate,
    lots: step.lots,
    timeInForce: TIME_IN_FORCE.ioc,
    reduceOnly: step.reduceOnly ? 1 : 0,
    seq: step.account,
  });
}

/** Seqs of fill-or-kill orders that abort: their fills stay out of the public words. */
function doomedSeqs(records: readonly StepRecord[]): Set<number> {
  const orders = records.flatMap((record) => ("order" in record ? [record.order] : []));
  return new Set(orders.filter(({ aborted }) => aborted).map(({ before }) => before.seq));
}

/** One public word for each fill unit: the fill, if there is one that stands. */
export function fillWords(records: readonly StepRecord[], units: number): bigint[] {
  const doomed = doomedSeqs(records);
  const handedOver = records.filter(needsFillUnit);
  return Array.from({ length: units }, (_, unit) => {
    const record = handedOver[unit];
    if (record === undefined || !("order" in record)) return 0n;
    const { fill, before } = record.order;
    return fill === undefined || doomed.has(before.seq) ? 0n : fillWord(fill);
  });
}

function fillWord(fill: Fill): bigint {
  return pack(FILL, {
    kind: TRADE_WORD_KINDS.fill,
    taker: fill.taker,
    maker: fill.maker,
    book: fill.book,
    takerIsSell: fill.takerIsSell ? 1 : 0,
    price: fill.price + PRICE_OFFSET,
    lots: fill.lots,
  });
}
