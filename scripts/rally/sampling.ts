/** What the rally's report is made of: the venue's condition at each step. All in USDC. */
import type { ExchangeService } from "../../sequencer/exchangeService.ts";
import type { LiquidationUpdate } from "../../sequencer/market/liquidation.ts";
import { FEE_ACCOUNT, INSURANCE_ACCOUNT } from "../../sequencer/protocol/constants.ts";

const MICROS = 1_000_000;

/** The venue at `time` (unix ms). Margins are of the traders; counts are since the beginning. */
export interface Sample {
  readonly time: number;
  /** In ticks of 0.1 USDC. */
  readonly forward: number;
  readonly tradersEquity: number;
  readonly tradersMargin: number;
  readonly makersEquity: number;
  readonly insuranceEquity: number;
  readonly fees: number;
  /** What accounts owe that have nothing left: 0 or below. */
  readonly deficit: number;
  readonly locked: number;
  readonly counts: Readonly<Record<LiquidationUpdate["action"], number>>;
}

export interface Groups {
  readonly traders: readonly number[];
  readonly makers: readonly number[];
}

export function noCounts(): Record<LiquidationUpdate["action"], number> {
  const none = { locked: 0, order: 0, backstop: 0, insure: 0 };
  return { ...none, deleverage: 0, absorb: 0, release: 0 };
}

/** Reads every account. Undefined while there is no snapshot. */
export async function takeSample(
  service: ExchangeService,
  groups: Groups,
  options: { time: number; counts: Sample["counts"] },
): Promise<Sample | undefined> {
  const [chain, status] = await Promise.all([service.chain(), service.status()]);
  if (chain.underlyingPrice === null) return undefined;
  let deficit = 0;
  const sumOf = async (accounts: readonly number[]) => {
    const total = { equity: 0, margin: 0 };
    for (const id of accounts) {
      const account = await service.account({ id });
      const equity = (account?.equity ?? 0) / MICROS;
      total.equity += equity;
      // Equity less what is left over it is what the worst scenario takes.
      total.margin += equity - (account?.headroom ?? 0) / MICROS;
      deficit += Math.min(equity, 0);
    }
    return total;
  };
  const traders = await sumOf(groups.traders);
  const makers = await sumOf(groups.makers);
  const insurance = await sumOf([INSURANCE_ACCOUNT]);
  const collected = await sumOf([FEE_ACCOUNT]);
  return {
    time: options.time,
    forward: chain.underlyingPrice,
    tradersEquity: traders.equity,
    tradersMargin: traders.margin,
    makersEquity: makers.equity,
    insuranceEquity: insurance.equity,
    fees: collected.equity + status.feesUncollected / MICROS,
    deficit,
    locked: status.lockedAccounts,
    counts: { ...options.counts },
  };
}

/** What all accounts and fees are worth together: always what was deposited. */
export function totalOf(sample: Sample): number {
  const { tradersEquity, makersEquity, insuranceEquity, fees } = sample;
  return tradersEquity + makersEquity + insuranceEquity + fees;
}
