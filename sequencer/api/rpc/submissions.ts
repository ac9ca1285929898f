/**
 * Signed words on their way in. A word is its own idempotency key: it extends its chain at one
 * place only, so the same word with the same signature is the same message, and whoever sends it
 * again, because the answer was lost, gets the same receipt.
 */
import type { ExchangeService, Receipt, Submission, SubmitResult } from "../../exchangeService.ts";
import type { BucketTable } from "../rateLimit.ts";
import { DOOR_ERRORS, RpcError } from "./errorTable.ts";

/** Receipts that are remembered for those who ask again. */
export const RECEIPTS_KEPT = 20_000;

export interface Accepted {
  readonly receipt: Receipt;
  /** The word had been sequenced before. */
  readonly isRepeat: boolean;
}

export interface SubmissionDesk {
  /**
   * Throws {@link RpcError} where the door refuses. The service is called before any wait, and
   * `onAccepted` once, before anybody hears of the receipt.
   */
  submit(submission: Submission, onAccepted?: (receipt: Receipt) => void): Promise<Accepted>;
  /** What this account's submissions that are under way will do; see orderFeed.ts. */
  underWay(account: number): readonly Promise<unknown>[];
  /** Of a word that came another way: it was held. */
  remember(receipt: Receipt): void;
  receipt(
    wanted: { account: number } & ({ head: bigint } | { logPosition: number }),
  ): Receipt | undefined;
}

export function createSubmissionDesk(
  service: ExchangeService,
  accountRates: BucketTable,
): SubmissionDesk {
  const answers = new Map<string, Promise<SubmitResult>>();
  const receipts = new Map<string, Receipt>();
  const pending = new Map<number, Set<Promise<unknown>>>();
  const forget = (): void => {
    for (const key of answers.keys()) {
      if (answers.size <= RECEIPTS_KEPT) break;
      answers.delete(key);
    }
    for (const key of receipts.keys()) {
      if (receipts.size <= 2 * RECEIPTS_KEPT) break;
      receipts.delete(key);
    }
  };
  const remember = (receipt: Receipt): void => {
    const { account } = receipt;
    receipts.set(`${account}@${receipt.logPosition}`, receipt);
    receipts.set(`${account}#${receipt.head}`, receipt);
    forget();
  };
  const send = (
    key: string,
    submission: Submission,
    onAccepted: (receipt: Receipt) => void,
  ): Promise<SubmitResult> => {
    const { account } = submission;
    const settle = (result: SubmitResult): SubmitResult => {
      if (!result.accepted) {
        // Nothing stands in the log: the next try is a first one.
        answers.delete(key);
        return result;
      }
      const { receipt } = result;
      accountRates.get(account).charge(1);
      remember(receipt);
      onAccepted(receipt);
      return result;
    };
    const answer = service.submit(submission).then(settle, (error: unknown) => {
      answers.delete(key);
      throw error;
    });
    answers.set(key, answer);
    const own = pending.get(account) ?? new Set();
    pending.set(account, own.add(answer));
    const end = (): void => {
      own.delete(answer);
      if (own.size === 0) pending.delete(account);
    };
    answer.then(end, end);
    return answer;
  };
  return {
    async submit(submission, onAccepted = () => undefined) {
      const { account } = submission;
      const key = keyOf(submission);
      const known = answers.get(key);
      const wait = known === undefined ? accountRates.get(account).wait() : 0;
      if (wait > 0) throw tooMany("account", wait);
      const result = await (known ?? send(key, submission, onAccepted));
      if (!result.accepted) throw refusal(result);
      return { receipt: result.receipt, isRepeat: known !== undefined };
    },
    remember,
    underWay: (account) => [...(pending.get(account) ?? [])],
    receipt: (wanted) =>
      receipts.get(
        "head" in wanted
          ? `${wanted.account}#${wanted.head}`
          : `${wanted.account}@${wanted.logPosition}`,
      ),
  };
}

function keyOf({ account, keyIndex, word, signature }: Submission): string {
  const { r8x, r8y, s } = signature;
  return [account, keyIndex, word, r8x, r8y, s].join(":");
}

export function tooMany(scope: "account" | "connection", wait: number): RpcError {
  const text = `no credits left for this ${scope}; the next request is taken in \`${wait}\` ms.`;
  return new RpcError("too_many_requests", text, { scope, retry_after_ms: wait });
}

export function refusal({
  code,
  reason,
  data,
}: Extract<SubmitResult, { accepted: false }>): RpcError {
  const name = DOOR_ERRORS[code];
  const wire = Object.entries(data).map(([key, value]) => {
    return [key, typeof value === "bigint" ? `0x${value.toString(16)}` : value];
  });
  return new RpcError(name, reason ?? undefined, { door: code, ...Object.fromEntries(wire) });
}
