// Margin tests: the hints are free choices of what is exhibited, never of the verdict.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SignalValues } from "../../circuits/adversary/calculator.ts";
import { HEALTH_BITS, FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { runs } from "../property/runs.ts";
import { accepts, assertPinned, vectors } from "../support/cheat.ts";
import { type Gadget, loadGadget } from "../support/gadget.ts";

const file = "gadgets/Health.circom";
const SIZE = 2;
/** Which condition is exhibited is free where both hold, and where nothing is to be passed. */
const CHOICES = /\.(inv|usesSum\[\d+\]|shown\[\d+\]|isWorst\[\d+\])$/;
const number = fc.oneof(
  fc.constantFrom(-1, 0, 1, -2, 2),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
);
const pair = fc.tuple(number, number);

interface Verdict {
  readonly passes: bigint;
  readonly fails: bigint;
}

function verdictOf(gadget: Gadget, witness: readonly bigint[]): Verdict {
  return { passes: gadget.read(witness, "passes"), fails: gadget.read(witness, "fails") };
}

function isAdmissible(headroom: readonly number[], change: readonly number[]): boolean {
  return headroom.every((room, s) => room + change[s]! >= 0 || change[s]! >= 0);
}

/** The verdicts that any choice of hints reaches, each of `passes`, `isWorst` and `usesSum`. */
function reachable(gadget: Gadget, inputs: SignalValues): string[] {
  const found = new Set<string>();
  const bits = [0n, 1n];
  for (const hint_passes of [0n, 1n, 2n, R - 1n]) {
    for (const hint_isWorst of vectors([0n, 1n, R - 1n], SIZE)) {
      for (const hint_usesSum of vectors(bits, SIZE)) {
        const hints = { hint_passes, hint_isWorst, hint_usesSum };
        if (!accepts(gadget, { ...inputs, ...hints })) continue;
        const { passes, fails } = verdictOf(gadget, gadget.witness({ ...inputs, ...hints }));
        found.add(`${passes} ${fails}`);
      }
    }
  }
  return [...found];
}

const EDGES = [
  { headroom: [0, 0], change: [0, 0] },
  { headroom: [1, 0], change: [-1, 0] },
  { headroom: [0, 5], change: [-1, -5] },
  { headroom: [-7, 5], change: [0, -5] },
  { headroom: [-7, 5], change: [-1, -5] },
  { headroom: [-7, 5], change: [6, -6] },
  { headroom: [-7, 2 ** 52], change: [7, -(2 ** 52)] },
  { headroom: [-7, 2 ** 52], change: [7, -(2 ** 52) - 1] },
];

test("Admissible proves 1: passes + fails = enabled, both 0 or 1, whatever is hinted", async () => {
  const gadget = await loadGadget({
    file,
    main: `Admissible(${SIZE}, ${HEALTH_BITS})`,
    freeHints: true,
  });
  for (const edge of EDGES) {
    assert.deepEqual(reachable(gadget, { ...edge, enabled: 0 }), ["0 0"]);
    const verdict = isAdmissible(edge.headroom, edge.change) ? "1 0" : "0 1";
    assert.deepEqual(reachable(gadget, { ...edge, enabled: 1 }), [verdict]);
  }
});

test("Admissible proves 1: where nothing is asked, short scenarios are no verdict", async () => {
  const gadget = await loadGadget({ file, main: `Admissible(18, ${HEALTH_BITS})` });
  const short = Array.from({ length: 18 }, (_, s) => -1000 - s);
  const read = (enabled: number) =>
    verdictOf(gadget, gadget.witness({ headroom: short, change: short, enabled }));
  assert.deepEqual(read(0), { passes: 0n, fails: 0n });
  assert.deepEqual(read(1), { passes: 0n, fails: 1n });
});

test("Admissible proves 2: healthy is claimed only where every scenario holds", async () => {
  const gadget = await loadGadget({
    file,
    main: `Admissible(${SIZE}, ${HEALTH_BITS})`,
    freeHints: true,
  });
  fc.assert(
    fc.property(pair, pair, (headroom, change) => {
      fc.pre(!isAdmissible(headroom, change));
      const reached = reachable(gadget, { headroom, change, enabled: 1 });
      assert.deepEqual(reached, ["0 1"]);
    }),
    runs(15),
  );
});

test("Admissible proves 3: unhealthy is claimed only with a scenario that fails", async () => {
  const gadget = await loadGadget({
    file,
    main: `Admissible(${SIZE}, ${HEALTH_BITS})`,
    freeHints: true,
  });
  fc.assert(
    fc.property(pair, pair, (headroom, change) => {
      fc.pre(isAdmissible(headroom, change));
      const reached = reachable(gadget, { headroom, change, enabled: 1 });
      assert.deepEqual(reached, ["1 0"]);
    }),
    runs(15),
  );
});

test("Admissible proves 1-3 of 18 scenarios: no wire but its choices can be forged", async () => {
  const gadget = await loadGadget({ file, main: `Admissible(18, ${HEALTH_BITS})` });
  const room = Array.from({ length: 18 }, (_, s) => 1000 - s);
  for (const last of [-983, -984]) {
    const change = room.map((_, s) => (s === 17 ? last : -s));
    const witness = assertPinned(gadget, { headroom: room, change, enabled: 1 }, { free: CHOICES });
    assert.equal(gadget.read(witness, "passes"), last === -983 ? 1n : 0n);
  }
});
