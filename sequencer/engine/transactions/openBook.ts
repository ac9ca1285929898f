/** Opens a book over today's series. Twin: circuits, transactions/openBook. */
import { BOOK_BITS, FEE_BITS, WEIGHT_BITS, WEIGHT_OFFSET } from "../../protocol/constants.ts";
import { type BookFees, feesWord, weightWords } from "../../protocol/state.ts";
import { generationOf, isBookOpen } from "../bookState.ts";
import { type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

export function checkOpenBook(
  view: StateView,
  { book: id, weights, fees }: OperationOf<"openBook">,
  { time }: { time: number },
): string | undefined {
  if (!(Number.isInteger(id) && id >= 0 && id < 2 ** BOOK_BITS)) {
    return `\`book\` must be below 2^${BOOK_BITS}. Got \`${id}\`.`;
  }
  if (weights.length !== view.slots) {
    return `\`weights\` must have ${view.slots} entries. Got \`${weights.length}\`.`;
  }
  const bad = weights.find((weight) => {
    const encoded = weight + WEIGHT_OFFSET;
    return !(Number.isInteger(encoded) && encoded >= 0 && encoded < 2 ** WEIGHT_BITS);
  });
  if (bad !== undefined) return `A weight must lie between -8 and 7. Got \`${bad}\`.`;
  if (weights.every((weight) => weight === 0)) return "A book must have at least one weight.";
  const badFees = checkFees(fees);
  if (badFees !== undefined) return badFees;
  // It would go on in a book of other series.
  if (view.carry()?.book === id) return `An interrupted order is in book \`${id}\`.`;
  const before = view.book(id);
  if (before === undefined || !isBookOpen(view, before, time)) return undefined;
  return `Book \`${id}\` is open.`;
}

/** Rates fit their words, and a rebate is at most what the taker pays. */
function checkFees({ taker, maker }: BookFees): string | undefined {
  const limit = 2 ** FEE_BITS;
  if (!(Number.isInteger(taker) && taker >= 0 && taker < limit)) {
    return `\`fees.taker\` must be from 0 to 2^${FEE_BITS} - 1. Got \`${taker}\`.`;
  }
  if (Number.isInteger(maker) && maker >= -taker && maker < limit) return undefined;
  return `\`fees.maker\` must be from \`${-taker}\` to 2^${FEE_BITS} - 1. Got \`${maker}\`.`;
}

/** Orders of the book that was there before are gone: it could not trade any more. */
export function applyOpenBook(
  view: StateView,
  operation: OperationOf<"openBook">,
): OperationRecord {
  const { book, fees } = operation;
  const weights = [...operation.weights];
  const generation = generationOf(weights, view.series());
  view.putBook(book, { weights, generation, fees: { ...fees }, bids: [], asks: [] });
  const words = [...weightWords(weights), feesWord(fees)];
  return recordOf(operation, "executed", { stated: { book }, words });
}
