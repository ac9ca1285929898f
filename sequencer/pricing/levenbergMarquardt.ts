/**
 * Least squares inside a box: Levenberg's and Marquardt's damped Gauss-Newton iteration with
 * Nielsen's update of the damping (Madsen, Nielsen and Tingleff, "Methods for non-linear least
 * squares problems", DTU 2004, algorithm 3.16), derivatives by differences, and each trial
 * projected on the box. Small problems only: the normal equations are solved by Cholesky.
 */

export interface LeastSquaresProblem {
  /** Residuals at a point; a value that is not finite makes the point infinitely bad. */
  readonly residuals: (point: readonly number[]) => readonly number[];
  readonly start: readonly number[];
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly iterationsMax?: number;
}

export interface LeastSquares {
  readonly point: readonly number[];
  /** Sum of the squared residuals. */
  readonly cost: number;
  readonly iterations: number;
  /** False where the iterations ran out before the step or the gradient vanished. */
  readonly converged: boolean;
}

const ITERATIONS_MAX = 200;
const DAMPING_START = 1e-3;
const DAMPING_MAX = 1e16;
const STEP_MIN = 1e-12;
const GRADIENT_MIN = 1e-30;
const DIFFERENCE = 6e-6;

export function minimise(problem: LeastSquaresProblem): LeastSquares {
  const iterationsMax = problem.iterationsMax ?? ITERATIONS_MAX;
  let point = project(problem, problem.start);
  let residuals = problem.residuals(point);
  let cost = costOf(residuals);
  let damping = DAMPING_START;
  let growth = 2;
  let equations = normalEquations(problem, point, residuals);
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    const { gradient, matrix } = equations;
    const moved = step(matrix, gradient, damping);
    const trial =
      moved &&
      project(
        problem,
        point.map((value, i) => value - moved[i]!),
      );
    if (trial && distance(trial, point) <= STEP_MIN) {
      return { point, cost, iterations: iteration, converged: true };
    }
    const trialResiduals = trial && problem.residuals(trial);
    const trialCost = trialResiduals ? costOf(trialResiduals) : Number.POSITIVE_INFINITY;
    if (trial && trialResiduals && trialCost < cost) {
      [point, residuals, cost] = [trial, trialResiduals, trialCost];
      damping = Math.max(damping / 3, 1e-15);
      growth = 2;
      equations = normalEquations(problem, point, residuals);
      if (equations.gradient.every((value) => value * value <= GRADIENT_MIN)) {
        return { point, cost, iterations: iteration + 1, converged: true };
      }
    } else {
      damping *= growth;
      growth *= 2;
      if (damping > DAMPING_MAX) return { point, cost, iterations: iteration, converged: true };
    }
  }
  return { point, cost, iterations: iterationsMax, converged: false };
}

function costOf(residuals: readonly number[]): number {
  let sum = 0;
  for (const residual of residuals) sum += residual * residual;
  return Number.isNaN(sum) ? Number.POSITIVE_INFINITY : sum;
}

function project({ lower, upper }: LeastSquaresProblem, point: readonly number[]): number[] {
  return point.map((value, i) => Math.min(Math.max(value, lower[i]!), upper[i]!));
}

/** The largest relative move of a coordinate. */
function distance(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!) / (Math.abs(b[i]!) + 1e-6)));
}

/** `J^T J` and `J^T r`. A coordinate that its bound holds back has its row and gradient zeroed. */
function normalEquations(
  problem: LeastSquaresProblem,
  point: readonly number[],
  residuals: readonly number[],
): { matrix: number[][]; gradient: number[] } {
  const columns = point.map((_, i) => derivative(problem, point, i));
  const gradient = columns.map((column) => dot(column, residuals));
  const held = gradient.map(
    (slope, i) =>
      (point[i]! <= problem.lower[i]! && slope > 0) ||
      (point[i]! >= problem.upper[i]! && slope < 0),
  );
  const matrix = columns.map((column, i) =>
    columns.map((other, j) => (held[i] || held[j] ? Number(i === j) : dot(column, other))),
  );
  return { matrix, gradient: gradient.map((slope, i) => (held[i] ? 0 : slope)) };
}

/** Central where the box allows it, else one-sided. */
function derivative(
  problem: LeastSquaresProblem,
  point: readonly number[],
  index: number,
): number[] {
  const value = point[index]!;
  const size = DIFFERENCE * Math.max(Math.abs(value), 1e-3);
  const up = Math.min(value + size, problem.upper[index]!);
  const down = Math.max(value - size, problem.lower[index]!);
  const at = (moved: number) => problem.residuals(point.with(index, moved));
  const [high, low] = [at(up), at(down)];
  return high.map((residual, i) => (up > down ? (residual - low[i]!) / (up - down) : 0));
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (const [i, value] of a.entries()) sum += value * b[i]!;
  return sum;
}

/** Solves `(A + damping diag(A)) x = b`; `undefined` where that is not positive definite. */
function step(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
  damping: number,
): number[] | undefined {
  const floor = 1e-14 * Math.max(...matrix.map((row, i) => row[i]!));
  const damped = matrix.map((row, i) =>
    row.map((value, j) => (i === j ? value + damping * Math.max(value, floor) : value)),
  );
  return solvePositive(damped, right);
}

/** Cholesky's method for a symmetric positive definite matrix. */
export function solvePositive(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
): number[] | undefined {
  const size = right.length;
  const factor = matrix.map((row) => [...row]);
  const solution = [...right];
  for (let i = 0; i < size; i++) {
    const row = factor[i]!;
    for (let j = 0; j <= i; j++) {
      let sum = row[j]!;
      for (let k = 0; k < j; k++) sum -= row[k]! * factor[j]![k]!;
      if (i === j && !(sum > 0)) return undefined;
      row[j] = i === j ? Math.sqrt(sum) : sum / factor[j]![j]!;
    }
    for (let k = 0; k < i; k++) solution[i] = solution[i]! - row[k]! * solution[k]!;
    solution[i] = solution[i]! / row[i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) {
      solution[i] = solution[i]! - factor[k]![i]! * solution[k]!;
    }
    solution[i] = solution[i]! / factor[i]![i]!;
  }
  return solution;
}
