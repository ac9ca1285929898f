/**
 * An account's risk, line by line: every margin figure with the marks and changes that it is the
 * sum of, so that it can be recomputed by hand. A pure function of the account, the snapshot that
 * an oracle quorum signed and the series table: node and client run the same code, and their
 * reports are equal to the last bit. Margins are SPEC section 4; greeks and liquidation prices are
 * estimates from the marks, which no margin depends on.
 */
import { SCENARIO_ROWS } from "../engine/kept.ts";
import { effectiveRisk, maintenanceValues, type Risk, scenarioValues } from "../engine/risk.ts";
import { MARGIN_INITIAL_FACTOR, MARGIN_VALUE_FACTOR } from "../protocol/constants.ts";
import type { Prices, Snapshot } from "../protocol/snapshot.ts";
import type { Series } from "../protocol/state.ts";
import { USDC } from "../protocol/usdc.ts";
import type { LiquidationInfo } from "./liquidation.ts";
import { estimateLiquidationPrices, type LiquidationPrices } from "./liquidationPrice.ts";
import { slotGreeks, underlyingPrice } from "./marketData.ts";
import { scenarioName } from "./scenarios.ts";

/** The sizes of a market: `unit` and `tickSize` in 1e-6 USDC, of a lot tick and a contract's. */
export interface RiskSizes {
  readonly unit: number;
  readonly tickSize: number;
  readonly lotsPerContract: number;
}

/** Cash in 1e-6 USDC, positions in signed lots by slot. */
export interface Holdings {
  readonly cash: number;
  readonly positions: readonly number[];
}

/** The part of a series table that risk depends on. */
export type SeriesTable = readonly Readonly<
  Pick<Series, "status" | "isCall" | "strike" | "expiry" | "mark">
>[];

/** `snapshot` needs no signatures here; who trusts nobody checks them first. */
export interface RiskInputs {
  readonly holdings: Holdings;
  readonly snapshot: Pick<Snapshot, "time"> & Prices;
  readonly series: SeriesTable;
  readonly sizes: RiskSizes;
}

/** One row of the risk matrix, in 1e-6 USDC. */
export interface ScenarioRisk {
  readonly scenario: number;
  readonly name: string;
  /** What the account gains. */
  readonly pnl: number;
  /** Equity less 5/4 of the loss, rounded down, and equity less the loss. */
  readonly initialHeadroom: number;
  readonly maintenanceHeadroom: number;
}

/**
 * Of one position: `delta` in units of the underlying, `gamma` its change for 1 USDC, `vega` in
 * USDC for one volatility point (0.01), `theta` in USDC for one day.
 */
export interface PositionGreeks {
  readonly delta: number;
  readonly gamma: number;
  readonly vega: number;
  readonly theta: number;
}

export interface PositionRisk {
  readonly slot: number;
  readonly lots: number;
  /** The effective mark (ticks), and the effective change in each of the 17 scenarios. */
  readonly mark: number;
  readonly changes: readonly number[];
  /** `lots * mark * unit`. */
  readonly value: number;
  /** Implied volatility of the mark (0.8 is 80 %), and greeks, where known. */
  readonly markIv: number | null;
  readonly greeks: PositionGreeks | null;
}

/** Amounts in 1e-6 USDC. */
export interface MarginFigures {
  readonly equity: number;
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
  readonly initialHeadroom: number;
  readonly maintenanceHeadroom: number;
  /** The scenario that is nearest to or furthest beyond the initial margin. */
  readonly worstScenario: number;
  readonly liquidationPrices: LiquidationPrices;
}

/**
 * Amounts in 1e-6 USDC. With `X_s` and headrooms as in SPEC section 4: `initialMargin` is
 * `equity - initialHeadroom`, `maintenanceMargin` is `equity - maintenanceHeadroom`, each headroom
 * the smallest of the scenarios'. `usage` is maintenance margin over equity: from 1 on the account
 * may be liquidated; null where equity is not positive.
 */
export interface RiskReport extends MarginFigures {
  readonly snapshotTime: number;
  readonly underlyingPrice: number | null;
  readonly sizes: RiskSizes;
  readonly weights: { readonly value: number; readonly change: number };
  readonly cash: number;
  readonly usage: number | null;
  readonly isCovered: boolean;
  readonly isBelowMaintenance: boolean;
  readonly scenarios: readonly ScenarioRisk[];
  readonly positions: readonly PositionRisk[];
  /** Sums over the positions whose greeks are known; `unknown`: slots where they are not. */
  readonly greeks: PositionGreeks & { readonly unknown: readonly number[] };
}

/** What `straddle/get_risk` answers: the report, and everything that it can be recomputed from. */
export interface RiskAnswer {
  readonly account: number;
  readonly report: RiskReport;
  /** Null: the account is not locked. */
  readonly liquidation: LiquidationInfo | null;
  readonly snapshot: Snapshot;
  readonly series: SeriesTable;
}

