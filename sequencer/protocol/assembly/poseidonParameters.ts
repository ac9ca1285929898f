/**
 * What a permutation of one width needs, computed once from the Grain bits.
 *
 * A partial round sends only lane 0, x, through the S-box: y = x^5. The other d = width - 1 lanes,
 * s, are linear. With M = [[g0, v], [w, L]] and without constants:
 *
 *     x' = g0 y + v s        s' = w y + L s
 *
 * By Cayley and Hamilton v L^d is a combination of v, v L, ..., v L^(d-1), so s drops out and what
 * is left is a recurrence whose coefficients are the same in every round:
 *
 *     x[n+1] = a[1] x[n] + ... + a[d] x[n+1-d]  +  b[0] y[n] + ... + b[d] y[n-d]  +  k[n+1]
 *
 * One round is one dot product of 2 width - 1 terms with one reduction, where sparse matrices take
 * as many products but a reduction for each lane. `entry` turns the lanes at the first partial
 * round into a past that leads to them, `exit` turns the last past into lanes.
 */
import { add, canonical, copy, invert, invertMany, ONE, sub } from "./field";
import { drawConstant, drawCoordinate, seedGrain } from "./grain";
import { reserve, scratch } from "./heap";
import { dot, ELEMENT, mul, ZERO } from "./products";

export const FULL_ROUNDS = 8;
export const HALF = FULL_ROUNDS / 2;
export const WIDTH_MAX = 17;
const PARTIAL_ROUNDS = memory.data<u8>([
  0, 0, 56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68,
]);

/** For each width the addresses of its tables; 0 until they are computed. */
export const MIX = memory.data(4 * 18);
export const ENTRY = memory.data(4 * 18);
export const RECURRENCE = memory.data(4 * 18);
export const EXIT = memory.data(4 * 18);
export const CONSTANTS = memory.data(4 * 18);

const T0 = memory.data(64);
const T1 = memory.data(64);

export function partialRounds(width: i32): i32 {
  return load<u8>(PARTIAL_ROUNDS + (width as usize));
}

export function table(which: usize, width: i32): usize {
  return load<usize>(which + ((width as usize) << 2));
}

function elements(count: i32): usize {
  return (count as usize) * ELEMENT;
}

function allocate(which: usize, width: i32, count: i32): usize {
  const address = reserve(elements(count));
  memory.fill(address, 0, elements(count));
  store<usize>(which + ((width as usize) << 2), address);
  return address;
}

/** Scratch of one derivation. */
let width = 0;
let lanes = 0;
let rounds = 0;
/** Drawn constants, rounds by lanes. */
let drawn: usize = 0;
/** v L^i for i = -lanes to lanes, one row each; `powers(i)`. */
let rows: usize = 0;
/** The inverse of the matrix of v, v L, ..., v L^(lanes - 1). */
let inverse: usize = 0;
/** g[0] = g0 and g[i] = v L^(i - 1) w. */
let markov: usize = 0;
/** alpha[j] is the coefficient of v L^j in v L^lanes. */
let alpha: usize = 0;
let work: usize = 0;

export function derive(forWidth: i32): void {
  width = forWidth;
  lanes = width - 1;
  rounds = partialRounds(width);
  const square = width * width;
  allocate(MIX, width, square);
  allocate(ENTRY, width, square);
  allocate(RECURRENCE, width, 2 * width - 1);
  allocate(EXIT, width, 2 * lanes * lanes);
  allocate(CONSTANTS, width, (FULL_ROUNDS + 1) * width + rounds);
  const all = (FULL_ROUNDS + rounds) * width;
  drawn = scratch(elements(all + 8 * square + 8 * width + 2 * rounds));
  rows = drawn + elements(all);
  inverse = rows + elements((2 * lanes + 1) * lanes);
  markov = inverse + elements(square);
  alpha = markov + elements(width);
  work = alpha + elements(width);
  draw(all);
  deriveRows();
  deriveRecurrence();
  deriveEntry();
  deriveExit();
  deriveConstants();
}

function draw(all: i32): void {
  seedGrain(width, rounds);
  for (let i = 0; i < all; i++) drawConstant(drawn + elements(i));
  for (let i = 0; i < 2 * width; i++) drawCoordinate(work + elements(i));
  const mix = table(MIX, width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++) {
      add(mix + elements(i * width + j), work + elements(i), work + elements(width + j));
    }
  }
  invertMany(mix, width * width, work);
}

function mixAt(row: i32, column: i32): usize {
  return table(MIX, width) + elements(row * width + column);
}

function power(i: i32): usize {
  return rows + elements((i + lanes) * lanes);
}

/** z = z + x y */
function addProduct(z: usize, x: usize, y: usize): void {
  mul(T0, x, y);
  add(z, z, T0);
  canonical(z, z);
}

