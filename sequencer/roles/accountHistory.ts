/** What happened to accounts lately: fills with their fees, cash that moved, liquidations. */
import { unchanging } from "../batch/unchangingJson.ts";
import type { AccountEvent, ExchangeEvent } from "../exchangeService.ts";

/** Events that a node keeps for questions, over all accounts. */
export const HISTORY_KEPT = 4000;

export interface AccountHistory {
  observe(events: readonly ExchangeEvent[]): void;
  /** Newest first. */
  history(account: number, limit: number): AccountEvent[];
  memory(): readonly AccountEvent[];
}

/** `memory` is JSON-safe and as {@link AccountHistory.memory} gave it. */
export function createAccountHistory(memory: readonly AccountEvent[] = []): AccountHistory {
  const kept = [...memory];
  return {
    observe: (events) => {
      for (const event of events) if (isHistory(event)) kept.push(event);
      // Now and then, so that a full memory does not move for every event.
      if (kept.length >= 2 * HISTORY_KEPT) kept.splice(0, kept.length - HISTORY_KEPT);
    },
    history: (account, limit) => {
      const own = kept.filter(({ update }) => update.account === account);
      return own.slice(-limit).reverse();
    },
    memory: () => unchanging(kept.slice(-HISTORY_KEPT)),
  };
}

/** Orders that come and go without a fill leave no trace in cash or positions. */
function isHistory(event: ExchangeEvent): event is AccountEvent {
  if (event.type === "order") return event.update.fill !== null;
  return event.type === "ledger" || event.type === "liquidation";
}
