// Cheating with exits: for each line of what Exit proves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { exitClaim } from "../../sequencer/batch/exitWitness.ts";
import { createRestoredLedger } from "../../sequencer/batch/restore.ts";
import { holdingMarket } from "../support/batches.ts";
import { assertRefused, changed, loadCircuit, plus, set } from "../support/circuit.ts";
import { createMarket, ownerOf } from "../support/market.ts";

const circuit = await loadCircuit("exit");
const market = holdingMarket();
const unit = market.sizes.trade.unit;
const ledger = createRestoredLedger(market.sizes.trade);
for (const { words } of market.sealed) ledger.apply(words);
const { claim, inputs } = exitClaim(ledger, 1, unit);
const root = "Exit: root === stateRoot";

test("the exits to cheat with have witnesses", () => {
  for (const account of [0, 1, 4, 255]) {
    circuit.witness(exitClaim(ledger, account, unit).inputs);
  }
  assert.equal(exitClaim(ledger, 1, unit).owner, ownerOf(1));
});

test("Exit proves 1: stateRoot holds, at account, this account of this owner", () => {
  for (const name of ["stateRoot", "owner", "privateRoot", "account", "fees"]) {
    assertRefused(circuit, changed(inputs, [name], plus(1n)), root);
  }
  assertRefused(circuit, changed(inputs, ["account"], set(257n)), "MerkleUpdate");
  assertRefused(circuit, changed(inputs, ["accountSiblings", 2, 1], plus(1n)), root);
});

test("Exit proves 1: with the given cash, positions and marks", () => {
  const richer = changed(inputs, ["cash"], plus(1n)) as typeof inputs;
  assertRefused(circuit, changed(richer, ["claim"], plus(1n)), root);
  assertRefused(circuit, changed(inputs, ["positions", 0], plus(1n)), root);
  assertRefused(circuit, changed(inputs, ["seriesWords", 0], plus(1n)), root);
  const lane = changed(inputs, ["positions", 1], plus(1n << 36n)) as typeof inputs;
  assertRefused(circuit, changed(lane, ["positions", 2], plus(-1n)), "InRange");
  const wrapped = changed(inputs, ["cash"], set(2n ** 52n));
  assertRefused(circuit, wrapped, "InRange");
});

test("Exit proves 2: claim = max(0, cash + unit * sum of position * mark)", () => {
  const { cash, positions } = ledger.account(1);
  const marks = ledger.series().map(({ mark }) => mark);
  const value = positions.reduce((sum, lots, slot) => sum + lots * marks[slot]!, 0);
  assert.equal(claim, BigInt(cash + unit * value));
  for (const off of [1n, -1n]) {
    assertRefused(circuit, changed(inputs, ["claim"], plus(off)), "Exit: claim ===");
  }
  const none = exitClaim(ledger, 255, unit);
  assertRefused(circuit, changed(none.inputs, ["claim"], set(1n)), "Exit: claim ===");
});

test("Exit proves 2: an account that is under water claims nothing", () => {
  const poor = createMarket();
  poor.deposit(1, 0);
  poor.seal();
  const state = createRestoredLedger(poor.sizes.trade);
  for (const { words } of poor.sealed) state.apply(words);
  const exit = exitClaim(state, 1, unit);
  assert.equal(exit.claim, 0n);
  circuit.witness(exit.inputs);
  // A negative equity would be a field element near the modulus: no claim of that size holds.
  assertRefused(circuit, changed(exit.inputs, ["claim"], set(-1n)), "Exit: claim ===");
});
