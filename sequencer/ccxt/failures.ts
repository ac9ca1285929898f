/** ccxt's exceptions as the client's errors, by which a key's chain judges, and back. */
import ccxt from "ccxt";
import { UncertainError } from "../client/keyChain.ts";
import { ReceiptError } from "../client/receipt.ts";
import { TwoHistoriesError } from "../client/receiptBook.ts";
import { ConnectionError, ExchangeError, exchangeError } from "../client/rpcErrors.ts";

const { BadResponse, NetworkError, RequestTimeout } = ccxt;

/** The error object of an answer, kept with the exception that it became. */
export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Keeps the exception as its cause. */
function clientError(thrown: unknown): Error {
  const { rpc, message } = thrown as Error & { readonly rpc?: RpcErrorObject };
  const error =
    rpc !== undefined
      ? exchangeError(rpc)
      : thrown instanceof NetworkError
        ? new ConnectionError(message, true)
        : new ExchangeError(0, "unknown", { reason: message });
  return Object.assign(error, { cause: thrown });
}

/** Rejects with what the client's key chain knows. */
export async function asClient<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw clientError(error);
  }
}

interface Venue {
  readonly id: string;
  /** The exception that ccxt has for an error object. */
  failureOf(error: RpcErrorObject): unknown;
}

/** Rejects with ccxt's exceptions. */
export async function asCcxt<T>(venue: Venue, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof Error ? ccxtError(venue, error) : error;
  }
}

function ccxtError(venue: Venue, error: Error): unknown {
  const text = `${venue.id} ${error.message}`;
  if (error instanceof UncertainError) {
    return Object.assign(new RequestTimeout(text), { cause: error });
  }
  if (error instanceof ReceiptError || error instanceof TwoHistoriesError) {
    return Object.assign(new BadResponse(text), { cause: error });
  }
  if (error.cause !== undefined) return error.cause;
  if (!(error instanceof ExchangeError)) return error;
  const { code, message, data } = error;
  return venue.failureOf({ code, message, data });
}
