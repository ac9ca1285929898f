/** Baby Jubjub by circomlibjs, which ships no types: apart from our own curve, for tests. */
import { SUBGROUP_ORDER } from "../../sequencer/protocol/eddsa.ts";

export type Point = readonly [x: bigint, y: bigint];

/** The parts that are used here. */
interface Curve {
  readonly F: { e(value: bigint): unknown; toObject(element: unknown): bigint };
  readonly Base8: readonly unknown[];
  readonly Generator: readonly unknown[];
  addPoint(a: readonly unknown[], b: readonly unknown[]): readonly unknown[];
  mulPointEscalar(point: readonly unknown[], factor: bigint): readonly unknown[];
}

const circomlibjs = "circomlibjs";
const { buildBabyjub } = (await import(circomlibjs)) as { buildBabyjub(): Promise<Curve> };
const curve = await buildBabyjub();
const { F } = curve;

const outside = (point: readonly unknown[]): Point => [F.toObject(point[0]), F.toObject(point[1])];
const inside = ([x, y]: Point): readonly unknown[] => [F.e(x), F.e(y)];

/** The generator of the subgroup. */
export const BASE: Point = outside(curve.Base8);
export const NEUTRAL: Point = [0n, 1n];

export function addPoints(one: Point, other: Point): Point {
  return outside(curve.addPoint(inside(one), inside(other)));
}

export function negated([x, y]: Point): Point {
  return [F.toObject(F.e(-x)), y];
}

/** Any multiple of any point; factors below 0 too. */
export function multiply(point: Point, factor: bigint): Point {
  if (factor === 0n) return NEUTRAL;
  if (factor < 0n) return multiply(negated(point), -factor);
  return outside(curve.mulPointEscalar(inside(point), factor));
}

/** The eight points whose order divides the cofactor: multiples 0 to 7 of one of order 8. */
export const TORSION: readonly Point[] = Array.from({ length: 8 }, (_, k) =>
  multiply(multiply(outside(curve.Generator), SUBGROUP_ORDER), BigInt(k)),
);
