// Batches sealed without circuit inputs, as validators seal them, are the same batches: random
// sequences run on two markets, one with inputs and one without.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { distressMarket, fundMarket, runTrade, tradeCommand } from "../agreement/commands.ts";
import { createDistressRun, type DistressRun, runDistress } from "../support/distress.ts";
import { copyMarket, createMarket, type Market } from "../support/market.ts";
import { distressCommands } from "./distressRuns.ts";
import { runs } from "./runs.ts";

/** Seals what is open and compares all batches so far, bit by bit. */
function assertSame(full: Market, bare: Market): void {
  for (const market of [full, bare]) if (market.executor.current() !== undefined) market.seal();
  assert.ok(full.sealed.length > 0, "nothing was sealed");
  assert.equal(bare.sealed.length, full.sealed.length);
  for (const [index, { inputs, ...batch }] of full.sealed.entries()) {
    assert.ok(Object.keys(inputs).length > 0);
    assert.deepEqual(bare.sealed[index], { ...batch, inputs: {} });
  }
  for (const { executor, trees, state, sealed } of [full, bare]) {
    assert.equal(executor.root(), sealed.at(-1)!.rootAfter);
    assert.equal(executor.root(), trees.root(state));
  }
}

function started(prepare: (market: Market) => void): Market {
  const market = createMarket();
  prepare(market);
  if (market.executor.current() !== undefined) market.seal();
  return market;
}

test("trade batches have the same words and roots with and without inputs", () => {
  const commands = fc.array(tradeCommand, { minLength: 30, maxLength: 60 });
  const starts = [started(fundMarket), started(distressMarket)] as const;
  const property = fc.property(commands, fc.constantFrom(...starts), (sequence, start) => {
    const [full, bare] = [copyMarket(start), copyMarket(start, false)];
    for (const command of sequence) {
      assert.deepEqual(runTrade(bare, command), runTrade(full, command));
    }
    assertSame(full, bare);
  });
  fc.assert(property, runs(8));
});

test("ledger batches have the same words and roots with and without inputs", () => {
  const runOf = (hasInputs: boolean): DistressRun =>
    createDistressRun(() => undefined, createMarket("tiny", { hasInputs }));
  const property = fc.property(distressCommands(4), (commands) => {
    const [full, bare] = [runOf(true), runOf(false)];
    for (const command of commands) for (const run of [full, bare]) runDistress(run, command);
    assertSame(full.market, bare.market);
  });
  fc.assert(property, runs(4));
});
