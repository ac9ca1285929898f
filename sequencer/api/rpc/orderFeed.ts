/**
 * Orders as their owners know them: with label, amount and what was filled, which the state does
 * not keep. What happened before the node began is not in it; what rests from then is read from
 * the service.
 */
import type { OpenOrder, OrderUpdate, Receipt } from "../../exchangeService.ts";
import type { TimeInForce } from "../../protocol/constants.ts";
import type { PlaceMessage } from "../../protocol/messages.ts";
import { orderIdText } from "../../protocol/orderId.ts";
import type { Outcome, Removal } from "../../protocol/rejection.ts";

/** Orders that have ended, over all accounts. */
export const CLOSED_KEPT = 20_000;

export interface KnownOrder {
  readonly orderId: string;
  readonly account: number;
  readonly instrument: string;
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly seq: number;
  /** In lots; `lots` as it was placed, or as it was when first seen. */
  readonly lots: number;
  readonly left: number;
  readonly filled: number;
  /** Sum of price times lots, and fees in 1e-6 USDC. */
  readonly turnover: number;
  readonly fees: number;
  readonly state: "open" | "filled" | "cancelled" | "rejected";
  readonly reason: Outcome | Removal | null;
  readonly label: string;
  /** Null: not known, as the order came another way. */
  readonly timeInForce: TimeInForce | null;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface OrderFeed {
  /** The order after the update. */
  observe(update: OrderUpdate, instrument: string): KnownOrder;
  /** What the author has said beside the word, once its receipt is there. */
  place(message: PlaceMessage, receipt: Receipt, said: Said): KnownOrder;
  /** An order that rested before this was begun. */
  resting(order: OpenOrder, instrument: string, time: number): KnownOrder;
  byId(account: number, orderId: string): KnownOrder | undefined;
  /** Newest first. */
  closed(account: number): readonly KnownOrder[];
  byLabel(account: number, label: string): readonly KnownOrder[];
}

export interface Said {
  readonly instrument: string;
  readonly label: string;
}

const UNSAID = { label: "", timeInForce: null, postOnly: false, reduceOnly: false } as const;

export function createOrderFeed(): OrderFeed {
  const open = new Map<string, KnownOrder>();
  const closed = new Map<string, KnownOrder>();
  const keyOf = (account: number, orderId: string) => `${account}/${orderId}`;
  const get = (key: string) => open.get(key) ?? closed.get(key);
  const put = (order: KnownOrder): KnownOrder => {
    const key = keyOf(order.account, order.orderId);
    if (order.state === "open") {
      open.set(key, order);
      return order;
    }
    open.delete(key);
    closed.set(key, order);
    for (const oldest of closed.keys()) {
      if (closed.size <= CLOSED_KEPT) break;
      closed.delete(oldest);
    }
    return order;
  };
  const own = (orders: Iterable<KnownOrder>, account: number) =>
    [...orders].filter((order) => order.account === account);
  return {
    observe: (update, instrument) =>
      put(updated(get(keyOf(update.account, update.orderId)), update, instrument)),
    place(message, receipt, { instrument, label }) {
      const { account, seq, time } = receipt;
      const { book, isSell, price, lots, timeInForce, postOnly, reduceOnly } = message;
      const place = { book, isSell, price, seq: seq ?? 0 };
      const orderId = orderIdText(place);
      const said = { label, timeInForce, postOnly, reduceOnly, lots };
      const known = get(keyOf(account, orderId));
      if (known !== undefined) return put({ ...known, ...said });
      const { fills, restingLots, outcome } = receipt;
      const filled = fills.reduce((sum, fill) => sum + fill.lots, 0);
      return put({
        ...{ orderId, account, instrument, ...place, ...said, filled, left: restingLots },
        turnover: fills.reduce((sum, fill) => sum + fill.lots * fill.price, 0),
        fees: fills.reduce((sum, fill) => sum + fill.fee, 0),
        state: stateOf(restingLots > 0 ? null : outcome, filled),
        reason: restingLots > 0 ? null : outcome,
        ...{ createdAt: time, updatedAt: time },
      });
    },
    resting(order, instrument, time) {
      const known = get(keyOf(order.account, order.orderId));
      if (known !== undefined) return known;
      const { orderId, account, book, isSell, price, seq, lots } = order;
      return put({
        ...{ orderId, account, instrument, book, isSell, price, seq, lots, left: lots },
        ...{ ...NOTHING_DONE, ...UNSAID, timeInForce: "gtc", createdAt: time, updatedAt: time },
      });
    },
    byId: (account, orderId) => get(keyOf(account, orderId)),
    closed: (account) => own(closed.values(), account).reverse(),
    byLabel: (account, label) =>
      own([...closed.values(), ...open.values()], account)
        .filter((order) => order.label === label)
        .reverse(),
  };
}

const NOTHING_DONE = {
  ...({ filled: 0, turnover: 0, fees: 0 } as const),
  ...({ state: "open", reason: null } as const),
};

function updated(
  known: KnownOrder | undefined,
  update: OrderUpdate,
  instrument: string,
): KnownOrder {
  const { orderId, account, book, isSell, price, seq, lots: left, fill, reason, time } = update;
  const before: KnownOrder = known ?? {
    ...{ orderId, account, instrument, book, isSell, price, seq },
    ...{ lots: left + (fill?.lots ?? 0), left, ...NOTHING_DONE, ...UNSAID },
    ...{ createdAt: time, updatedAt: time },
  };
  const filled = before.filled + (fill?.lots ?? 0);
  const rests = update.state === "open" && fill === null;
  return {
    ...before,
    ...{ left, filled, reason, updatedAt: time },
    turnover: before.turnover + (fill?.lots ?? 0) * (fill?.price ?? 0),
    fees: before.fees + (fill?.fee ?? 0),
    state: stateOf(update.state === "open" ? null : reason, filled),
    // Nothing else rests.
    timeInForce: rests ? "gtc" : before.timeInForce,
  };
}

/** Of an order by what has ended it; null: nothing yet. */
function stateOf(reason: Outcome | Removal | null, filled: number): KnownOrder["state"] {
  if (reason === null) return "open";
  if (reason === "filled") return "filled";
  if (reason === "postOnlyWouldCross" || reason === "sideFull") return "rejected";
  return reason === "takerMargin" && filled === 0 ? "rejected" : "cancelled";
}
