/**
 * The curve of `curve.ts`, two points at a time: the first lane's and the second's need not have
 * anything to do with each other. The formulas hold for every two points of the curve, so that
 * both lanes take the same steps whatever their points are.
 *
 * A point is X, Y, Z, T, all settled. What is added is prepared as Y + X, Y - X, 2dT and 2Z, or as
 * a multiple of these: with the half of them 2Z is 1 if Z is.
 */
import { mulPair, squarePair } from "./pairProducts";
import { addCarried, addPair, subCarried, subPair } from "./pairSums";
import { PAIR } from "./pairs";

export const PAIR_POINT: usize = 4 * PAIR;
const Y: usize = PAIR;
const Z: usize = 2 * PAIR;
const T: usize = 3 * PAIR;

/** 2d and 1 in both lanes. */
const TWICE_D = memory.data<f64>([
  456872745228059.0, 456872745228059.0, -725992213066847.0, -725992213066847.0, 531263488002474.0,
  531263488002474.0, 374253925956697.0, 374253925956697.0, 96264024609047.0, 96264024609047.0,
]);
export const PAIR_ONE = memory.data<f64>([1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);

const A = memory.data(80, 16);
const B = memory.data(80, 16);
const C = memory.data(80, 16);
const D = memory.data(80, 16);
const E = memory.data(80, 16);
const F = memory.data(80, 16);
const G = memory.data(80, 16);
const H = memory.data(80, 16);

export function setNeutralPair(p: usize): void {
  memory.fill(p, 0, PAIR_POINT);
  memory.copy(p + Y, PAIR_ONE, PAIR);
  memory.copy(p + Z, PAIR_ONE, PAIR);
}

/** z = 2 p; T only if it is asked for. z may be p. */
export function doublePair(z: usize, p: usize, withT: bool): void {
  squarePair(A, p);
  squarePair(B, p + Y);
  squarePair(C, p + Z);
  // X Y and not (X + Y)^2: a sum is too large to be squared.
  mulPair(D, p, p + Y);
  finishDoubling(z, A, B, C, D, withT);
}

/**
 * z = 2 p by X^2, Y^2, Z^2 and X Y, all settled. Limbs are below 2^50.2 in E and G, 2^51.1 in H,
 * 2^51.6 in F, and products below 2^101.8; values below 2.8 p in F, else 1.4 p.
 */
export function finishDoubling(
  z: usize,
  xx: usize,
  yy: usize,
  zz: usize,
  xy: usize,
  withT: bool,
): void {
  addCarried(E, xy, xy);
  addPair(H, xx, yy);
  subCarried(G, yy, xx);
  addPair(F, zz, zz);
  subPair(F, F, G);
  multiplySides(z, withT);
}

/** q = p, prepared: limbs of at most 2^50 + 2^12, but for 2Z, which is a sum. q is not p. */
export function preparePair(q: usize, p: usize): void {
  addCarried(q, p + Y, p);
  subCarried(q + PAIR, p + Y, p);
  mulPair(q + 2 * PAIR, p + T, TWICE_D);
  addPair(q + 3 * PAIR, p + Z, p + Z);
}

/** z = p + q for a prepared q; T only if it is asked for. z may be p. */
export function addPrepared(z: usize, p: usize, q: usize, withT: bool): void {
  mulPair(D, p + Z, q + 3 * PAIR);
  finishAddition(z, p, q, D, withT);
}

/** z = z + q for the half of a prepared q with Z = 1. */
export function addEntry(z: usize, q: usize): void {
  finishAddition(z, z, q, z + Z, true);
}

function finishAddition(z: usize, p: usize, q: usize, d: usize, withT: bool): void {
  subPair(A, p + Y, p);
  mulPair(A, A, q + PAIR);
  addPair(B, p + Y, p);
  mulPair(B, B, q);
  mulPair(C, p + T, q + 2 * PAIR);
  finishSum(z, A, B, C, d, withT);
}

/**
 * z = the sum by its four products, all settled. Limbs are below 2^51.1 in F and H, 2^50.2 in E and
 * G, and products below 2^101.3; values below 1.4 p.
 */
export function finishSum(z: usize, a: usize, b: usize, c: usize, d: usize, withT: bool): void {
  subCarried(E, b, a);
  addPair(H, b, a);
  subPair(F, d, c);
  addCarried(G, d, c);
  multiplySides(z, withT);
}

/** E and G are carried: each product has one of them. */
function multiplySides(z: usize, withT: bool): void {
  mulPair(z, E, F);
  mulPair(z + Y, G, H);
  mulPair(z + Z, F, G);
  if (withT) mulPair(z + T, E, H);
}
