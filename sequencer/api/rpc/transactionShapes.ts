/** What moved an account's cash, as the wire tells it. Pure. */
import type { z } from "zod";
import type { AccountEvent } from "../../exchangeService.ts";
import type { TRANSACTIONS } from "./accountSchemas.ts";
import { amountOf, priceOf, usdcOf } from "./amounts.ts";
import type { Catalogue } from "./catalogue.ts";
import { bookNameAt, seriesNameAt } from "./pastNames.ts";

type Row = z.output<typeof TRANSACTIONS>["logs"][number];

/** Operations whose `amount` leaves the account though it is told without a sign. */
const OUTGOING: ReadonlySet<string> = new Set(["withdraw", "forcedWithdraw"]);

export function transactionShapes(events: readonly AccountEvent[], catalogue: Catalogue): Row[] {
  return events.flatMap((event) => rowOf(event, catalogue) ?? []);
}

function rowOf(event: AccountEvent, catalogue: Catalogue): Row | undefined {
  const { info } = catalogue;
  const { time: timestamp, batchNumber: batch_number } = event.update;
  const at = { timestamp, batch_number };
  if (event.type === "ledger") {
    const { operation, amount, cash } = event.update;
    const signed = OUTGOING.has(operation) ? -amount : amount;
    // Sender and recipient are told the same amount.
    const change = operation === "transfer" ? null : usdcOf(signed);
    const nothing = { instrument_name: null, amount: null, price: null, commission: null };
    return { type: operation, ...at, change, balance: usdcOf(cash), ...nothing };
  }
  if (event.type === "order") {
    const { fill, book, isSell } = event.update;
    if (fill === null) return undefined;
    const premium = info.shape.unit * fill.lots * fill.price * (isSell ? 1 : -1);
    return {
      ...{ type: "trade", ...at, change: usdcOf(premium - fill.fee), balance: null },
      instrument_name: bookNameAt(book, timestamp, catalogue) ?? null,
      amount: amountOf(isSell ? -fill.lots : fill.lots, info),
      price: priceOf(fill.price, info),
      commission: usdcOf(fill.fee),
    };
  }
  const { action, slot, isSell, lots, price, amount } = event.update;
  return {
    ...{ type: `liquidation ${action}`, ...at, change: usdcOf(-amount), balance: null },
    commission: null,
    instrument_name: slot === null ? null : (seriesNameAt(slot, timestamp, catalogue) ?? null),
    amount: lots === 0 ? null : amountOf(isSell === true ? -lots : lots, info),
    price: price === null ? null : priceOf(price, info),
  };
}
