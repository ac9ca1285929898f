/** How the command line fails: one sentence for people, one object for programs, and a code. */
import { ExchangeError } from "../client/rpc.ts";

/**
 * 1: it failed. 2: the command line is wrong. 3: sequenced, but without the wished effect; a dry
 * run of an order that would be refused; or evidence that proves nothing.
 */
export const EXIT_CODES = { failed: 1, usage: 2, noEffect: 3 } as const;

/** What the user can put right on the command line or in the files it names. */
export class UsageError extends Error {
  override name = "UsageError";
}

export interface Failure {
  readonly exitCode: number;
  readonly message: string;
  /** Stable name, for programs. */
  readonly reason: string;
  /** JSON-RPC code of the node's refusals. */
  readonly code?: number;
}

/** Errors whose text is meant for people, by class name. */
const USAGE_ERRORS = new Set([
  "UsageError",
  "DecimalError",
  "InstrumentError",
  "KeystoreError",
  "RangeError",
  "CodecRangeError",
  "LedgerFileError",
  "FormatError",
]);

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) {
    return { exitCode: EXIT_CODES.failed, message: String(error), reason: "unknown" };
  }
  if (error instanceof ExchangeError) {
    const { message, reason, code } = error;
    return { exitCode: EXIT_CODES.failed, message, reason, code };
  }
  const isUsage = USAGE_ERRORS.has(error.name);
  const exitCode = isUsage ? EXIT_CODES.usage : EXIT_CODES.failed;
  // viem's `message` is a page; its `shortMessage` is the sentence.
  const short = Reflect.get(error, "shortMessage");
  const message = typeof short === "string" ? withDetail(short, error) : error.message;
  return { exitCode, message, reason: error.name };
}

/** The contract's own error, where a call would be reverted by one. */
function withDetail(short: string, error: Error): string {
  const name = revertName(error);
  if (name !== undefined) return `${short} (\`${name}\`)`;
  return isUnreachable(error) ? `${short} Is layer one's endpoint (--rpc) right, and up?` : short;
}

function isUnreachable(error: Error): boolean {
  const walk = Reflect.get(error, "walk");
  if (typeof walk !== "function") return false;
  return (
    walk.call(error, (item: unknown) => {
      return item instanceof Error && /^(HttpRequest|Timeout)Error$/.test(item.name);
    }) !== null
  );
}

/** Name of the contract's error that a call ended in. */
export function revertName(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const walk = Reflect.get(error, "walk");
  if (typeof walk !== "function") return undefined;
  const cause: unknown = walk.call(error, (item: unknown) => {
    return typeof item === "object" && item !== null && "data" in item;
  });
  const data = typeof cause === "object" && cause !== null ? Reflect.get(cause, "data") : undefined;
  const name = typeof data === "object" && data !== null ? Reflect.get(data, "errorName") : "";
  return typeof name === "string" && name !== "" ? name : undefined;
}
