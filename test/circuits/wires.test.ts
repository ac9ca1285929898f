// Whole witnesses forged: every wire of a batch is a hint to a dishonest prover. No single one can
// be changed, nor any number of them together by a little.
import assert from "node:assert/strict";
import { test } from "node:test";
import { singleWireFlips } from "../../circuits/adversary/flips.ts";
import { freedomAt } from "../../circuits/adversary/jacobian.ts";
import { isSatisfied, readR1cs } from "../../circuits/adversary/r1cs.ts";
import { readSymbols } from "../../circuits/adversary/symbols.ts";
import { CIRCUIT_NAMES, type CircuitName } from "../../scripts/circuits.ts";
import { type Circuit, loadCircuit } from "../support/circuit.ts";
import { circuitWitnesses } from "../support/circuitWitnesses.ts";
import { isReviewedFreedom } from "../support/reviewedFreedom.ts";

const isLong = process.env.STRADDLE_TEST_LONG !== undefined;
/** The Jacobian takes twenty times as long as all flips. */
const JACOBIANS = isLong ? 20 : 1;

function load({ r1csFile, symFile }: Circuit) {
  const r1cs = readR1cs(r1csFile);
  const { namesOf, nameOf } = readSymbols(symFile);
  const isFree = (wire: number) => namesOf(wire).some(isReviewedFreedom);
  return { r1cs, nameOf, isFree };
}

const circuits = new Map<CircuitName, ReturnType<typeof load>>();
const witnesses = new Map<CircuitName, readonly bigint[][]>();
for (const name of CIRCUIT_NAMES) {
  const circuit = await loadCircuit(name);
  circuits.set(name, load(circuit));
  witnesses.set(name, circuitWitnesses(name, isLong ? 20 : 2).map(circuit.witness));
}

test("C1 no wire of a whole witness can be changed, but those that mean nothing", (context) => {
  let wires = 0;
  let free = 0;
  for (const [name, { r1cs, nameOf, isFree }] of circuits) {
    for (const witness of witnesses.get(name)!) {
      assert.ok(isSatisfied(r1cs, witness), "the honest witness must hold");
      const found = singleWireFlips(r1cs, witness);
      const forged = found.filter(({ wire }) => !isFree(wire));
      assert.deepEqual(
        forged.map(({ wire, from, to }) => `${name}: ${nameOf(wire)} ${from} as ${to}`),
        [],
      );
      wires += r1cs.computed.length;
      free += found.length;
    }
  }
  const count = [...witnesses.values()].flat().length;
  assert.ok(free > 0, "the inverses of IsZero are free: a run that does not see them sees nothing");
  context.diagnostic(
    `C1: 0 unexplained of ${wires.toLocaleString("en")} wires ` +
      `(${free.toLocaleString("en")} reviewed), ${count} witnesses, ${circuits.size} circuits`,
  );
});

test("C2 the witnesses near a whole one have no dimension but reviewed ones", (context) => {
  let dimensions = 0;
  let tried = 0;
  // Those of batches take a quarter of a minute each: one is enough for every day.
  const names = isLong ? CIRCUIT_NAMES : (["ledger", "exit"] as const);
  for (const name of names) {
    const { r1cs, nameOf, isFree } = circuits.get(name)!;
    for (const witness of witnesses.get(name)!.slice(0, JACOBIANS)) {
      const { directions } = freedomAt(r1cs, witness);
      const unexplained = directions.filter((moves) => ![...moves.keys()].every(isFree));
      assert.deepEqual(
        unexplained.map((moves) => [...moves.keys()].map(nameOf)),
        [],
        name,
      );
      dimensions += directions.length;
      tried++;
    }
  }
  assert.ok(dimensions > 0, "the inverses of IsZero are dimensions: they must be seen");
  context.diagnostic(
    `C2: kernel 0 beside ${dimensions} reviewed dimensions, ${tried} whole witnesses`,
  );
});
