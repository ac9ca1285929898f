/**
 * One realistic flow of orders, the same for every contestant: of a hundred operations sixty add
 * near the touch, thirty cancel, ten take; spread over 200 books, as an options chain is.
 */
import { createChance } from "../../../test/simulation/random.ts";

export const BOOKS = 200;
export const ACCOUNTS = 1000;
export const DEPTH = 32;
/** Ticks; every book's price swings about it. */
export const MID = 500;
const SPREAD = 2;
const NEAR_TICKS = 12;
const ADD_LOTS_MAX = 9;
const TAKE_LOTS_MAX = 31;
const TAKE_TICKS = 8;
/** A side that has so many orders gets no more: none is ever evicted. */
const SIDE_MAX = 24;
const SWING_EVERY = 5000;

export type OpKind = "add" | "cancel" | "take";

/** An order's `id` is its number in the flow from 1 on; a cancel names one that rests then. */
export interface Op {
  readonly kind: OpKind;
  readonly id: number;
  readonly book: number;
  readonly isSell: boolean;
  /** Ticks. */
  readonly price: number;
  readonly lots: number;
  readonly account: number;
}

interface Resting {
  readonly op: Op;
  lots: number;
}

export interface Flow {
  readonly ops: readonly Op[];
  /** What rests at the end: contestants that leave something else did other work. */
  readonly rests: string;
}

/** Best first. */
export type Levels = readonly { readonly price: number; readonly lots: number }[];

/** Sides as text, bids then asks of each book. */
export function restsText(sides: Iterable<Levels>): string {
  const texts = Array.from(sides, (side) => {
    const levels = new Map<number, number>();
    for (const { price, lots } of side) levels.set(price, (levels.get(price) ?? 0) + lots);
    return [...levels].map(([price, lots]) => `${price}:${lots}`).join(" ");
  });
  return texts.join("\n");
}

/** `count` operations by a simple book with sorted lists. */
export function createFlow(count: number, seed: number): Flow {
  const chance = createChance(seed);
  const sides = Array.from({ length: 2 * BOOKS }, (): Resting[] => []);
  const ops: Op[] = [];
  while (ops.length < count) {
    const op = nextOp({ chance, sides, id: ops.length + 1 });
    if (op === undefined) continue;
    ops.push(op);
    const own = sides[2 * op.book + Number(op.isSell)]!;
    if (op.kind === "cancel")
      own.splice(
        own.findIndex((each) => each.op.id === op.id),
        1,
      );
    else {
      const lots = meet(sides[2 * op.book + Number(!op.isSell)]!, op);
      if (op.kind === "add" && lots > 0) insert(own, { op, lots });
    }
  }
  const rests = sides.map((side) => side.map(({ op: { price }, lots }) => ({ price, lots })));
  return { ops, rests: restsText(rests) };
}

function nextOp(world: {
  readonly chance: ReturnType<typeof createChance>;
  readonly sides: readonly Resting[][];
  readonly id: number;
}): Op | undefined {
  const { chance, sides, id } = world;
  const book = chance.pick(BOOKS);
  const isSell = chance.happens(50);
  const kind = kindOf(chance.pick(100));
  const own = sides[2 * book + Number(isSell)]!;
  if (kind === "cancel") {
    const found = own[chance.pick(Math.max(1, own.length))];
    return found && { ...found.op, kind };
  }
  const centre = MID + Math.round(20 * Math.sin((id / SWING_EVERY + book) % (2 * Math.PI)));
  // Nobody meets himself: peers know no owners, and would trade where the engine must not.
  const account = 2 * chance.pick(ACCOUNTS / 2) + Number(isSell);
  const common = { kind, id, book, isSell, account } as const;
  if (kind === "take") {
    const price = centre + (isSell ? -TAKE_TICKS : TAKE_TICKS);
    return { ...common, price, lots: 1 + chance.pick(TAKE_LOTS_MAX) };
  }
  if (own.length >= SIDE_MAX) return undefined;
  const away = SPREAD + chance.pick(NEAR_TICKS);
  return {
    ...{ ...common, price: centre + (isSell ? away : -away) },
    lots: 1 + chance.pick(ADD_LOTS_MAX),
  };
}

function kindOf(number: number): OpKind {
  return number < 60 ? "add" : number < 90 ? "cancel" : "take";
}

/** The lots that are left. */
function meet(side: Resting[], { isSell, price, lots }: Op): number {
  let left = lots;
  while (left > 0) {
    const best = side[0];
    if (best === undefined || (isSell ? best.op.price < price : best.op.price > price)) break;
    const quantity = Math.min(left, best.lots);
    left -= quantity;
    best.lots -= quantity;
    if (best.lots === 0) side.shift();
  }
  return left;
}

function insert(side: Resting[], order: Resting): void {
  const { isSell, price } = order.op;
  const place = side.findIndex(({ op }) => (isSell ? op.price > price : op.price < price));
  side.splice(place < 0 ? side.length : place, 0, order);
}