/** z = z - x y */
function subtractProduct(z: usize, x: usize, y: usize): void {
  mul(T0, x, y);
  sub(z, z, T0);
  canonical(z, z);
}

function deriveRows(): void {
  copyMany(power(0), mixAt(0, 1), lanes);
  for (let i = 0; i < lanes; i++) {
    memory.fill(power(i + 1), 0, elements(lanes));
    for (let k = 0; k < lanes; k++) {
      for (let j = 0; j < lanes; j++) {
        addProduct(power(i + 1) + elements(j), power(i) + elements(k), mixAt(k + 1, j + 1));
      }
    }
  }
  copyMany(work, power(0), lanes * lanes);
  invertMatrix(work);
  memory.fill(alpha, 0, elements(lanes));
  for (let k = 0; k < lanes; k++) {
    for (let j = 0; j < lanes; j++) {
      addProduct(
        alpha + elements(j),
        power(lanes) + elements(k),
        inverse + elements(k * lanes + j),
      );
    }
  }
  copy(markov, mixAt(0, 0));
  for (let i = 1; i <= lanes; i++) {
    const g = markov + elements(i);
    memory.fill(g, 0, ELEMENT);
    for (let k = 0; k < lanes; k++) addProduct(g, power(i - 1) + elements(k), mixAt(k + 1, 0));
  }
  deriveNegativeRows();
}

/** The recurrence of the rows, backwards: v L^(i - d) = (v L^i - sum) / alpha[0]. */
function deriveNegativeRows(): void {
  invert(T1, alpha);
  for (let i = lanes - 1; i >= 0; i--) {
    const row = power(i - lanes);
    for (let j = 0; j < lanes; j++) {
      const z = row + elements(j);
      copy(z, power(i) + elements(j));
      for (let k = 1; k < lanes; k++) {
        subtractProduct(z, alpha + elements(k), power(i - lanes + k) + elements(j));
      }
      mul(z, z, T1);
    }
  }
}

function copyMany(z: usize, x: usize, count: i32): void {
  memory.copy(z, x, elements(count));
}

/** Gauss and Jordan; no pivot of these fixed matrices is 0 (else every result would be wrong). */
function invertMatrix(matrix: usize): void {
  memory.fill(inverse, 0, elements(lanes * lanes));
  for (let i = 0; i < lanes; i++) copy(inverse + elements(i * lanes + i), ONE);
  for (let i = 0; i < lanes; i++) {
    invert(T1, matrix + elements(i * lanes + i));
    for (let j = 0; j < lanes; j++) {
      const at = elements(i * lanes + j);
      mul(matrix + at, matrix + at, T1);
      mul(inverse + at, inverse + at, T1);
    }
    for (let row = 0; row < lanes; row++) {
      if (row !== i) eliminate(matrix, row, i);
    }
  }
}

function eliminate(matrix: usize, row: i32, pivot: i32): void {
  copy(T1, matrix + elements(row * lanes + pivot));
  for (let j = 0; j < lanes; j++) {
    const from = elements(pivot * lanes + j);
    const to = elements(row * lanes + j);
    subtractProduct(matrix + to, T1, matrix + from);
    subtractProduct(inverse + to, T1, inverse + from);
  }
}

/** In the order of the tape: b[d], a[d], b[d-1], ..., a[1], b[0], where a[i] = alpha[d - i]. */
function deriveRecurrence(): void {
  const z = table(RECURRENCE, width);
  for (let j = 0; j <= lanes; j++) {
    const i = lanes - j;
    const b = z + elements(2 * j);
    copy(b, markov + elements(i));
    for (let k = 1; k <= i; k++) {
      subtractProduct(b, alpha + elements(lanes - k), markov + elements(i - k));
    }
    if (j < lanes) copy(z + elements(2 * j + 1), alpha + elements(j));
  }
}

/**
 * A past with one S-box output, beta = y[-1], and constants 0 before round 0:
 * beta = (x - v L^-1 s) / (g0 - v L^-1 w), and x[-i] = v L^(-i - 1) (s - w beta).
 * Rows: x[1 - d], ..., x[-1], beta, x[0]; each is multiplied by the mix of the full round before.
 */
