/**
 * Accounts margined and snapshots built per second. The peer is what a Node user would write with
 * the fastest pricing package on npm: every position repriced in every scenario. The package that
 * tabulates prices is fast and nearly right; nothing on npm computes a SPAN array or a portfolio
 * margin itself.
 */
import { BlackScholes } from "@uqee/black-scholes";
import { firstUncovered, type Risk } from "../../../sequencer/engine/risk.ts";
import {
  buildRiskMatrix,
  RISK_PARAMETERS,
  type SlotMarket,
} from "../../../sequencer/oracle/riskMatrix.ts";
import { MS_PER_YEAR } from "../../../sequencer/pricing/black76.ts";
import { SPAN_SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import type { Account } from "../../../sequencer/protocol/state.ts";
import type { BenchLine } from "../benchLine.ts";
import { itemsPerSecond } from "./throughput.ts";

const SLOTS = 64;
const POSITIONS = 20;
const ACCOUNTS = 2000;
/** The peer is slower: it gets fewer accounts and snapshots for the same time. */
const ACCOUNTS_PEER = 100;
const SNAPSHOTS = 20;
const FORWARD_TICKS = 25_000;
const BPS = 10_000;
const DAY_MS = 86_400_000;
const UNIT = 1000;
const PEER = "@uqee/black-scholes@1.0.7";

export function marginLines(): BenchLine[] {
  const slots = market();
  const risk = riskOf(slots);
  const accounts = portfolios(ACCOUNTS);
  const model = new BlackScholes();
  const [margins = 0, marginsPeer = 0] = itemsPerSecond([
    { run: () => countCovered(accounts, risk), items: ACCOUNTS },
    {
      run: () => repriceAll(model, accounts.slice(0, ACCOUNTS_PEER), slots),
      items: ACCOUNTS_PEER,
    },
  ]);
  const [snapshots = 0, snapshotsPeer = 0] = itemsPerSecond([
    { run: () => buildMany(slots), items: SNAPSHOTS },
    { run: () => priceMany(model, slots), items: SNAPSHOTS },
  ]);
  const sizes = `${SPAN_SCENARIOS} scenarios`;
  return [
    line("risk.margins", margins, marginsPeer, `${sizes}, ${SLOTS} slots, ${POSITIONS} positions`),
    line("risk.snapshots", snapshots, snapshotsPeer, `${sizes}, ${SLOTS} slots; ours to the bit`),
  ];
}

function line(name: string, value: number, peerValue: number, note: string): BenchLine {
  const ratio = value / peerValue;
  return { name, value, unit: "1/s", better: "higher", peer: PEER, peerValue, ratio, note };
}

/** The whole test of initial margin: all scenarios and the unchanged one. */
function countCovered(accounts: readonly Account[], risk: Risk): number {
  let covered = 0;
  for (const account of accounts) {
    if (firstUncovered(account, risk, UNIT) === undefined) covered += 1;
  }
  return covered;
}

/** Marks and scenarios by the package, position by position, then the worst loss. */
function repriceAll(
  model: BlackScholes,
  accounts: readonly Account[],
  slots: readonly SlotMarket[],
): number {
  let total = 0;
  for (const { positions } of accounts) {
    const losses = new Array<number>(SPAN_SCENARIOS).fill(0);
    for (const [slot, lots] of positions.entries()) {
      if (lots === 0) continue;
      const base = peerPrice(model, slots[slot]!, 0, 0);
      for (let scenario = 0; scenario < SPAN_SCENARIOS; scenario++) {
        losses[scenario]! -= lots * (shockedPrice(model, slots[slot]!, scenario) - base);
      }
    }
    total += Math.max(...losses);
  }
  return total;
}

function priceMany(model: BlackScholes, slots: readonly SlotMarket[]): number {
  let total = 0;
  for (let count = 0; count < SNAPSHOTS; count++) {
    for (const slot of slots) {
      total += peerPrice(model, slot, 0, 0);
      for (let scenario = 0; scenario < SPAN_SCENARIOS; scenario++) {
        total += shockedPrice(model, slot, scenario);
      }
    }
  }
  return total;
}

/** Price moves in thirds of 16 %, volatility up and down by half: SPAN's grid in kind. */
function shockedPrice(model: BlackScholes, slot: SlotMarket, scenario: number): number {
  const thirds = ((scenario >> 1) % 7) - 3;
  return peerPrice(model, slot, (thirds * 0.16) / 3, scenario % 2 === 0 ? 0.5 : -0.25);
}

function peerPrice(model: BlackScholes, slot: SlotMarket, move: number, volMove: number): number {
  const { isCall, strikeTicks, forwardTicks, ivBps, timeToExpiryMs } = slot;
  return model.option({
    rate: 0,
    sigma: (ivBps / BPS) * (1 + volMove),
    strike: strikeTicks,
    time: timeToExpiryMs / MS_PER_YEAR,
    type: isCall ? "call" : "put",
    underlying: forwardTicks * (1 + move),
  }).price;
}

function buildMany(slots: readonly SlotMarket[]): number {
  let total = 0;
  for (let count = 0; count < SNAPSHOTS; count++) {
    total += buildRiskMatrix({ slots, parameters: RISK_PARAMETERS.ETH })[count]!.mark;
  }
  return total;
}

function riskOf(slots: readonly SlotMarket[]): Risk {
  const rows = buildRiskMatrix({ slots, parameters: RISK_PARAMETERS.ETH });
  return { marks: rows.map(({ mark }) => mark), changes: rows.map(({ changes }) => changes) };
}

/** Four expiries of eight strikes, calls and puts. */
function market(): SlotMarket[] {
  return Array.from({ length: SLOTS }, (_, slot) => ({
    isCall: slot % 2 === 0,
    strikeTicks: FORWARD_TICKS + ((slot >> 1) % 8) * 1000 - 3500,
    forwardTicks: FORWARD_TICKS,
    ivBps: 6000 + 50 * (slot % 16),
    timeToExpiryMs: DAY_MS * [2, 9, 30, 90][slot >> 4]!,
  }));
}

/** The same in every run. */
function portfolios(count: number): Account[] {
  let state = 7;
  const below = (limit: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
  return Array.from({ length: count }, () => {
    const positions = new Array<number>(SLOTS).fill(0);
    while (positions.filter((lots) => lots !== 0).length < POSITIONS) {
      positions[below(SLOTS)] = below(2001) - 1000;
    }
    return { owner: 1n, cash: below(2_000_000_000), positions };
  });
}
