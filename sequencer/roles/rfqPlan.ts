/** Which quotes are to fill a taker's order. */
import type { PlaceMessage } from "../protocol/messages.ts";
import type { PackageMaker } from "./packageTurn.ts";
import type { KeptQuote } from "./rfqBook.ts";

/**
 * The cheapest of: one quote for all or none, or parts of the others, the best first. At the same
 * cost all-or-none goes first. Undefined: none is left within the limit.
 */
export function planOf(
  quotes: readonly KeptQuote[],
  taker: PlaceMessage,
  excluded: ReadonlySet<PackageMaker>,
): readonly PackageMaker[] | undefined {
  const sign = taker.isSell ? -1 : 1;
  const cost = ({ message }: PackageMaker): number => sign * message.price;
  const within = quotes
    .map(({ maker }) => maker)
    .filter(({ message }) => message.isSell !== taker.isSell && message.book === taker.book)
    .filter((maker) => cost(maker) <= sign * taker.price)
    // Stable: of the same price the one that came first.
    .sort((one, other) => cost(one) - cost(other));
  const known = within.filter((maker) => !excluded.has(maker));
  if (within.length === 0) return undefined;
  const [whole] = known.filter(({ isWhole, message }) => isWhole && message.lots === taker.lots);
  const parts = partsOf(known, taker.lots);
  const partsCost = costOf(parts, taker.lots, cost);
  if (whole !== undefined && cost(whole) * taker.lots <= partsCost) return [whole];
  if (partsCost < Number.POSITIVE_INFINITY) return parts;
  if (whole !== undefined) return [whole];
  // What rests in the book may do what is missing, also alone where quotes were found not to.
  return parts.length > 0 || excluded.size > 0 ? parts : undefined;
}

/** One word of a key: another would extend a head that is gone. */
function partsOf(known: readonly PackageMaker[], lots: number): readonly PackageMaker[] {
  const keys = new Set<string>();
  const parts: PackageMaker[] = [];
  let left = lots;
  for (const maker of known) {
    const key = `${maker.word.account}/${maker.word.keyIndex}`;
    if (maker.isWhole || keys.has(key) || left <= 0) continue;
    keys.add(key);
    parts.push(maker);
    left -= maker.message.lots;
  }
  return parts;
}

/** Of so many lots by these orders; infinite where they have not as many. */
function costOf(
  parts: readonly PackageMaker[],
  lots: number,
  cost: (maker: PackageMaker) => number,
): number {
  let left = lots;
  let sum = 0;
  for (const maker of parts) {
    const taken = Math.min(left, maker.message.lots);
    sum += taken * cost(maker);
    left -= taken;
  }
  return left > 0 ? Number.POSITIVE_INFINITY : sum;
}