function deriveEntry(): void {
  const past = work;
  memory.fill(past, 0, elements(width * width));
  const beta = past + elements((lanes - 1) * width);
  copy(T1, markov);
  for (let k = 0; k < lanes; k++) subtractProduct(T1, power(-1) + elements(k), mixAt(k + 1, 0));
  invert(beta, T1);
  for (let k = 0; k < lanes; k++) {
    subtractProduct(beta + elements(k + 1), beta, power(-1) + elements(k));
  }
  for (let i = 1; i < lanes; i++) {
    const row = past + elements((lanes - 1 - i) * width);
    copyMany(row + ELEMENT, power(-i - 1), lanes);
    memory.fill(T1, 0, ELEMENT);
    for (let k = 0; k < lanes; k++) addProduct(T1, power(-i - 1) + elements(k), mixAt(k + 1, 0));
    for (let j = 0; j < width; j++) subtractProduct(row + elements(j), T1, beta + elements(j));
  }
  copy(past + elements(lanes * width), ONE);
  const entry = table(ENTRY, width);
  for (let i = 0; i < width; i++) {
    for (let k = 0; k < width; k++) {
      for (let j = 0; j < width; j++) {
        const z = entry + elements(i * width + j);
        addProduct(z, past + elements(i * width + k), mixAt(k, j));
      }
    }
  }
}

/**
 * s[R] = N x + (sum of L^i w y - N g y), where N = L^d O^-1 = O^-1 C^d and C is the companion
 * matrix of alpha. Columns in the order of the tape: y[R-d], x[R-d+1], ..., y[R-1], x[R].
 */
function deriveExit(): void {
  for (let i = 0; i < lanes; i++) companionStep();
  const exit = table(EXIT, width);
  copyMany(work, mixAt(1, 0), 0);
  const column = work;
  for (let i = 0; i < lanes; i++) copy(column + elements(i), mixAt(i + 1, 0));
  for (let m = lanes - 1; m >= 0; m--) {
    for (let i = 0; i < lanes; i++) {
      const y = exit + elements((i * lanes + m) * 2);
      const row = inverse + elements(i * lanes);
      copy(y + ELEMENT, row + elements(m));
      copy(y, column + elements(i));
      for (let j = m; j < lanes; j++) {
        subtractProduct(y, row + elements(j), markov + elements(j - m));
      }
    }
    nextColumn(column);
  }
}

/** Multiplies `inverse` by the companion matrix from the right. */
function companionStep(): void {
  for (let i = 0; i < lanes; i++) {
    const row = inverse + elements(i * lanes);
    copy(T1, row + elements(lanes - 1));
    for (let j = lanes - 1; j >= 0; j--) {
      const z = row + elements(j);
      if (j > 0) copy(z, row + elements(j - 1));
      else memory.fill(z, 0, ELEMENT);
      addProduct(z, T1, alpha + elements(j));
    }
  }
}

/** column = L column */
function nextColumn(column: usize): void {
  const next = column + elements(lanes);
  memory.fill(next, 0, elements(lanes));
  for (let i = 0; i < lanes; i++) {
    for (let k = 0; k < lanes; k++) {
      addProduct(next + elements(i), mixAt(i + 1, k + 1), column + elements(k));
    }
  }
  copyMany(column, next, lanes);
}

/**
 * In order of use: the first half's rounds (lane 0 of the first one after its S-box, as no input
 * reaches it), the entry's (0 but for x[0]), k[1] to k[R], then the second half's rounds, the first
 * of them without lane 0, which k[R] holds.
 *
 * What constants do in the partial rounds is found by a run in which every S-box gives 0.
 */
function deriveConstants(): void {
  const z = table(CONSTANTS, width);
  copyMany(z, drawn, HALF * width);
  mul(T0, drawn, drawn);
  mul(T0, T0, T0);
  mul(z, T0, drawn);
  const response = work;
  const state = response + elements(rounds + 1);
  const next = state + elements(width);
  memory.fill(state, 0, elements(width));
  let constants = drawn + elements(HALF * width);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < width; i++) {
      add(state + elements(i), state + elements(i), constants + elements(i));
    }
    copy(response + elements(round), state);
    memory.fill(state, 0, ELEMENT);
    for (let i = 0; i < width; i++) {
      dot(next + elements(i), mixAt(i, 0), state, width, ZERO);
    }
    copyMany(state, next, width);
    constants += elements(width);
  }
  add(response + elements(rounds), state, constants);
  const first = z + elements(HALF * width + lanes);
  for (let n = 0; n <= rounds; n++) {
    const k = first + elements(n);
    canonical(k, response + elements(n));
    for (let i = 1; i <= lanes && i <= n; i++) {
      subtractProduct(k, alpha + elements(lanes - i), response + elements(n - i));
    }
  }
  const after = first + elements(rounds + 1);
  const exit = table(EXIT, width);
  for (let i = 0; i < lanes; i++) {
    const c = after + elements(i);
    add(c, state + elements(i + 1), constants + elements(i + 1));
    canonical(c, c);
    for (let m = 0; m < lanes; m++) {
      const x = response + elements(rounds + 1 - lanes + m);
      subtractProduct(c, exit + elements((i * lanes + m) * 2 + 1), x);
    }
  }
  copyMany(after + elements(lanes), constants + elements(width), (HALF - 1) * width);
}
