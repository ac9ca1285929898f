/**
 * A map of which a step takes a copy that it may change, while whoever has the one before keeps it
 * as it is. A copy shares what lies below and has only the newest changes of its own, so that it
 * costs as much as those, and not as much as the map is large.
 */

/** Changes on top before they are put into what lies below. */
const CHANGES_MAX = 16;

export class LayeredMap<K, V extends NonNullable<unknown>> {
  /** Shared by copies: never changed. */
  readonly #below: ReadonlyMap<K, V>;
  /** Undefined: it was deleted. */
  readonly #changes: Map<K, V | undefined>;
  #size: number;

  /** `below` is its own from now on. */
  constructor(below: ReadonlyMap<K, V> = new Map(), changes = new Map<K, V | undefined>()) {
    this.#below = below;
    this.#changes = changes;
    this.#size = below.size;
  }

  copy(): LayeredMap<K, V> {
    if (this.#changes.size >= CHANGES_MAX) return new LayeredMap(new Map(this.entries()));
    const copy = new LayeredMap(this.#below, new Map(this.#changes));
    copy.#size = this.#size;
    return copy;
  }

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    const changed = this.#changes.get(key);
    if (changed !== undefined || this.#changes.has(key)) return changed;
    return this.#below.get(key);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  set(key: K, value: V): this {
    if (!this.has(key)) this.#size += 1;
    this.#changes.set(key, value);
    return this;
  }

  delete(key: K): boolean {
    if (!this.has(key)) return false;
    this.#size -= 1;
    if (this.#below.has(key)) this.#changes.set(key, undefined);
    else this.#changes.delete(key);
    return true;
  }

  /** In one order for the same history. */
  forEach(visit: (value: V, key: K) => void): void {
    this.#below.forEach((value, key) => {
      if (!this.#changes.has(key)) visit(value, key);
    });
    this.#changes.forEach((value, key) => {
      if (value !== undefined) visit(value, key);
    });
  }

  entries(): [K, V][] {
    const entries: [K, V][] = [];
    this.forEach((value, key) => {
      entries.push([key, value]);
    });
    return entries;
  }
}
