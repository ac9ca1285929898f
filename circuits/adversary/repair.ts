/**
 * Near misses brought nearer: of a witness that few constraints refuse, one wire at a time is set
 * so that one of these holds, which may break others. Where only one is left, nothing but this one
 * refuses the witness. Wires are moved directly, inputs too: nothing is computed again.
 */
import { inverse, reduce } from "./field.ts";
import { polynomialsOf } from "./flips.ts";
import { holdersOf, holds, type R1cs, sumOf } from "./r1cs.ts";

export interface NearMiss {
  readonly witness: readonly bigint[];
  /** The constraints that refuse it, all of them. */
  readonly refusing: readonly number[];
}

export interface Repairer {
  /** Constraints that alone refuse some witness near this one; `stepsMax` are tried on from. */
  reach(from: NearMiss, stepsMax: number): ReadonlySet<number>;
  /** Of a witness that all constraints take: these wires changed, one at a time. */
  around(witness: readonly bigint[], wires: Iterable<number>): Generator<NearMiss>;
  /** Wires in some of these constraints. */
  wiresOf(constraints: Iterable<number>): ReadonlySet<number>;
}

/** Of constraints that refuse a witness: with more it is no near miss. */
export const NEAR_MAX = 3;
/** Wires that are moved, one after the other. */
const MOVES_MAX = 6;
/** Witnesses that one repairer makes in all. */
const WORK_MAX = 300_000;

interface State extends NearMiss {
  readonly moved: readonly number[];
}

export function createRepairer(r1cs: R1cs): Repairer {
  const { prime, constraints } = r1cs;
  const move = createMove(r1cs);
  let work = 0;
  const next = function* ({ witness, refusing, moved }: State): Generator<State> {
    for (const at of refusing) {
      for (const [wire, to] of mending(r1cs, at, witness)) {
        if (moved.includes(wire)) continue;
        if (work++ >= WORK_MAX) return;
        const near = move({ witness, refusing }, wire, to);
        if (near !== undefined) yield { ...near, moved: [...moved, wire] };
      }
    }
  };
  return {
    reach(from, stepsMax) {
      const reached = new Set<number>();
      const seen = new Set<string>();
      // The nearest first: a queue for each number of constraints that refuse.
      const queues: State[][] = Array.from({ length: NEAR_MAX + 1 }, () => []);
      const push = (state: State): void => {
        const { refusing, moved } = state;
        if (refusing.length === 1) reached.add(refusing[0]!);
        const key = keyOf(state);
        if (refusing.length === 0 || moved.length >= MOVES_MAX || seen.has(key)) return;
        seen.add(key);
        queues[refusing.length]!.push(state);
      };
      push({ ...from, moved: [] });
      for (let steps = 0; steps < stepsMax; steps++) {
        const state = queues.find((queue) => queue.length > 0)?.shift();
        if (state === undefined) break;
        for (const each of next(state)) push(each);
      }
      return reached;
    },
    *around(witness, wires) {
      for (const wire of wires) {
        const value = witness[wire]!;
        const values = [1n - value, value + 1n, value - 1n, 2n, -1n];
        for (const to of new Set(values.map((each) => reduce(each, prime)))) {
          const near = move({ witness, refusing: [] }, wire, to);
          if (near !== undefined && near.refusing.length > 0) yield near;
        }
      }
    },
    wiresOf: (some) => {
      const found = [...some].flatMap((at) => {
        const { a, b, c } = constraints[at]!;
        return [...a.wires, ...b.wires, ...c.wires];
      });
      return new Set(found.filter((wire) => wire !== 0));
    },
  };
}

const keyOf = ({ refusing, moved }: State): string =>
  [refusing, moved].map((numbers) => numbers.toSorted((x, y) => x - y).join()).join("|");

/** Sets one wire; undefined where too many constraints refuse what comes out. */
function createMove(r1cs: R1cs) {
  const { constraints, prime } = r1cs;
  const holders = holdersOf(r1cs);
  return ({ witness, refusing }: NearMiss, wire: number, to: bigint): NearMiss | undefined => {
    const near = new Set(holders[wire]);
    const left = refusing.filter((at) => !near.has(at));
    const changed = witness.with(wire, to);
    for (const at of near) {
      if (left.length > NEAR_MAX) break;
      if (!holds(constraints[at]!, changed, prime)) left.push(at);
    }
    return left.length > NEAR_MAX ? undefined : { witness: changed, refusing: left };
  };
}

/** Wires, each with a value with which a constraint holds. */
function* mending(
  { constraints, prime }: R1cs,
  at: number,
  witness: readonly bigint[],
): Generator<readonly [number, bigint]> {
  const constraint = constraints[at]!;
  const { a, b, c } = constraint;
  const rest = sumOf(a, witness, prime) * sumOf(b, witness, prime) - sumOf(c, witness, prime);
  const any = { has: (wire: number) => wire !== 0 };
  for (const [wire, { square, linear }] of polynomialsOf(constraint, { witness, prime, in: any })) {
    const value = witness[wire]!;
    // Squares are nearly always those of x * (x - 1).
    if (square !== 0n) for (const bit of [0n, 1n]) yield [wire, bit];
    else if (linear !== 0n) yield [wire, reduce(value - rest * inverse(linear, prime), prime)];
  }
}
