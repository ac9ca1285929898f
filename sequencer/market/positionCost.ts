/** Average prices and profits of positions, from what they have cost. Integers, without fees. */

/**
 * What an account's position in the series that a slot holds has cost. Null: it was opened before
 * the node kept this.
 */
export interface PositionCost {
  readonly slot: number;
  /** Of the lots that are open, 1e-6 USDC, signed as the lots; 0 where none are. */
  readonly cost: number | null;
  /** Profit on what was closed, taken over or paid out since the series was listed, 1e-6 USDC. */
  readonly realized: number | null;
}

export interface PositionProfit {
  /** 1e-6 USDC a contract, rounded half away from 0; 0 without a position. */
  readonly averagePrice: number | null;
  /** Of the open lots at the mark, 1e-6 USDC; null without a mark. */
  readonly floating: number | null;
  readonly realized: number | null;
  readonly total: number | null;
}

/** `lots` signed; `value` of them at the mark, 1e-6 USDC. */
export function positionProfit(
  { cost, realized }: Omit<PositionCost, "slot">,
  held: {
    readonly lots: number;
    readonly value: number | null;
    readonly lotsPerContract: number;
  },
): PositionProfit {
  const { lots, value, lotsPerContract } = held;
  const known = lots === 0 ? 0 : value;
  const floating = cost === null || known === null ? null : known - cost;
  return {
    averagePrice: cost === null ? null : averagePrice(cost, lots, lotsPerContract),
    floating,
    realized,
    total: floating === null || realized === null ? null : floating + realized,
  };
}

/** Of `costs`, that of the position in `slot`; of no trade in it, if it is not among them. */
export function costIn(
  costs: readonly PositionCost[],
  slot: number | undefined,
): Omit<PositionCost, "slot"> {
  return costs.find((item) => item.slot === slot) ?? { cost: 0, realized: 0 };
}

function averagePrice(cost: number, lots: number, lotsPerContract: number): number {
  if (lots === 0) return 0;
  const sign = cost < 0 === lots < 0 ? 1 : -1;
  const [paid, held] = [BigInt(Math.abs(cost)), BigInt(Math.abs(lots))];
  return sign * Number((2n * paid * BigInt(lotsPerContract) + held) / (2n * held)) || 0;
}
