/**
 * JSON of values that are written again and again with little new in them: lists of things that
 * nobody changes, each of which is put into words once.
 */
import { encodeJson } from "./log.ts";

const lists = new WeakSet<readonly object[]>();
const texts = new WeakMap<object, string>();

/** Marks the list, which is then given back: neither it nor what is in it may change any more. */
export function unchanging<T extends object>(list: readonly T[]): readonly T[] {
  lists.add(list);
  return list;
}

/** The same text as of `encodeJson`. */
export function encodeUnchanging(value: unknown): string {
  if (typeof value !== "object" || value === null) return encodeJson(value);
  if (Array.isArray(value)) {
    return lists.has(value) ? `[${value.map(textOf).join(",")}]` : encodeJson(value);
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}:${encodeUnchanging(member)}`);
  return `{${members.join(",")}}`;
}

function textOf(item: object): string {
  const known = texts.get(item);
  if (known !== undefined) return known;
  const text = encodeJson(item);
  texts.set(item, text);
  return text;
}
