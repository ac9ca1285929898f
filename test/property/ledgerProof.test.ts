// Ledger proofs along random sequences: each leads to the root of the last seal, in the middle of
// batches too, and none does with a single thing changed in it.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ledgerProofFaults } from "../../sequencer/client/ledgerProof.ts";
import type { LedgerProof } from "../../sequencer/protocol/ledgerProof.ts";
import { distressMarket, fundMarket, runTrade, tradeCommand } from "../agreement/commands.ts";
import { createDistressRun, runDistress } from "../support/distress.ts";
import { copyMarket, createMarket, type Market } from "../support/market.ts";
import { distressCommands } from "./distressRuns.ts";
import { runs } from "./runs.ts";

function proofOf({ follower }: Market, account: number): LedgerProof {
  const proof = follower.ledgerProof(account);
  assert.ok(proof !== null);
  return proof;
}

function faultsOf(proof: LedgerProof, { executor, state }: Market): string[] {
  return ledgerProofFaults(proof, { root: executor.root(), shape: state.shape });
}

function assertProven(market: Market, account: number): void {
  const proof = proofOf(market, account);
  assert.deepEqual(faultsOf(proof, market), []);
  assert.equal(proof.root, market.executor.root());
  const open = market.executor.current();
  assert.equal(proof.number, (open?.number ?? market.executor.nextNumber()) - 1);
  if (open !== undefined) return;
  const { owner, cash, positions } = market.state.account(account);
  assert.deepEqual([proof.owner, proof.cash, proof.positions], [owner, cash, [...positions]]);
}

function started(prepare: (market: Market) => void): Market {
  const market = createMarket();
  prepare(market);
  if (market.executor.current() !== undefined) market.seal();
  return market;
}

test("there is no proof before anything is sealed", () => {
  assert.equal(createMarket("tiny", { following: "drafts" }).follower.ledgerProof(3), null);
});

test("every account is proven after every trade, also where the batch has touched it since", () => {
  const commands = fc.array(tradeCommand, { minLength: 10, maxLength: 30 });
  const starts = [started(fundMarket), started(distressMarket)] as const;
  let touchedSince = 0;
  const property = fc.property(commands, fc.constantFrom(...starts), (sequence, start) => {
    const market = copyMarket(start, "drafts");
    for (const command of sequence) {
      runTrade(market, command);
      const accounts = [...market.state.touched().accounts, 255];
      for (const account of accounts) assertProven(market, account);
      touchedSince += accounts.length - 1;
    }
    if (market.executor.current() !== undefined) market.seal();
    for (const account of market.state.accountIds()) assertProven(market, account);
  });
  // A tiny batch is soon full, and one sample in eight leaves hardly any open: then more are drawn.
  for (let round = 0; touchedSince <= 10 && round < 10; round++) fc.assert(property, runs(8));
  assert.ok(touchedSince > 10, `\`${touchedSince}\` accounts were touched in open batches`);
});

test("and after deposits, takeovers, settlements and everything else of the ledger", () => {
  const property = fc.property(distressCommands(4), (commands) => {
    const run = createDistressRun(() => undefined, createMarket("tiny", { following: "drafts" }));
    for (const command of commands) {
      runDistress(run, command);
      if (run.market.sealed.length === 0) continue;
      for (const account of run.market.state.touched().accounts) assertProven(run.market, account);
      assertProven(run.market, 3);
    }
  });
  fc.assert(property, runs(3));
});

/** All that differ from the proof in one thing. */
function* changed(proof: LedgerProof): Generator<readonly [string, LedgerProof]> {
  yield ["root", { ...proof, root: proof.root + 1n }];
  // Of an account that is empty, among others that are, each is proven by the same path.
  if (proof.owner !== 0n) yield ["account", { ...proof, account: proof.account ^ 1 }];
  yield ["account beyond the tree", { ...proof, account: proof.account + 256 }];
  yield ["owner", { ...proof, owner: proof.owner + 1n }];
  for (const by of [1, -1, 0.5, Number.NaN])
    yield [`cash ${by}`, { ...proof, cash: proof.cash + by }];
  for (const slot of proof.positions.keys()) {
    for (const by of [1, -1, 2 ** 23, 0.5]) {
      const positions = proof.positions.with(slot, proof.positions[slot]! + by);
      yield [`position ${slot} ${by}`, { ...proof, positions }];
    }
  }
  yield ["slots", { ...proof, positions: proof.positions.slice(1) }];
  for (const [level, three] of proof.siblings.entries()) {
    for (const [at, sibling] of three.entries()) {
      const other = proof.siblings.with(level, three.with(at, sibling + 1n));
      yield [`sibling ${level}/${at}`, { ...proof, siblings: other }];
    }
    const [first, second, third] = three;
    if (first !== second) {
      const turned = proof.siblings.with(level, [second!, first!, third!]);
      yield [`siblings of ${level} in another order`, { ...proof, siblings: turned }];
    }
    yield [`two at ${level}`, { ...proof, siblings: proof.siblings.with(level, three.slice(1)) }];
  }
  yield ["a level less", { ...proof, siblings: proof.siblings.slice(1) }];
  yield ["a level more", { ...proof, siblings: [...proof.siblings, [0n, 0n, 0n]] }];
  yield ["series", { ...proof, seriesRoot: proof.seriesRoot + 1n }];
  yield ["half a fee", { ...proof, fees: proof.fees + 0.5 }];
  yield ["fees", { ...proof, fees: proof.fees + 1 }];
  yield ["private root", { ...proof, privateRoot: proof.privateRoot + 1n }];
}

test("one change anywhere, and it leads to another root", () => {
  const market = copyMarket(started(fundMarket), "drafts");
  for (const account of [1, 3, 200]) {
    const proof = proofOf(market, account);
    assert.deepEqual(faultsOf(proof, market), []);
    let count = 0;
    for (const [what, other] of changed(proof)) {
      assert.notDeepEqual(faultsOf(other, market), [], what);
      count += 1;
    }
    assert.ok(count > 80);
  }
});