export function reportRisk(inputs: RiskInputs): RiskReport {
  const { snapshot, series, sizes, holdings } = inputs;
  const risk = effectiveRisk(series as readonly Series[], snapshot);
  const figures = marginFigures(inputs, risk);
  const scenarios = scenarioRisks(holdings, risk, sizes.unit);
  const positions = positionRisks(inputs, risk);
  const { equity, maintenanceMargin, initialHeadroom, maintenanceHeadroom } = figures;
  return {
    snapshotTime: snapshot.time,
    underlyingPrice: underlyingPrice(series, risk.marks, snapshot.time),
    sizes,
    weights: { value: MARGIN_VALUE_FACTOR, change: MARGIN_INITIAL_FACTOR },
    cash: holdings.cash,
    ...figures,
    usage: equity > 0 ? maintenanceMargin / equity : null,
    isCovered: initialHeadroom >= 0,
    isBelowMaintenance: maintenanceHeadroom < 0,
    scenarios,
    positions,
    greeks: sumGreeks(positions),
  };
}

/** The figures alone. */
export function marginFigures(inputs: RiskInputs, risk: Risk): MarginFigures {
  const { holdings, sizes } = inputs;
  const scenarios = scenarioRisks(holdings, risk, sizes.unit);
  const equity = equityOf(holdings, risk, sizes.unit);
  const initialHeadroom = Math.min(...scenarios.map((row) => row.initialHeadroom));
  const maintenanceHeadroom = Math.min(...scenarios.map((row) => row.maintenanceHeadroom));
  const worst = scenarios.find((row) => row.initialHeadroom === initialHeadroom);
  return {
    equity,
    initialMargin: equity - initialHeadroom,
    maintenanceMargin: equity - maintenanceHeadroom,
    initialHeadroom,
    maintenanceHeadroom,
    worstScenario: worst?.scenario ?? 0,
    liquidationPrices: liquidationPricesOf(inputs, risk),
  };
}

function liquidationPricesOf(inputs: RiskInputs, risk: Risk): LiquidationPrices {
  const { holdings, snapshot, series, sizes } = inputs;
  const { unit } = sizes;
  return estimateLiquidationPrices({ holdings, risk, series, time: snapshot.time, unit });
}

/** Cash and positions at the effective marks. */
export function equityOf({ cash, positions }: Holdings, risk: Risk, unit: number): number {
  return cash + unit * positions.reduce((sum, lots, slot) => sum + lots * risk.marks[slot]!, 0);
}

/** All 18 rows. Headrooms four times as large do not fit a double, so they are big integers. */
export function scenarioRisks(holdings: Holdings, risk: Risk, unit: number): ScenarioRisk[] {
  const account = { owner: 0n, cash: holdings.cash, positions: [...holdings.positions] };
  const fourfold = scenarioValues(account, risk);
  const values = maintenanceValues(account, risk);
  const equity = equityOf(holdings, risk, unit);
  return Array.from({ length: SCENARIO_ROWS }, (_, scenario) => {
    const initial = 4n * BigInt(holdings.cash) + BigInt(unit) * BigInt(fourfold[scenario]!);
    const maintenance = BigInt(holdings.cash) + BigInt(unit) * BigInt(values[scenario]!);
    const maintenanceHeadroom = Number(maintenance);
    return {
      scenario,
      name: scenarioName(scenario),
      pnl: maintenanceHeadroom - equity,
      initialHeadroom: Number(initial >> 2n),
      maintenanceHeadroom,
    };
  });
}

function positionRisks({ holdings, series, sizes, snapshot }: RiskInputs, risk: Risk) {
  const held: PositionRisk[] = [];
  for (const [slot, lots] of holdings.positions.entries()) {
    if (lots === 0) continue;
    const mark = risk.marks[slot]!;
    const { markIv, greeks } = slotGreeks(series, risk.marks, slot, snapshot.time);
    held.push({
      slot,
      lots,
      mark,
      changes: [...risk.changes[slot]!],
      value: lots * mark * sizes.unit,
      markIv,
      greeks: greeks === null ? null : scaled(greeks, lots / sizes.lotsPerContract, sizes),
    });
  }
  return held;
}

const DAYS_PER_YEAR = 365;

/** From derivatives by the forward in ticks, of a price in ticks for one contract. */
function scaled(greeks: PositionGreeks, contracts: number, { tickSize }: RiskSizes) {
  const tick = tickSize / USDC;
  return {
    delta: greeks.delta * contracts,
    gamma: (greeks.gamma * contracts) / tick,
    vega: (greeks.vega * contracts * tick) / 100,
    theta: (greeks.theta * contracts * tick) / DAYS_PER_YEAR,
  };
}

function sumGreeks(positions: readonly PositionRisk[]): RiskReport["greeks"] {
  const known = positions.flatMap(({ greeks }) => greeks ?? []);
  const sum = (name: keyof PositionGreeks) =>
    known.reduce((total, greeks) => total + greeks[name], 0);
  const unknown = positions.filter(({ greeks }) => greeks === null).map(({ slot }) => slot);
  return {
    delta: sum("delta"),
    gamma: sum("gamma"),
    vega: sum("vega"),
    theta: sum("theta"),
    unknown,
  };
}
