/** Changes of one number of an account, each of which undoes itself. */
import type { StateView } from "../engine/stateView.ts";
import type { Account } from "../protocol/state.ts";
import type { Journal, Table } from "./journal.ts";

export type HoldingEdits = Pick<StateView, "setCash" | "setLots">;

/** What is undone is done to the row of that time: a copy of the whole row may have replaced it. */
export function createHoldingEdits(accounts: Table<Account>, journal: Journal): HoldingEdits {
  function rowOf(id: number): Account {
    const row = accounts.rows.get(id);
    // A row that is made here goes again as a whole.
    if (row === undefined) return accounts.edit(id);
    accounts.touched.add(id);
    return row;
  }

  return {
    setCash(id, cash) {
      const row = rowOf(id);
      const before = row.cash;
      row.cash = cash;
      if (!journal.isRecording()) return;
      journal.note(() => {
        rowOf(id).cash = before;
      });
    },
    setLots(id, slot, lots) {
      const { positions } = rowOf(id);
      const before = positions[slot]!;
      positions[slot] = lots;
      if (!journal.isRecording()) return;
      journal.note(() => {
        rowOf(id).positions[slot] = before;
      });
    },
  };
}
