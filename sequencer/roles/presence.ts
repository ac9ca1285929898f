/** Which connections have sessions of which accounts: what cancel on disconnect goes by. */
import { waitsForDisconnect } from "../protocol/heldWord.ts";
import type { HeldWords } from "./heldWords.ts";

export function createPresence(words: Pick<HeldWords, "meet" | "withdraw">) {
  const accounts = new Map<string, number>();
  const left = (connection: string, isOwnWish: boolean): void => {
    const account = accounts.get(connection);
    if (account === undefined) return;
    accounts.delete(connection);
    if (isOwnWish) {
      words
        .withdraw(account, (held) => waitsForDisconnect(held.conditions, connection), "loggedOut")
        // Whatever keeps it from being stored has stopped the node.
        .catch(() => undefined);
      return;
    }
    const isLast = ![...accounts.values()].includes(account);
    words.meet(account, (condition) => {
      if (condition.type !== "disconnected") return false;
      return condition.connection === connection || (condition.connection === null && isLast);
    });
  };
  return {
    left,
    joined: (connection: string, account: number): void => {
      const before = accounts.get(connection);
      if (before === account) return;
      // Another account's session takes the place of the one before, which its owner has left.
      if (before !== undefined) left(connection, true);
      accounts.set(connection, account);
    },
  };
}
