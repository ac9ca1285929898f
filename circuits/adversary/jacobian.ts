/**
 * How many dimensions the witnesses near a satisfying one have, inputs fixed: the kernel of the
 * constraints' Jacobian modulo the prime. Dimension 0: no small change of however many wires at
 * once goes through.
 *
 * Circuits are nearly triangular: constraint by constraint one wire is left that is not known yet,
 * and follows from the others. Where none is left alone, one wire is made a parameter, and is
 * solved for as soon as a constraint says something of parameters alone. So the work is about that
 * of reading the constraints, times the few parameters that are open at the same time.
 */
import { inverse, reduce } from "./field.ts";
import { type R1cs, sumOf, type Terms } from "./r1cs.ts";

/** Coefficients by wire or parameter, none of them 0. */
export type Row = Map<number, bigint>;

export interface Freedom {
  readonly dimensions: number;
  /** For each dimension the wires that move together, and how fast. */
  readonly directions: readonly Row[];
  /** Parameters that were opened; all but the dimensions were solved for. */
  readonly parameters: number;
}

/** More parameters than these are not held open at a time: it would take hours. */
const OPEN_MAX = 4000;

export function freedomAt(r1cs: R1cs, witness: readonly bigint[]): Freedom {
  const computed = new Set(r1cs.computed);
  const rows = r1cs.constraints.map((_, at) => gradient(r1cs, at, witness, computed));
  return kernelOf(rows, r1cs.computed, r1cs.prime);
}

/**
 * Constraints without which the witness would have a dimension more: those whose gradient is no
 * combination of the others'. `wires` may move; by default all but inputs.
 */
export function independentAt(
  r1cs: R1cs,
  witness: readonly bigint[],
  wires: readonly number[] = r1cs.computed,
): Set<number> {
  const computed = new Set(wires);
  const columns = new Map<number, Row>();
  const constraints: number[] = [];
  for (let at = 0; at < r1cs.constraints.length; at++) {
    const row = gradient(r1cs, at, witness, computed);
    if (row.size > 0) constraints.push(at);
    for (const [wire, coefficient] of row) {
      const column = columns.get(wire);
      if (column === undefined) columns.set(wire, new Map([[at, coefficient]]));
      else column.set(at, coefficient);
    }
  }
  const independent = new Set(constraints);
  // Combinations of constraints that vanish: the kernel of the transposed matrix.
  for (const combination of kernelOf([...columns.values()], constraints, r1cs.prime).directions) {
    for (const at of combination.keys()) independent.delete(at);
  }
  return independent;
}

/** What solves all rows = 0, in the given variables. */
function kernelOf(rows: readonly Row[], variables: readonly number[], prime: bigint): Freedom {
  const solver = createSolver(rows, variables, prime);
  // Variables of no row at all are free as well: the last ones that become parameters.
  for (const variable of variables) if (!solver.isKnown(variable)) solver.open(variable);
  const open = solver.openParameters();
  const directions = new Map(open.map((parameter) => [parameter, new Map() as Row]));
  for (const variable of variables) {
    for (const [parameter, speed] of solver.expression(variable)) {
      directions.get(parameter)!.set(variable, speed);
    }
  }
  return {
    dimensions: open.length,
    directions: [...directions.values()],
    parameters: solver.opened(),
  };
}

/** d(a b - c) in the given wires, by the product rule. */
export function gradient(
  { constraints, prime }: R1cs,
  at: number,
  witness: readonly bigint[],
  wires: { has(wire: number): boolean },
): Row {
  const { a, b, c } = constraints[at]!;
  const row: Row = new Map();
  const add = (terms: Terms, factor: bigint): void => {
    if (factor === 0n) return;
    for (const [index, wire] of terms.wires.entries()) {
      if (!wires.has(wire)) continue;
      put(row, wire, reduce((row.get(wire) ?? 0n) + terms.coefficients[index]! * factor, prime));
    }
  };
  add(a, sumOf(b, witness, prime));
  add(b, sumOf(a, witness, prime));
  add(c, prime - 1n);
  return row;
}

