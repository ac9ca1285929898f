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

  constructor(entries: Iterable<readonly [K, V]> = []) {
    if (entries instanceof LayeredMap && entries.#changes.size < CHANGES_MAX) {
      this.#below = entries.#below;
      this.#changes = new Map(entries.#changes);
      this.#size = entries.#size;
    } else {
      this.#below = new Map(entries);
      this.#changes = new Map();
      this.#size = this.#below.size;
    }
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

  /** In one order for the same history; it may be changed meanwhile as a Map may. */
  *[Symbol.iterator](): Generator<[K, V]> {
    for (const [key, value] of this.#below) {
      if (!this.#changes.has(key)) yield [key, value];
    }
    for (const [key, value] of this.#changes) {
      if (value !== undefined) yield [key, value];
    }
  }

  *values(): Generator<V> {
    for (const [, value] of this) yield value;
  }
}
