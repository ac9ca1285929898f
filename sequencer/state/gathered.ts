/** Ids that were touched over many batches, until somebody takes them. */
import type { TableName } from "./exportedState.ts";

type Ids = Readonly<Record<TableName, ReadonlySet<number>>>;

export interface Gathered {
  add(touched: Ids): void;
  /** What was added since the last time; it is the caller's. */
  take(): Ids;
}

export function createGathered(): Gathered {
  const none = () => {
    return { accounts: new Set<number>(), sessions: new Set<number>(), books: new Set<number>() };
  };
  let ids = none();
  return {
    add({ accounts, sessions, books }) {
      for (const id of accounts) ids.accounts.add(id);
      for (const id of sessions) ids.sessions.add(id);
      for (const id of books) ids.books.add(id);
    },
    take() {
      const taken = ids;
      ids = none();
      return taken;
    },
  };
}