/** Solves all rows = 0; what is then known of wires is in terms of parameters that stay open. */
function createSolver(rows: readonly Row[], variables: readonly number[], prime: bigint) {
  const parameters = createParameters(prime);
  const holders = new Map(variables.map((variable) => [variable, [] as number[]]));
  for (const [at, row] of rows.entries()) for (const key of row.keys()) holders.get(key)!.push(at);
  const known = new Map<number, Row>();
  const unknown = rows.map((row) => row.size);
  const ready = rows.flatMap((row, at) => (row.size === 1 ? [at] : []));
  const stuck = createStuckRows(unknown);

  const learn = (wire: number, expression: Row): void => {
    known.set(wire, expression);
    for (const holder of holders.get(wire)!) {
      const left = unknown[holder]! - 1;
      unknown[holder] = left;
      if (left <= 1) ready.push(holder);
      else stuck.push(holder);
    }
  };
  const settle = (row: Row): void => {
    const unknownWire = [...row.keys()].find((wire) => !known.has(wire));
    const sum: Row = new Map();
    for (const [wire, coefficient] of row) {
      const expression = known.get(wire);
      if (expression === undefined || expression.size === 0) continue;
      addMultiple(sum, parameters.resolve(expression), coefficient, prime);
    }
    if (unknownWire === undefined) parameters.solve(sum);
    else learn(unknownWire, scaled(sum, -inverse(row.get(unknownWire)!, prime), prime));
  };
  const open = (wire: number): void => learn(wire, parameters.create());
  const run = (): void => {
    for (let at = ready.pop(); at !== undefined; at = ready.pop()) settle(rows[at]!);
  };
  run();
  for (let at = stuck.pop(); at !== undefined; at = stuck.pop()) {
    const choices = [...rows[at]!.keys()].filter((wire) => !known.has(wire));
    open(choices.reduce((x, y) => (holders.get(y)!.length > holders.get(x)!.length ? y : x)));
    run();
  }
  return {
    open,
    isKnown: (wire: number) => known.has(wire),
    expression: (wire: number): Row => parameters.resolve(known.get(wire)!),
    openParameters: parameters.open,
    opened: parameters.count,
  };
}

/** Rows with at least two unknown wires, those with the fewest first, later ones before earlier. */
function createStuckRows(unknown: readonly number[]) {
  const buckets: number[][] = [];
  const push = (at: number): void => {
    const left = unknown[at]!;
    buckets[left] ??= [];
    buckets[left].push(at);
  };
  for (const [at, left] of [...unknown.entries()].reverse()) if (left > 1) push(at);
  return {
    push,
    pop(): number | undefined {
      for (let left = 2; left < buckets.length; left++) {
        const bucket = buckets[left];
        if (bucket === undefined) continue;
        for (let at = bucket.pop(); at !== undefined; at = bucket.pop()) {
          // Rows move to smaller buckets, and stay behind in the larger ones.
          if (unknown[at] === left) return at;
        }
      }
      return undefined;
    },
  };
}

function createParameters(prime: bigint) {
  const open = new Set<number>();
  /** What has been solved for, in terms of open parameters. */
  const solved = new Map<number, Row>();
  let count = 0;
  const resolve = (expression: Row): Row => {
    if (![...expression.keys()].some((parameter) => solved.has(parameter))) return expression;
    const result: Row = new Map();
    for (const [parameter, factor] of expression) {
      addMultiple(result, solved.get(parameter) ?? new Map([[parameter, 1n]]), factor, prime);
    }
    return result;
  };
  return {
    resolve,
    create(): Row {
      if (open.size >= OPEN_MAX) {
        throw new Error(`more than \`${OPEN_MAX}\` wires of the Jacobian are open at a time`);
      }
      open.add(count);
      return new Map([[count++, 1n]]);
    },
    /** The sum is 0. */
    solve(sum: Row): void {
      const [pivot] = sum.keys();
      if (pivot === undefined) return;
      const rest = scaled(sum, -inverse(sum.get(pivot)!, prime), prime);
      rest.delete(pivot);
      open.delete(pivot);
      for (const [parameter, expression] of solved) {
        const factor = expression.get(pivot);
        if (factor === undefined) continue;
        expression.delete(pivot);
        addMultiple(expression, rest, factor, prime);
        solved.set(parameter, expression);
      }
      solved.set(pivot, rest);
    },
    open: (): number[] => [...open],
    count: (): number => count,
  };
}

function scaled(row: Row, factor: bigint, prime: bigint): Row {
  return new Map([...row].map(([key, value]) => [key, reduce(value * factor, prime)]));
}

function addMultiple(row: Row, other: Row, factor: bigint, prime: bigint): void {
  for (const [key, value] of other) {
    put(row, key, reduce((row.get(key) ?? 0n) + value * factor, prime));
  }
}

function put(row: Row, key: number, value: bigint): void {
  if (value === 0n) row.delete(key);
  else row.set(key, value);
}
