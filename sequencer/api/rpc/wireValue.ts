/** A copy in which every bigint is a lower-case `0x` string, as protocol objects travel. */
import type { Wire } from "../../exchangeService.ts";

export function wire<T>(value: T): Wire<T> {
  return copy(value) as Wire<T>;
}

function copy(value: unknown): unknown {
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item)]));
}
