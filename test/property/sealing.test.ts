// Batches are the same ones whoever makes the inputs of their circuits: random sequences run on
// three markets. One makes them at once, one leaves drafts from which another maker does, and one
// has none, as validators.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openInputMaker } from "../../sequencer/batch/inputMaker.ts";
import { InvalidEntryError } from "../../sequencer/batch/invalidEntry.ts";
import { distressMarket, fundMarket, runTrade, tradeCommand } from "../agreement/commands.ts";
import { createDistressRun, type DistressRun, runDistress } from "../support/distress.ts";
import { copyMarket, createMarket, type Following, type Market } from "../support/market.ts";
import { distressCommands } from "./distressRuns.ts";
import { runs } from "./runs.ts";

interface Markets {
  readonly full: Market;
  readonly bare: Market;
  readonly drafted: Market;
}

function threeOf(open: (following: Following) => Market): Markets {
  return { full: open("inputs"), bare: open("roots"), drafted: open("drafts") };
}

/** Seals what is open and compares all batches so far, bit by bit. */
function assertSame({ full, bare, drafted }: Markets): void {
  const markets = [full, bare, drafted];
  for (const market of markets) if (market.executor.current() !== undefined) market.seal();
  assert.ok(full.sealed.length > 0, "nothing was sealed");
  assert.equal(bare.sealed.length, full.sealed.length);
  const { follower } = drafted;
  assert.equal(follower.taken.length, full.sealed.length);
  const maker = openInputMaker(follower.origin());
  for (const [index, { inputs, ...batch }] of full.sealed.entries()) {
    assert.ok(Object.keys(inputs).length > 0);
    assert.deepEqual(bare.sealed[index], { ...batch, inputs: {} });
    assert.deepEqual(drafted.sealed[index], { ...batch, inputs: {} });
    assert.deepEqual(maker.take(follower.taken[index]!), inputs);
    assert.equal(maker.hashes().commitment, batch.commitment);
  }
  for (const { executor, sealed } of markets) {
    assert.equal(executor.root(), sealed.at(-1)!.rootAfter);
    assert.equal(executor.endRoot(), executor.root());
  }
  for (const { trees, state } of [full, bare]) {
    assert.equal(trees.root(state), full.executor.root());
  }
}

function started(prepare: (market: Market) => void): Market {
  const market = createMarket();
  prepare(market);
  if (market.executor.current() !== undefined) market.seal();
  return market;
}

test("trade batches are the same with inputs, with drafts and without", () => {
  const commands = fc.array(tradeCommand, { minLength: 30, maxLength: 60 });
  const starts = [started(fundMarket), started(distressMarket)] as const;
  const property = fc.property(commands, fc.constantFrom(...starts), (sequence, start) => {
    const markets = threeOf((following) => copyMarket(start, following));
    for (const command of sequence) {
      const steps = runTrade(markets.full, command);
      for (const market of [markets.bare, markets.drafted]) {
        assert.deepEqual(runTrade(market, command), steps);
      }
    }
    assertSame(markets);
  });
  fc.assert(property, runs(8));
});

test("ledger batches are the same with inputs, with drafts and without", () => {
  const property = fc.property(distressCommands(4), (commands) => {
    const markets = threeOf((following) => createMarket("tiny", { following }));
    const { full, bare, drafted } = markets;
    const all = [full, bare, drafted].map(
      (market): DistressRun => createDistressRun(() => undefined, market),
    );
    for (const command of commands) for (const run of all) runDistress(run, command);
    assertSame(markets);
  });
  fc.assert(property, runs(4));
});

test("a draft that says something else leads to another root", () => {
  const { drafted, full } = threeOf((following) => createMarket("tiny", { following }));
  for (const market of [drafted, full]) market.deposit(5, 1_000_000);
  const { rootAfter } = drafted.seal();
  assert.equal(rootAfter, full.seal().rootAfter);
  const draft = drafted.follower.taken[0]!;
  const accounts = new Map(draft.change.accounts);
  const row = accounts.get(5)!;
  accounts.set(5, { ...row, cash: row.cash + 1 });
  const maker = openInputMaker(drafted.follower.origin());
  maker.take({ ...draft, change: { ...draft.change, accounts } });
  assert.notEqual(maker.root(), rootAfter);
});

// What runs while somebody else still looks for the root of the batch before.
test("a batch that has ended is sealed while the next one runs, with its own root", () => {
  const markets = Object.values(threeOf((following) => createMarket("tiny", { following })));
  const sealed = markets.map((market) => {
    const { executor } = market;
    market.deposit(5, 1_000_000);
    assert.equal(executor.end(), 1);
    assert.equal(executor.ended(), 1);
    const before = executor.root();
    market.deposit(5, 7);
    market.deposit(6, 7);
    assert.throws(() => executor.end(), InvalidEntryError, "one at a time");
    assert.equal(executor.root(), before);
    const [first, second] = [market.seal(), market.seal()];
    assert.deepEqual([first.number, second.number], [1, 2]);
    assert.equal(second.rootBefore, first.rootAfter);
    assert.notEqual(second.rootAfter, first.rootAfter);
    return [first, second].map(({ inputs: _, ...batch }) => batch);
  });
  assert.deepEqual(sealed[1], sealed[0]);
  assert.deepEqual(sealed[2], sealed[0]);
  const plain = createMarket();
  plain.deposit(5, 1_000_000);
  const { inputs: _, ...whole } = plain.seal();
  assert.deepEqual(sealed[0]![0], whole);
});
