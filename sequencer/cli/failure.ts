/** How the command line fails: one sentence for people, one object for programs, and a code. */
import { ExchangeError } from "../client/rpcErrors.ts";

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
  /** What the user can do about it. */
  readonly next?: string;
}

/** Of the node's refusals, those that the user can do something about. */
const NEXT_STEPS: Partial<Readonly<Record<ExchangeError["reason"], string>>> = {
  not_enough_funds: "`straddle risk` shows what is free; `straddle deposit` adds to it",
  price_not_allowed: "`straddle book` shows the mark, which the price must be nearer to",
  invalid_credentials: "`straddle key` shows the key, `straddle key --register` registers it",
  unauthorized: "`straddle key` shows the key, `straddle key --register` renews it",
  wrong_head: "another program signs with this key: use another --key-index",
  bad_signature: "another program signs with this key, or the key is not the registered one",
  too_many_requests: "try again later",
  retry: "the venue is busy: try again in a moment; cancels are taken",
  trading_paused: "`straddle status` says why and until when; cancels are taken",
  no_snapshot: "`straddle status` shows whether the oracles are back",
  account_in_liquidation: "`straddle risk` shows the account",
  position_limit: "`straddle positions` shows what is held",
  not_open_order: "`straddle orders` shows what rests",
  temporarily_unavailable: "try again in a moment: the node stops, or another one takes over",
};

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
    const next = reason === "unknown" ? undefined : NEXT_STEPS[reason];
    const failure = { exitCode: EXIT_CODES.failed, message, reason, code };
    return next === undefined ? failure : { ...failure, next };
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
