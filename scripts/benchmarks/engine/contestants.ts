/** Those who run a flow: the peer, the engine's books alone, and the engine with every check. */
import { type LimitOrderOptions, OrderBook, type Side } from "nodejs-order-book";
import { checkAdmission } from "../../../sequencer/engine/admission.ts";
import { crosses, findEntry, placeFor } from "../../../sequencer/engine/book/side.ts";
import type { Risk } from "../../../sequencer/engine/risk.ts";
import { cancel } from "../../../sequencer/engine/transactions/cancel.ts";
import { advanceOrder, orderOf } from "../../../sequencer/engine/transactions/place.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import type { PlaceMessage } from "../../../sequencer/protocol/messages.ts";
import { type Entry, emptyAccount, type Shape } from "../../../sequencer/protocol/state.ts";
import { createMemoryState, type MemoryState } from "../../../sequencer/state/memoryState.ts";
import { ACCOUNTS, BOOKS, DEPTH, MID, type Op, restsText } from "./flow.ts";

/** Takes one operation after the other, from an empty market on. */
export interface Contestant {
  take(op: Op): void;
  /** What rests, as `restsText` writes it. */
  rests(): string;
}

/** nodejs-order-book: one object for each book, and no checks of anybody's margin. */
export function createPeer(): Contestant {
  const books = Array.from({ length: BOOKS }, () => new OrderBook());
  const ids: string[] = [];
  return {
    take({ kind, id: number, book, isSell, price, lots: size }) {
      ids[number] ??= String(number);
      const id = ids[number];
      if (kind === "cancel") {
        books[book]!.cancel(id);
        return;
      }
      const side = (isSell ? "sell" : "buy") as Side;
      const timeInForce = (
        kind === "take" ? "IOC" : "GTC"
      ) as Required<LimitOrderOptions>["timeInForce"];
      const { err } = books[book]!.limit({ id, side, size, price, timeInForce });
      if (err !== null) throw err;
    },
    rests: () =>
      restsText(
        books.flatMap((book) => {
          const [asks, bids] = book.depth();
          const levels = (side: [number, number][]) =>
            side.map(([price, lots]) => ({ price, lots }));
          return [levels(bids), levels(asks).sort((a, b) => a.price - b.price)];
        }),
      ),
  };
}

/** Sides, matching and cancels, as the engine does them, with nothing else. */
export function createBooks(): Contestant {
  const sides = Array.from({ length: 2 * BOOKS }, (): Entry[] => []);
  return {
    take(op) {
      const { kind, id: seq, book, isSell, price, account } = op;
      const own = sides[2 * book + Number(isSell)]!;
      if (kind === "cancel") {
        const place = findEntry(own, { price, seq });
        if (place >= 0) own.splice(place, 1);
        return;
      }
      const left = match(sides[2 * book + Number(!isSell)]!, op);
      if (left === 0 || kind === "take") return;
      const entry = { account, seq, price, lots: left };
      const place = placeFor(own, entry, isSell);
      if (place >= DEPTH) return;
      own.splice(place, 0, entry);
      if (own.length > DEPTH) own.pop();
    },
    rests: () => restsText(sides),
  };
}

function match(side: Entry[], order: Op): number {
  let left = order.lots;
  for (;;) {
    const best = side[0];
    if (best === undefined || !crosses(order, best.price)) return left;
    const lots = Math.min(left, best.lots);
    left -= lots;
    if (best.lots === lots) side.shift();
    else side[0] = { ...best, lots: best.lots - lots };
    if (left === 0) return 0;
  }
}

const SHAPE: Shape = { slots: 64, depth: DEPTH, accountLevels: 10, bookLevels: 5, unit: 1000 };
const CASH = 2 ** 46;
const NOW = 1_800_000_000_000;
const EXPIRY = NOW / 1000 + 30 * 86_400;
const CHANGE = 50;

/**
 * The engine as the door and the executor call it: admission with the account's open orders, then
 * each step with the margin of both sides, self-trade, voidness, fees. No hashes, no signatures.
 */
export function createEngine(): Contestant & { readonly state: MemoryState } {
  const state = createMarket();
  const risk = createRisk();
  const place = (op: Op): void => {
    const { id: seq, book, isSell, price, lots, account } = op;
    const message: PlaceMessage = {
      kind: "place",
      book,
      isSell,
      price,
      lots,
      postOnly: false,
      reduceOnly: false,
      timeInForce: op.kind === "take" ? "ioc" : "gtc",
      deadline: NOW,
    };
    const reject = checkAdmission(state, account, message, { time: NOW, risk });
    if (reject !== undefined) throw new Error(`operation ${seq} is refused: ${reject}`);
    let order = orderOf(account, message, seq);
    for (;;) {
      const { after } = advanceOrder(state, order, risk);
      if (after === undefined) return;
      order = after;
    }
  };
  return {
    state,
    take(op) {
      // As the executor does: what the circuit has no room for is undone.
      state.checkpoint();
      if (op.kind !== "cancel") place(op);
      else {
        const { id: seq, book, isSell, price, account } = op;
        cancel(state, account, { kind: "cancel", book, isSell, price, seq, deadline: NOW });
      }
      state.commit();
    },
    rests: () =>
      restsText(
        Array.from({ length: BOOKS }, (_, id) => state.book(id)!).flatMap(({ bids, asks }) => [
          bids,
          asks,
        ]),
      ),
  };
}

/** Plain books of all slots, then combinations of two. */
function createMarket(): MemoryState {
  const state = createMemoryState(SHAPE);
  for (let id = 0; id < ACCOUNTS; id++) {
    Object.assign(state.editAccount(id), emptyAccount(SHAPE.slots), { owner: 1n, cash: CASH });
  }
  for (let slot = 0; slot < SHAPE.slots; slot++) {
    const terms = {
      status: "listed",
      isCall: slot % 2 === 0,
      strike: MID,
      expiry: EXPIRY,
    } as const;
    Object.assign(state.editSeries(slot), terms, { generation: 1 });
  }
  for (let id = 0; id < BOOKS; id++) {
    const weights = new Array<number>(SHAPE.slots).fill(0);
    weights[id % SHAPE.slots] = id < SHAPE.slots ? 1 : 2;
    if (id >= SHAPE.slots) weights[(7 * id + 3) % SHAPE.slots]! -= 1;
    const generation = weights.reduce((sum, weight) => sum + weight ** 2, 0);
    state.putBook(id, { weights, generation, fees: { taker: 3, maker: -1 }, bids: [], asks: [] });
  }
  return state;
}

function createRisk(): Risk {
  const slots = Array.from({ length: SHAPE.slots }, (_, slot) => slot);
  const marks = slots.map(() => MID);
  const changes = slots.map((slot) =>
    Array.from({ length: SCENARIOS }, (_, row) => ((slot + 3 * row) % (2 * CHANGE)) - CHANGE),
  );
  return { marks, changes };
}
