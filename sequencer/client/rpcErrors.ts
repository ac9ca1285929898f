/** What a call can fail with. */
import { ERRORS, type Methods } from "./generated/api.ts";

/** The stable names of the API's errors; the table is in `sequencer/api/METHODS.md`. */
export type ErrorReason = keyof typeof ERRORS;

/** The node's answer is an error. What is not in the table of this version is `unknown`. */
export class ExchangeError extends Error {
  override name = "ExchangeError";
  readonly code: number;
  readonly reason: ErrorReason | "unknown";
  readonly data: Readonly<Record<string, unknown>>;
  constructor(code: number, name: string, data: Readonly<Record<string, unknown>>) {
    super(typeof data.reason === "string" ? data.reason : name);
    this.code = code;
    this.reason = Object.hasOwn(ERRORS, name) ? (name as ErrorReason) : "unknown";
    this.data = data;
  }

  /** There is one where the message stands in the log all the same, and the key's chain moved. */
  get receipt(): Methods["straddle/get_receipt"]["result"] | undefined {
    return this.data.receipt as Methods["straddle/get_receipt"]["result"] | undefined;
  }

  /** Milliseconds after which the same may be asked again; undefined: it is no matter of time. */
  get retryAfterMs(): number | undefined {
    const wait = this.data.retry_after_ms;
    return typeof wait === "number" && wait >= 0 ? wait : undefined;
  }
}

/** No answer came. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
  /** False: the request was not sent. True: whether it was done is not known. */
  readonly isSent: boolean;
  constructor(message: string, isSent: boolean) {
    super(message);
    this.isSent = isSent;
  }
}

/** The program itself has closed the connection. */
export class ClosedError extends ConnectionError {
  override name = "ClosedError";
  constructor() {
    super("the connection was closed.", false);
  }
}

/** As it stands in an answer, or beside others in one. */
export function exchangeError(error: {
  readonly code: number;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}): ExchangeError {
  return new ExchangeError(error.code, error.message, error.data ?? {});
}
