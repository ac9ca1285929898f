/** What all ledger operations share: their context, their public words, their record. */
import { pack } from "../protocol/codec.ts";
import { AMOUNT_BITS, LEDGER_KINDS, LEDGER_OP_WORDS } from "../protocol/constants.ts";
import { LEDGER_OP } from "../protocol/layout.ts";
import type { Prices } from "../protocol/snapshot.ts";
import type { LedgerOperation, OperationRecord } from "./records.ts";
import type { Risk } from "./risk.ts";

/** `time` of the batch in unix ms; `risk` is the snapshot's after the batch's start. */
export interface LedgerContext {
  readonly risk: Risk;
  readonly time: number;
  readonly domain: bigint;
  readonly snapshot: Prices;
}

/** The operations of one kind. */
export type OperationOf<K extends LedgerOperation["kind"]> = Extract<LedgerOperation, { kind: K }>;

/** The signed ones: withdraw, transfer and backstop. */
export type SignedOperation = Extract<LedgerOperation, { word: bigint }>;

/** Layer-one addresses lie below it. */
const ADDRESS_LIMIT = 1n << 160n;

interface Stated {
  readonly account?: number;
  readonly to?: number;
  readonly slot?: number;
  readonly book?: number;
  readonly keyIndex?: number;
  readonly amount?: number;
  readonly keyExpiry?: number;
  readonly lots?: number;
  readonly isSubsidy?: boolean;
  readonly isLong?: boolean;
}

const NOTHING = {
  account: 0,
  to: 0,
  slot: 0,
  book: 0,
  keyIndex: 0,
  amount: 0,
  keyExpiry: 0,
  lots: 0,
};

/** The record with its four public words: what is not stated is 0 (SPEC section 8). */
export function recordOf(
  operation: LedgerOperation,
  outcome: OperationRecord["outcome"],
  { stated, words }: { stated: Stated; words: readonly bigint[] },
): OperationRecord {
  const kind = LEDGER_KINDS[operation.kind];
  const executed = outcome === "executed" ? 1 : 0;
  const flags = { isSubsidy: stated.isSubsidy ? 1 : 0, isLong: stated.isLong ? 1 : 0 };
  const head = pack(LEDGER_OP, { ...NOTHING, ...stated, ...flags, kind, executed });
  const rest = Array.from({ length: LEDGER_OP_WORDS - 1 }, (_, index) => words[index] ?? 0n);
  return { operation, outcome, publicWords: [head, ...rest] };
}

/** Why a layer-one amount (1e-6 USDC) cannot stand in a public word. */
export function checkAmount(amount: number): string | undefined {
  if (Number.isSafeInteger(amount) && amount >= 0 && amount < 2 ** AMOUNT_BITS) return undefined;
  return `\`amount\` must be an integer from 0 to 2^${AMOUNT_BITS} - 1. Got \`${amount}\`.`;
}

/** Why this owner cannot act on an account that has `known` as its owner. */
export function checkOwner(owner: bigint, known: bigint): string | undefined {
  if (owner <= 0n || owner >= ADDRESS_LIMIT)
    return `\`owner\` must be an address. Got \`${owner}\`.`;
  return owner === known ? undefined : `The account belongs to \`${known}\`. Got \`${owner}\`.`;
}
