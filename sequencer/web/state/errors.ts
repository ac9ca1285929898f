/** Errors in the words of the API's table. */
import { ERRORS } from "../../client/generated/api.ts";
import { ExchangeError } from "../../client/rpcErrors.ts";
import { DOOR_REJECTS, type DoorReject, OUTCOMES, type Outcome } from "../../protocol/rejection.ts";
import { walletText } from "./walletErrors.ts";

export function errorText(error: unknown): string {
  if (error instanceof ExchangeError) {
    if (error.reason === "unknown") return sentence(error.message);
    const [, meaning] = ERRORS[error.reason];
    const detail = error.message;
    // The node's own sentence often is the table's.
    const isSame = detail === "" || detail === meaning || detail === error.reason;
    return sentence(isSame ? meaning : `${meaning}: ${detail}`);
  }
  const byWallet = walletText(error);
  if (byWallet !== undefined) return sentence(byWallet);
  if (error instanceof Error) {
    const short = (error as { shortMessage?: unknown }).shortMessage;
    return sentence(typeof short === "string" ? short : error.message);
  }
  // Wallets reject with plain objects too.
  const said = (error as { message?: unknown } | null | undefined)?.message;
  return sentence(typeof said === "string" ? said : String(error));
}

export function verdictText(verdict: DoorReject): string {
  return sentence(DOOR_REJECTS[verdict][1]);
}

export function outcomeText(outcome: string): string {
  return OUTCOMES[outcome as Outcome] ?? outcome;
}

/** With a capital, and a full stop. */
export function sentence(text: string): string {
  const plain = text.replaceAll("`", "").trim();
  const whole = plain.charAt(0).toUpperCase() + plain.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
