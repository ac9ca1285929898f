/** An order weighed before it is sent: its worst fill, and the account's risk after it. */
import { worstFee } from "../engine/fees.ts";
import { effectiveRisk } from "../engine/risk.ts";
import type { TimeInForce } from "../protocol/constants.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import type { BookFees, Series } from "../protocol/state.ts";
import { type Holdings, type MarginFigures, marginFigures, type RiskInputs } from "./riskReport.ts";

/** `price` in ticks, `lots` above 0. */
export interface PreviewRequest {
  readonly account: number;
  readonly keyIndex: number;
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly lots: number;
  readonly timeInForce: TimeInForce;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
}

/**
 * The worst fill is all lots at the limit price, as a taker. Resting orders of the account are not
 * in the figures; the verdict has everything that the door looks at.
 */
export interface OrderPreview {
  /** What the door would answer to the signed order now; null: it would be sequenced. */
  readonly verdict: DoorReject | null;
  readonly snapshotTime: number;
  /** Of the worst fill, in 1e-6 USDC; negative premium: received. */
  readonly premium: number;
  readonly fee: number;
  readonly before: MarginFigures;
  readonly after: MarginFigures;
}

/** A book as far as a fill in it depends on it. */
export interface PreviewBook {
  readonly weights: readonly number[];
  readonly fees: BookFees;
}

type Order = Pick<PreviewRequest, "isSell" | "price" | "lots">;

/** Everything but the verdict, which needs the whole state. */
export function weighOrder(
  inputs: RiskInputs,
  book: PreviewBook,
  order: Order,
): Omit<OrderPreview, "verdict"> {
  const { snapshot, series, sizes } = inputs;
  const risk = effectiveRisk(series as readonly Series[], snapshot);
  const filled = fillOf(inputs.holdings, book, order, sizes.unit);
  return {
    snapshotTime: snapshot.time,
    premium: filled.premium,
    fee: filled.fee,
    before: marginFigures(inputs, risk),
    after: marginFigures({ ...inputs, holdings: filled.holdings }, risk),
  };
}

function fillOf(
  { cash, positions }: Holdings,
  { weights, fees }: PreviewBook,
  { isSell, price, lots }: Order,
  unit: number,
): { premium: number; fee: number; holdings: Holdings } {
  const signed = isSell ? -lots : lots;
  const premium = unit * signed * price;
  const fee = unit * lots * worstFee(fees, price);
  const after = positions.map((held, slot) => held + signed * (weights[slot] ?? 0));
  return { premium, fee, holdings: { cash: cash - premium - fee, positions: after } };
}
