/** `straddle orders`: the account's orders that rest, or wait for their condition. */
import type { Command } from "commander";
import type { Trader } from "../client/trader.ts";
import { table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";
import { show } from "./watch.ts";

type Orders = Awaited<ReturnType<Trader["openOrders"]>>;

export function addOrdersCommand(program: Command, run: Run): void {
  program
    .command("orders")
    .description("the account's orders that rest, or wait for their condition")
    .option("--watch", "show them again with each change, until interrupted")
    .action(run(orders));
}

async function orders(
  session: Session,
  _args: readonly string[],
  { watch = false }: { readonly watch?: boolean },
): Promise<void> {
  const trader = await session.trader();
  await show(session, watch, {
    read: () => trader.openOrders(),
    people: (open) => (open.length === 0 ? "no order rests or waits" : ordersTable(open)),
    follow: (touch) => followAccount(trader, touch),
  });
}

/** Whatever of the account changes. */
export async function followAccount(trader: Trader, touch: () => void): Promise<() => void> {
  const news = await trader.follow();
  news.on("order", touch);
  news.on("portfolio", touch);
  return news.stop;
}

export function ordersTable(open: Orders): string {
  const rows = open.map(
    ({ order_id, instrument_name, direction, amount, filled_amount, price, order_state }) => {
      // Both are multiples of a lot; their difference has no more digits than that.
      const left = Number((amount - filled_amount).toFixed(9));
      const state = order_state === "open" ? "rests" : "waits";
      return [order_id, instrument_name, direction, state, left, price];
    },
  );
  return table(["order", "instrument", "side", "state", "quantity", "price"], rows, 4);
}
