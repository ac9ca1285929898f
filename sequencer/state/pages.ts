/** Things by whole numbers from 0 on, in pages: to find one takes two loads and no hash. */

export interface Pages<T> {
  at(id: number): T | undefined;
  /** `undefined` takes away what is there. */
  put(id: number, thing: T | undefined): void;
  clear(): void;
}

const PAGE_BITS = 8;
const PAGE_SIZE = 2 ** PAGE_BITS;

/** Ids are below 2^31; a page is made when something is put into it. */
export function createPages<T>(): Pages<T> {
  const emptyPage = (): (T | undefined)[] => new Array<T | undefined>(PAGE_SIZE).fill(undefined);
  /** Stands where nothing was put yet, so that no place before the last is missing. */
  const nothing = emptyPage();
  let pages: (T | undefined)[][] = [];
  return {
    at(id) {
      const page = id >> PAGE_BITS;
      // By difference: an id that is no such number finds nothing, as in a map. By a shift, which
      // stays whole: a product might be -0, so that it is computed with doubles.
      return pages[page]?.[id - (page << PAGE_BITS)];
    },
    put(id, thing) {
      const page = id >> PAGE_BITS;
      while (pages.length <= page) pages.push(nothing);
      if (pages[page] === nothing) {
        if (thing === undefined) return;
        pages[page] = emptyPage();
      }
      pages[page]![id - (page << PAGE_BITS)] = thing;
    },
    clear() {
      pages = [];
    },
  };
}
