/** Quotes for the legs that are being built: asked for, shown as they come, taken or given up. */
import { type BlockRfq, type PackageTrader, tradePackages } from "../../client/packages.ts";
import { parseQuantity } from "../../market/decimal.ts";
import { tell } from "../state/account.ts";
import { request } from "../state/quotes.ts";
import { catalogue } from "../state/venue.ts";
import type { BuiltLeg } from "../state/view.ts";
import { atSessionEnd, keep, traderNow } from "./session.ts";

let desk: { readonly of: object; readonly packages: PackageTrader } | undefined;

/** Of the present session; follows its requests from the first one on. */
async function deskNow(): Promise<PackageTrader> {
  const trader = traderNow();
  if (desk?.of === trader) return desk.packages;
  const packages = tradePackages(trader);
  const end = await packages.follow({
    own: (rfq) => {
      if (rfq.block_rfq_id === request.get()?.block_rfq_id) request.set(rfq);
    },
  });
  desk = { of: trader, packages };
  atSessionEnd(() => {
    end();
    desk = undefined;
    request.set(undefined);
  });
  return packages;
}

/** `amount`: contracts of a leg of ratio 1. Rejects with what the node refuses it for. */
export async function requestQuotes(legs: readonly BuiltLeg[], amount: string): Promise<void> {
  const { info } = catalogue.get();
  if (info === undefined) throw new Error("the market is not loaded yet");
  const lots = parseQuantity(amount, info, "amount");
  const asked = legs.map(({ instrument, weight }) => ({
    instrument_name: instrument,
    amount: (lots * Math.abs(weight)) / info.lotsPerContract,
    direction: weight > 0 ? ("buy" as const) : ("sell" as const),
  }));
  request.set(await (await deskNow()).requestQuotes(asked));
}

/** All of the request within the price, or nothing. */
export async function acceptQuote(
  rfq: BlockRfq,
  direction: "buy" | "sell",
  price: number,
): Promise<void> {
  const verb = direction === "buy" ? "Buy" : "Sell";
  const what = `${verb} ${rfq.amount} ${rfq.combo_id} at ${price} by quotes`;
  const terms = { direction, price, amount: rfq.amount };
  const { receipt } = await (await deskNow()).acceptQuote(rfq, terms);
  keep(what, receipt);
}

export async function cancelRequest(rfq: BlockRfq): Promise<void> {
  request.set(await (await deskNow()).cancelRequest(rfq));
  tell("The request for quotes is withdrawn.");
}
