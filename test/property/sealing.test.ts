// Batches are the same ones whoever makes the inputs of their circuits: random sequences run on
// three markets. One makes them at once, one leaves drafts from which another maker does, and one
// has none, as validators.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HasInputs } from "../../sequencer/batch/executor.ts";
import {
  InputMismatchError,
  type InputOrigin,
  openInputMaker,
} from "../../sequencer/batch/inputMaker.ts";
import { distressMarket, fundMarket, runTrade, tradeCommand } from "../agreement/commands.ts";
import { createDistressRun, type DistressRun, runDistress } from "../support/distress.ts";
import {
  copyMarket,
  createMarket,
  type Market,
  oracleKeys,
  TEST_DOMAIN,
} from "../support/market.ts";
import { distressCommands } from "./distressRuns.ts";
import { runs } from "./runs.ts";

interface Markets {
  readonly full: Market;
  readonly bare: Market;
  readonly drafted: Market;
  /** Of `drafted`, before its first batch. */
  readonly origin: InputOrigin;
}

function threeOf(open: (hasInputs: HasInputs) => Market): Markets {
  const drafted = open("later");
  const { sizes, state } = drafted;
  const deployed = { sizes, domain: TEST_DOMAIN, oracles: oracleKeys(sizes) };
  const origin = { ...deployed, shape: sizes.trade, state: state.exportState() };
  return { full: open(true), bare: open(false), drafted, origin };
}

/** Seals what is open and compares all batches so far, bit by bit. */
function assertSame({ full, bare, drafted, origin }: Markets): void {
  const markets = [full, bare, drafted];
  for (const market of markets) if (market.executor.current() !== undefined) market.seal();
  assert.ok(full.sealed.length > 0, "nothing was sealed");
  assert.equal(bare.sealed.length, full.sealed.length);
  // Sent to the maker as to a thread: what the market does later must not reach it.
  const make = openInputMaker(structuredClone(origin));
  for (const [index, { inputs, ...batch }] of full.sealed.entries()) {
    assert.ok(Object.keys(inputs).length > 0);
    assert.deepEqual(bare.sealed[index], { ...batch, inputs: {} });
    const { draft, ...rest } = drafted.sealed[index]!;
    assert.deepEqual(rest, { ...batch, inputs: {} });
    assert.deepEqual(make(structuredClone(draft!), batch.rootAfter), inputs);
  }
  for (const { executor, trees, state, sealed } of markets) {
    assert.equal(executor.root(), sealed.at(-1)!.rootAfter);
    assert.equal(executor.root(), trees.root(state));
  }
  const ids = full.state.accountIds();
  for (const id of ids) {
    assert.deepEqual(drafted.executor.sealed()!.account(id), full.state.account(id));
  }
  assert.deepEqual(drafted.executor.sealed()!.roots(), full.executor.sealed()!.roots());
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
    const markets = threeOf((hasInputs) => copyMarket(start, hasInputs));
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
    const markets = threeOf((hasInputs) => createMarket("tiny", { hasInputs }));
    const { full, bare, drafted } = markets;
    const all = [full, bare, drafted].map(
      (market): DistressRun => createDistressRun(() => undefined, market),
    );
    for (const command of commands) for (const run of all) runDistress(run, command);
    assertSame(markets);
  });
  fc.assert(property, runs(4));
});

test("a maker that comes to another root than the one sealed gives no inputs", () => {
  const { drafted, origin } = threeOf((hasInputs) => createMarket("tiny", { hasInputs }));
  drafted.deposit(5, 1_000_000);
  const { draft, rootAfter } = drafted.seal();
  assert.throws(() => openInputMaker(origin)(draft!, rootAfter + 1n), InputMismatchError);
  const accounts = new Map(draft!.change.accounts);
  const row = accounts.get(5)!;
  accounts.set(5, { ...row, cash: row.cash + 1 });
  const forged = { ...draft!, change: { ...draft!.change, accounts }, leaves: undefined };
  assert.throws(() => openInputMaker(origin)(forged, rootAfter), InputMismatchError);
  const { leaves } = draft!;
  const moved = new Map(leaves!.accounts).set(5, leaves!.accounts.get(5)! + 1n);
  const misled = { ...draft!, leaves: { ...leaves!, accounts: moved } };
  assert.throws(() => openInputMaker(origin)(misled, rootAfter), InputMismatchError);
});
