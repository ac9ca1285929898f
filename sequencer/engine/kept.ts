/**
 * What is computed again and again of things that seldom change: an account's values in the
 * scenarios, a book's legs and values. Each is kept with what it was computed of and compared with
 * that before it is used, or belongs to an object that never changes (a risk, a book's weights).
 * Nothing here changes a result; `test/property/kept.test.ts` holds it to plain sums.
 */
import { MARGIN_INITIAL_FACTOR, MARGIN_VALUE_FACTOR, SCENARIOS } from "../protocol/constants.ts";
import type { Risk } from "./risk.ts";

/** The scenarios and, last, the unchanged one. */
export const SCENARIO_ROWS = SCENARIOS + 1;

/** A slot with a weight that is not 0. */
export interface Leg {
  readonly slot: number;
  readonly weight: number;
}

const legs = new WeakMap<readonly number[], readonly Leg[]>();

/** Of weights that never change, ascending by slot. */
export function legsOf(weights: readonly number[]): readonly Leg[] {
  const known = legs.get(weights);
  if (known !== undefined) return known;
  const found = weights.flatMap((weight, slot) => (weight === 0 ? [] : [{ slot, weight }]));
  legs.set(weights, found);
  return found;
}

/** For each slot the rows `4 mark + 5 change_s`, and last `4 mark`, in ticks. */
type Rates = number[];

const ratesByRisk = new WeakMap<Risk, Rates>();

function ratesOf(risk: Risk): Rates {
  const known = ratesByRisk.get(risk);
  if (known !== undefined) return known;
  const { marks, changes } = risk;
  const rates = new Array<number>(marks.length * SCENARIO_ROWS).fill(0);
  for (const [slot, mark] of marks.entries()) {
    for (let row = 0; row < SCENARIO_ROWS; row++) {
      const change = changes[slot]![row] ?? 0;
      rates[slot * SCENARIO_ROWS + row] =
        MARGIN_VALUE_FACTOR * mark + MARGIN_INITIAL_FACTOR * change;
    }
  }
  ratesByRisk.set(risk, rates);
  return rates;
}

/** Values, and the positions and the risk that they are of. */
interface Followed {
  risk: Risk;
  readonly positions: number[];
  /** `X_s` for s = 0..17 (SPEC section 4), in lot ticks, four times the value it stands for. */
  readonly values: number[];
  /** The least of `values`; undefined: they have changed since it was looked for. */
  lowest: number | undefined;
}

const followed = new WeakMap<readonly number[], Followed>();

/**
 * `X_s` of positions for s = 0..17 (SPEC section 4). Where positions have changed since the last
 * time, the difference is added: a few slots instead of all. Every partial sum is the value of some
 * positions in range, so exact. The array is used again: read it before the next call.
 */
export function followedValues(positions: readonly number[], risk: Risk): readonly number[] {
  return upToDate(positions, risk).values;
}

/** The least of {@link followedValues}. */
export function lowestValue(positions: readonly number[], risk: Risk): number {
  const own = upToDate(positions, risk);
  own.lowest ??= Math.min(...own.values);
  return own.lowest;
}

function upToDate(positions: readonly number[], risk: Risk): Followed {
  const own = followed.get(positions) ?? follow(positions, risk);
  if (own.risk !== risk) {
    own.risk = risk;
    own.positions.fill(0);
    own.values.fill(0);
    own.lowest = undefined;
  }
  const { values, positions: known } = own;
  const rates = ratesOf(risk);
  for (let slot = 0; slot < known.length; slot++) {
    const change = positions[slot]! - known[slot]!;
    if (change === 0) continue;
    known[slot] = positions[slot]!;
    own.lowest = undefined;
    const from = slot * SCENARIO_ROWS;
    for (let row = 0; row < SCENARIO_ROWS; row++) values[row]! += change * rates[from + row]!;
  }
  return own;
}

function follow(positions: readonly number[], risk: Risk): Followed {
  const own: Followed = {
    risk,
    positions: new Array<number>(positions.length).fill(0),
    values: new Array<number>(SCENARIO_ROWS).fill(0),
    lowest: undefined,
  };
  followed.set(positions, own);
  return own;
}

/** What a book's weights are worth under one risk. */
export interface BookRates {
  readonly risk: Risk;
  readonly weights: readonly number[];
  readonly legs: readonly Leg[];
  /** `R_s` for s = 0..17, in ticks, four times the value it stands for. */
  readonly rates: readonly number[];
  /** `sum_m w_m (mark_m + change_{m,s})` for s = 0..17, in ticks: row 17 is the mark. */
  readonly values: readonly number[];
  /** The furthest that a scenario brings the value from the mark. */
  readonly move: number;
  /** Of `rates`. */
  readonly lowest: number;
  readonly highest: number;
}

const byWeights = new WeakMap<readonly number[], BookRates>();

/** Of weights that never change; the newest risk's are kept. */
export function bookRates(weights: readonly number[], risk: Risk): BookRates {
  const known = byWeights.get(weights);
  if (known?.risk === risk) return known;
  const rates = new Array<number>(SCENARIO_ROWS).fill(0);
  const values = new Array<number>(SCENARIO_ROWS).fill(0);
  const legs = legsOf(weights);
  for (const { slot, weight } of legs) {
    const [mark, changes] = [risk.marks[slot]!, risk.changes[slot]!];
    for (let row = 0; row < SCENARIO_ROWS; row++) {
      const change = changes[row] ?? 0;
      rates[row]! += weight * (MARGIN_VALUE_FACTOR * mark + MARGIN_INITIAL_FACTOR * change);
      values[row]! += weight * (mark + change);
    }
  }
  const [lowest, highest] = [Math.min(...rates), Math.max(...rates)];
  const mark = values[SCENARIO_ROWS - 1]!;
  const move = Math.max(...values.map((value) => Math.abs(value - mark)));
  const made = { risk, weights, legs, rates, values, move, lowest, highest };
  byWeights.set(weights, made);
  return made;
}
