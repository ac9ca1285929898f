/** What is kept of accounts and books beside their rows, and so is found without a search. */
import { type BookRates, bookRates, lowestValue } from "../engine/kept.ts";
import type { Risk } from "../engine/risk.ts";
import type { Account, Book } from "../protocol/state.ts";
import type { Journal } from "./journal.ts";
import { createPages } from "./pages.ts";

/**
 * Of each account a number that its values (`engine/kept.ts`) are not below: the least of them when
 * it was looked for, and less by the most that each trade since can have cost. A trade then costs
 * one sum, and nothing is looked for while the number is enough for who asks.
 */
export interface Floors {
  /** The least value itself where less than `enough` is known; in lot ticks, four times over. */
  of(id: number, account: Readonly<Account>, risk: Risk, enough: number): number;
  /** The account has bought (or sold) so many lots of a book. */
  trade(id: number, rates: BookRates, signedLots: number): void;
  /** A position has become another one. */
  forget(id: number): void;
  /** The account is edited as a whole: until the next checkpoint anything may become of it. */
  note(id: number): void;
}

interface Floor {
  /** Undefined: nothing is known. */
  risk: Risk | undefined;
  floor: number;
}

/** What is lower is not kept: sums with it might round. */
const FLOOR_MIN = -(2 ** 51);

export function createFloors(journal: Journal): Floors {
  const floors = createPages<Floor>();
  /** Edited as a whole in `span`: of these nothing is kept. */
  const edited = new Set<number>();
  let span = -1;

  function isEdited(id: number): boolean {
    if (journal.span() !== span) edited.clear();
    return edited.has(id);
  }

  return {
    of(id, { positions }, risk, enough) {
      const known = floors.at(id);
      if (known !== undefined && known.risk === risk && known.floor >= enough) return known.floor;
      const floor = lowestValue(positions, risk);
      if (floor < FLOOR_MIN || isEdited(id)) return floor;
      if (known === undefined) floors.put(id, { risk, floor });
      else {
        known.risk = risk;
        known.floor = floor;
      }
      return floor;
    },
    trade(id, rates, signedLots) {
      const known = floors.at(id);
      if (known === undefined) return;
      known.floor += signedLots * (signedLots > 0 ? rates.lowest : rates.highest);
      if (known.risk !== rates.risk || known.floor < FLOOR_MIN) known.risk = undefined;
    },
    forget(id) {
      const known = floors.at(id);
      if (known !== undefined) known.risk = undefined;
    },
    note(id) {
      floors.put(id, undefined);
      if (journal.span() !== span) edited.clear();
      span = journal.span();
      edited.add(id);
    },
  };
}

/** Rates of books. */
export interface RatesOfBooks {
  of(id: number, book: Readonly<Book>, risk: Risk): BookRates;
}

export function createRatesOfBooks(): RatesOfBooks {
  const known = createPages<BookRates>();
  return {
    of(id, { weights }, risk) {
      const own = known.at(id);
      if (own !== undefined && own.risk === risk && own.weights === weights) return own;
      const made = bookRates(weights, risk);
      known.put(id, made);
      return made;
    },
  };
}
