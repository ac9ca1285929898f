/** Cancel-all: voids the account's older orders. Twin: circuits, transactions/cancelAll. */
import type { StateView } from "../stateView.ts";

/** Orders with a seq below the message's own are void from here on. */
export function cancelAll(view: StateView, account: number, seq: number): void {
  view.editSession(account).watermark = seq;
}
