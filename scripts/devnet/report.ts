/** One readable line for each stage that an order passes. */

import type { Exchange } from "../../sequencer/client/exchange.ts";
import type { BatchStatus, Receipt, Wire } from "../../sequencer/exchangeService.ts";
import { formatPrice } from "../../sequencer/market/decimal.ts";
import { instrumentName } from "../../sequencer/market/instrument.ts";
import type { BookSummary } from "../../sequencer/market/publicBook.ts";
import { MARKET } from "./marketPlan.ts";

export interface Report {
  /** An order that a trader has just been given the receipt of. */
  order(who: string, what: string, receipt: Wire<Receipt>): void;
  say(stage: string, line: string): void;
  stop(): void;
}

const STAGE_WIDTH = 12;
/** Batches whose orders are remembered until they are anchored. */
const BATCHES_MAX = 1000;

export async function createReport(
  exchange: Exchange,
  write: (line: string) => void,
): Promise<Report> {
  const orders = new Map<number, string[]>();
  const say = (stage: string, line: string): void => write(`${stage.padEnd(STAGE_WIDTH)} ${line}`);

  function onBatch(batch: Wire<BatchStatus>): void {
    const { number, stage, kind } = batch;
    const inside = orders.get(number);
    const contents = inside === undefined ? kind : `${kind}: ${inside.join(", ")}`;
    if (stage === "sequenced") say("sealed", `batch ${number} (${contents})`);
    else say(stage, `batch ${number} (${contents})${detailOf(batch)}`);
    if (stage === "anchored") orders.delete(number);
  }

  const stop = await exchange.onBatch(onBatch);
  return {
    say,
    stop,
    order: (who, what, receipt) => {
      const { seq, batchNumber, outcome, logPosition } = receipt;
      const inside = orders.get(batchNumber) ?? [];
      const name = seq === null ? `log ${logPosition}` : `#${seq}`;
      inside.push(name);
      orders.set(batchNumber, inside);
      const [oldest] = orders.keys();
      if (orders.size > BATCHES_MAX && oldest !== undefined) orders.delete(oldest);
      say("sequenced", `${name} ${who} ${what}: ${outcome}`);
    },
  };
}

function detailOf({ stage, logPosition, transaction }: Wire<BatchStatus>) {
  if (stage === "certified") return ` with all of the log up to ${logPosition}`;
  if (stage === "anchored" && transaction !== null) return ` in ${transaction}`;
  return "";
}

/** Name of a book: its instrument, or its legs with their weights. */
export function bookName(
  book: Pick<Wire<BookSummary>, "weights">,
  series: readonly { isCall: boolean; strike: number; expiry: number }[],
): string {
  const legs = book.weights.flatMap((weight, slot) => {
    const terms = series[slot];
    if (weight === 0 || terms === undefined) return [];
    const name = instrumentName(terms, MARKET);
    return weight === 1 ? [name] : [`${weight} ${name}`];
  });
  return legs.join(" + ");
}

export function priceText(ticks: number): string {
  return formatPrice(ticks, MARKET);
}
