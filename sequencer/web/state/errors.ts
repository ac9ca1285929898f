/** Errors in the words of the API's table. */
import { ERRORS } from "../../client/generated/api.ts";
import { ExchangeError } from "../../client/rpcErrors.ts";
import { DOOR_REJECTS, type DoorReject, OUTCOMES, type Outcome } from "../../protocol/rejection.ts";

export function errorText(error: unknown): string {
  if (error instanceof ExchangeError) {
    if (error.reason === "unknown") return sentence(error.message);
    const [, meaning] = ERRORS[error.reason];
    const detail = error.message;
    // The node's own sentence often is the table's.
    const isSame = detail === "" || detail === meaning || detail === error.reason;
    return sentence(isSame ? meaning : `${meaning}: ${detail}`);
  }
  if (error instanceof Error) {
    const short = (error as { shortMessage?: unknown }).shortMessage;
    return sentence(typeof short === "string" ? short : error.message);
  }
  return sentence(String(error));
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
