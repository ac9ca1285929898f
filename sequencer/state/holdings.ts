/** Changes of one number of an account, each of which undoes itself. */
import type { BookRates } from "../engine/kept.ts";
import type { StateView } from "../engine/stateView.ts";
import type { Account } from "../protocol/state.ts";
import type { Journal } from "./journal.ts";
import type { Table } from "./table.ts";
import type { Floors } from "./values.ts";

export type HoldingEdits = Pick<StateView, "setCash" | "setLots" | "exchange">;

export interface HoldingParts {
  readonly floors: Floors;
  readonly journal: Journal;
  readonly addHolders: StateView["addHolders"];
}

/** What is undone is done to the row of that time: a copy of the whole row may have replaced it. */
export function createHoldingEdits(
  accounts: Table<Account>,
  { floors, journal, addHolders }: HoldingParts,
): HoldingEdits {
  function rowOf(id: number): Account {
    const row = accounts.at(id);
    // A row that is made here goes again as a whole.
    if (row === undefined) return accounts.edit(id);
    accounts.touch(id);
    return row;
  }

  function putCash(_: undefined, id: number, cash: number): void {
    rowOf(id).cash = cash;
  }

  /** `place` is the account's and the slot's in one. */
  function putLots(slots: number, place: number, lots: number): void {
    const id = Math.floor(place / slots);
    rowOf(id).positions[place - id * slots] = lots;
    floors.forget(id);
  }

  function undoExchange(rates: BookRates, id: number, cash: number, signedLots: number): void {
    const row = rowOf(id);
    row.cash = cash;
    const { positions } = row;
    for (const { slot, weight } of rates.legs) positions[slot]! -= weight * signedLots;
    floors.forget(id);
  }

  return {
    setCash(id, cash) {
      const row = rowOf(id);
      const before = row.cash;
      row.cash = cash;
      if (journal.isRecording()) journal.note(putCash, undefined, id, before);
    },
    setLots(id, slot, lots) {
      const { positions } = rowOf(id);
      const before = positions[slot]!;
      positions[slot] = lots;
      floors.forget(id);
      if (!journal.isRecording()) return;
      const slots = positions.length;
      journal.note(putLots, slots, id * slots + slot, before);
    },
    exchange(id, cash, rates, signedLots) {
      const row = rowOf(id);
      const { positions, cash: before } = row;
      row.cash = cash;
      for (const { slot, weight } of rates.legs) {
        const held = positions[slot]!;
        const lots = held + weight * signedLots;
        positions[slot] = lots;
        if (held === 0) addHolders(slot, 1);
        else if (lots === 0) addHolders(slot, -1);
      }
      floors.trade(id, rates, signedLots);
      if (journal.isRecording()) journal.note(undoExchange, rates, id, before, signedLots);
    },
  };
}
