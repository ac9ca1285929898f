/** Honest inputs of whole circuits, of many kinds: every batch that the markets of tests seal. */
import type { SignalValues } from "../../circuits/adversary/calculator.ts";
import type { CircuitName } from "../../scripts/circuits.ts";
import { exitClaim } from "../../sequencer/batch/exitWitness.ts";
import { createRestoredLedger } from "../../sequencer/batch/restore.ts";
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import {
  abortingBatch,
  carryingBatches,
  expiringBatch,
  fillingBatch,
  holdingMarket,
  liquidatingBatch,
} from "./batches.ts";
import { withPublicInputs } from "./circuit.ts";
import {
  deficitBatch,
  releaseBatch,
  straddleLiquidation,
  straddleTakeover,
  takeoverBatch,
} from "./distressBatches.ts";
import { closingBatch, expiredBatch, poorFundBatch } from "./forcedBatches.ts";
import { payingBatch, refusingBatch, settlingBatch } from "./ledgerBatches.ts";
import type { Market } from "./market.ts";

/** Markets whose last batch is the one that they are for. */
const MARKETS: Readonly<Record<"trade" | "ledger", readonly (() => { market: Market })[]>> = {
  trade: [
    ...[fillingBatch, liquidatingBatch, abortingBatch, carryingBatches, expiringBatch],
    ...[() => straddleLiquidation(1), () => ({ market: holdingMarket() }), releaseBatch],
    ...[takeoverBatch, settlingBatch, closingBatch],
  ],
  ledger: [
    ...[payingBatch, settlingBatch, takeoverBatch, deficitBatch, releaseBatch, refusingBatch],
    ...[() => straddleTakeover(1), closingBatch, poorFundBatch, expiredBatch],
  ],
};

/** Inputs of `count` witnesses of a circuit's tiny instance, those with most in them first. */
export function circuitWitnesses(circuit: CircuitName, count: number): readonly SignalValues[] {
  const inputs = circuit === "exit" ? exitInputs(count) : batchInputs(circuit, count);
  if (inputs.length < count) {
    throw new Error(`there are \`${inputs.length}\` inputs of ${circuit}; ${count} are wanted`);
  }
  return inputs;
}

function batchInputs(circuit: "trade" | "ledger", count: number): SignalValues[] {
  const last: SealedBatch[] = [];
  const earlier: SealedBatch[] = [];
  for (const make of MARKETS[circuit]) {
    if (last.length >= count) break;
    const batches = make().market.sealed.filter(({ kind }) => kind === circuit);
    last.push(...batches.slice(-1));
    earlier.push(...batches.slice(0, -1));
  }
  return [...last, ...earlier].slice(0, count).map((batch) => withPublicInputs(batch));
}

function exitInputs(count: number): SignalValues[] {
  const market = holdingMarket();
  const ledger = createRestoredLedger(market.sizes.trade);
  for (const { words } of market.sealed) ledger.apply(words);
  return Array.from(
    { length: count },
    (_, account) => exitClaim(ledger, account, market.sizes.trade.unit).inputs,
  );
}
