// A market whose figures can be worked out by hand: an expiry 30 days away, forward 3000 USDC.
import type { RiskInputs } from "../../../sequencer/market/riskReport.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import type { SlotPrice } from "../../../sequencer/protocol/snapshot.ts";
import { emptySeries, type Series } from "../../../sequencer/protocol/state.ts";

/** One tick is 0.1 USDC, one lot 0.01 contract. */
export const SIZES = { unit: 1000, tickSize: 100_000, lotsPerContract: 100 };
export const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
export const EXPIRY = (NOW + 30 * DAY) / 1000;

export function seriesOf(isCall: boolean, strike: number, expiry = EXPIRY): Series {
  return { ...emptySeries(), status: "listed", isCall, strike, expiry, generation: 1, holders: 2 };
}

/** Changes that are 0 but for the rows named. */
export function slotOf(mark: number, rows: Readonly<Record<number, number>>): SlotPrice {
  const changes = Array.from({ length: SCENARIOS }, (_, row) => rows[row] ?? 0);
  return { mark, isFinal: false, changes };
}

/** Slots: call 3000, put 3000, call 3200, empty. */
export const SERIES: readonly Series[] = [
  seriesOf(true, 30_000),
  seriesOf(false, 30_000),
  seriesOf(true, 32_000),
  emptySeries(),
];

/**
 * Row 0 is volatility up, 10 and 12 the full range up and down, 16 the short-option minimum. By
 * parity the forward moves by 4800 ticks, 16 %.
 */
export const SLOTS: readonly SlotPrice[] = [
  slotOf(1200, { 0: 300, 10: 4000, 12: -1100, 16: 150 }),
  slotOf(1200, { 0: 300, 10: -800, 12: 3700, 16: 150 }),
  slotOf(500, { 0: 250, 10: 2600, 12: -480, 16: 150 }),
  slotOf(0, {}),
];

export function inputsOf(cash: number, positions: readonly number[]): RiskInputs {
  const snapshot = { time: NOW, slots: SLOTS };
  return { holdings: { cash, positions }, snapshot, series: SERIES, sizes: SIZES };
}
