// What a run of the executor has reached, by name, so that a test can tell what it never tried.
import assert from "node:assert/strict";
import { feeCap } from "../../sequencer/engine/fees.ts";
import type {
  Fill,
  OperationRecord,
  OrderStep,
  StepRecord,
} from "../../sequencer/engine/records.ts";

export class Coverage {
  readonly #counts = new Map<string, number>();

  reach(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Asserts that each of these was reached. */
  assertComplete(names: readonly string[]): void {
    const missing = names.filter((name) => !this.#counts.has(name));
    assert.deepEqual(missing, [], `reached only ${this.table()}`);
  }

  table(): string {
    return [...this.#counts]
      .map(([name, count]) => `${name} ${count}`)
      .sort()
      .join(", ");
  }

  steps(records: readonly StepRecord[]): void {
    let fills = 0;
    for (const record of records) {
      this.reach(record.kind);
      if (record.kind === "liquidate") {
        this.#liquidation(record.order, record.isSell);
      } else if ("order" in record) {
        if (record.order.fill !== undefined) fills += 1;
        this.#order(record.order, fills);
      } else if ("outcome" in record) {
        this.reach(record.outcome);
      }
    }
    const last = records.at(-1);
    if (last !== undefined && "order" in last && last.order.after !== undefined) {
      this.reach("interrupted");
    }
  }

  operation({ operation, outcome }: OperationRecord): void {
    this.reach(`${operation.kind} ${outcome}`);
  }

  #liquidation(step: OrderStep, isSell: boolean): void {
    this.reach(`liquidate ${step.orderCase} ${step.outcome}`);
    if (step.fill === undefined) return;
    this.reach(isSell ? "liquidation by a sale" : "liquidation by a purchase");
    this.#fees(step.fill);
  }

  #fees({ takerFee, makerFee, price, lots }: Fill): void {
    if (takerFee > 0) this.reach("taker's fee");
    if (makerFee > 0) this.reach("maker's fee");
    if (makerFee < 0) this.reach(takerFee + makerFee > 0 ? "rebate" : "rebate of the whole fee");
    // Of the test market's unit of 1000.
    if (takerFee === 1000 * lots * feeCap(price)) this.reach("capped fee");
  }

  #order(step: OrderStep, fills: number): void {
    const { before, outcome, fill } = step;
    const tif = before.timeInForce;
    this.reach(step.orderCase);
    if (outcome !== undefined) this.reach(`${tif} ${outcome}`);
    for (const { reason } of step.removed) this.reach(reason);
    if (step.aborted && fills > 0) this.reach("abort after fills");
    if (step.aborted && step.orderCase === "nothingToReduce") this.reach("abort of reduce-only");
    if (step.aborted && step.after === undefined && step.fill !== undefined) {
      this.reach("abort out of steps");
    }
    if (fill === undefined) return;
    this.#fees(fill);
    this.reach(fill.takerIsSell ? "fill by seller" : "fill by buyer");
    if (fill.book === 4) this.reach("fill of a combination");
    if (fill.price < 0) this.reach("fill at a credit");
    if (before.reduceOnly && fill.lots < before.lots) this.reach("fill capped by reduce-only");
    if (fill.lots < before.lots) this.reach("fill that goes on");
  }
}
