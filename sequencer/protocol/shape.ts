/** Reading what others have written: each field is looked at before anything is done with it. */

/** A text or message is not what its reader expects. */
export class FormatError extends Error {
  override name = "FormatError";
}

export type Fields = Readonly<Record<string, unknown>>;

/** Terms, indexes, heights, positions: far beyond any use, and exact in every language. */
const COUNT_MAX = 2 ** 48;
/** Of a wrong value that is told. */
const SHOWN_MAX = 140;

function shown(value: unknown): string {
  // An object's own text may be anything, or throw.
  const text = typeof value === "object" && value !== null ? "[object]" : String(value);
  return `\`${text.slice(0, SHOWN_MAX)}\``;
}

/** All of these throw {@link FormatError}. */
export function readObject(value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new FormatError(`${shown(value)} must be an object`);
}

export function readList(value: unknown, lengthMax: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= lengthMax) return value;
  throw new FormatError(`expected a list of at most ${lengthMax}`);
}

export function readCount(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= COUNT_MAX) {
    return value as number;
  }
  throw new FormatError(`${shown(value)} must be an integer from 0 to 2^48`);
}

/** 64 lower-case hex digits. */
export function readHash(value: unknown): string {
  return readMatching(value, /^[0-9a-f]{64}$/);
}

/** 65 bytes r, s, v. */
export function readSignature(value: unknown): string {
  return readMatching(value, /^0x[0-9a-f]{130}$/);
}

export function readMatching(value: unknown, pattern: RegExp): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new FormatError(`${shown(value)} must match ${pattern}`);
}
