/** How a bot's wishes become orders: paced, told, and never more than one turn's at once. */

import type { Exchange } from "../client/exchange.ts";
import type { Trader } from "../client/trader.ts";
import type { Receipt, Wire } from "../exchangeService.ts";
import { formatPrice, formatQuantity } from "../market/decimal.ts";
import { parseOrderId } from "../protocol/orderId.ts";
import { createPacing } from "./pacing.ts";
import type { Own, OwnOrder, Wanted } from "./picture.ts";
import type { Changes } from "./quoting.ts";

/** `what` is a word such as `quotes`, `hedges` or `refused`; `line` the rest of it. */
export type Say = (what: string, line: string) => void;

export interface Desk {
  readonly trader: Trader;
  readonly say: Say;
  /** The account as the venue has it now. */
  own(): Promise<Own>;
  /** Messages that {@link Desk.quote} may send now. */
  allowance(): number;
  /** Cancels, then post-only orders, in one request. */
  quote(changes: Changes): Promise<void>;
  /** Immediate orders, all in one request; answers the lots of each that were filled. */
  take(what: string, orders: readonly Wanted[], flags?: TakeFlags): Promise<number[]>;
}

export interface TakeFlags {
  readonly reduceOnly?: boolean;
}

export interface DeskOptions {
  readonly trader: Trader;
  readonly say: Say;
  readonly perSecond: number;
  readonly now: () => number;
}

/** Seconds for which messages that were not sent may be made up for. */
const BURST_SECONDS = 4;
/** Legs of one package that may go out though the pace is reached: none is left behind. */
const LEGS_MAX = 4;

type Info = Awaited<ReturnType<Exchange["info"]>>;

export async function createDesk(options: DeskOptions): Promise<Desk> {
  const { trader, say, perSecond, now } = options;
  const info = await trader.exchange.info();
  const burst = Math.max(LEGS_MAX, perSecond * BURST_SECONDS);
  const pacing = createPacing({ perSecond, burst }, now);
  return {
    trader,
    say,
    own: () => readOwn(trader, info),
    allowance: pacing.available,
    async quote({ cancel, place }) {
      const count = cancel.length + place.length;
      if (count === 0 || !pacing.take(count)) return;
      const quotes = place.map((order) => ({
        instrument_name: order.name,
        amount: formatQuantity(order.lots, info),
        price: formatPrice(order.price, info),
        ...({ direction: order.isSell ? "sell" : "buy", post_only: true } as const),
      }));
      const results = await trader.massQuote(
        quotes,
        cancel.map(({ id }) => id),
      );
      const failures = results.flatMap((result, at) => failureOf(result, place[at]!, info));
      say("quotes", `${place.length} placed, ${cancel.length} cancelled`);
      const [first] = failures;
      const others = failures.length > 1 ? ` (and ${failures.length - 1} more)` : "";
      if (first !== undefined) say("refused", first + others);
    },
    async take(what, orders, flags = {}) {
      if (!pacing.take(orders.length)) return orders.map(() => 0);
      const answers = await Promise.allSettled(
        orders.map(({ book, isSell, price, lots }) =>
          trader.place({ book, isSell, price, lots, timeInForce: "ioc", ...flags }),
        ),
      );
      return answers.map((answer, at) => {
        const order = orders[at]!;
        if (answer.status === "rejected") {
          say("refused", `${textOf(order, info)}: ${messageOf(answer.reason)}`);
          return 0;
        }
        const lots = filledLots(answer.value);
        say(what, `${textOf(order, info)}: ${lots} of ${order.lots} lots`);
        return lots;
      });
    },
  };
}

export function filledLots({ fills }: Pick<Wire<Receipt>, "fills">): number {
  return fills.reduce((sum, { lots }) => sum + lots, 0);
}

async function readOwn(trader: Trader, info: Info): Promise<Own> {
  const { account } = trader;
  const [held, open] = await Promise.all([
    trader.exchange.account({ account }),
    trader.openOrders(),
  ]);
  const orders = open.flatMap((order): OwnOrder[] => {
    const place = order.order_state === "open" ? parseOrderId(order.order_id) : undefined;
    if (place === undefined) return [];
    const { book, isSell, price } = place;
    const lots = Math.round((order.amount - order.filled_amount) * info.lotsPerContract);
    return [{ id: order.order_id, book, isSell, price, lots }];
  });
  const { cash, equity, positions, lockedSince } = held;
  return { account, cash, equity, isLocked: lockedSince !== null, positions, orders };
}

function failureOf(
  result: Awaited<ReturnType<Trader["massQuote"]>>[number],
  order: Wanted,
  info: Info,
): string[] {
  if ("error" in result) return [`${textOf(order, info)}: ${messageOf(result.error)}`];
  const { outcome } = result.receipt;
  return outcome === "rested" ? [] : [`${textOf(order, info)}: ${outcome}`];
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function textOf({ isSell, lots, name, price }: Wanted, info: Info): string {
  const verb = isSell ? "sell" : "buy";
  return `${verb} ${formatQuantity(lots, info)} ${name} at ${formatPrice(price, info)}`;
}
