/** Ledger batches for a contract whose verifier accepts everything. */
import type { SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import { pack } from "../../../sequencer/protocol/codec.ts";
import {
  BATCH_KINDS,
  LEDGER_KINDS,
  LEDGER_OP_WORDS,
} from "../../../sequencer/protocol/constants.ts";
import { HEADER, LEDGER_OP } from "../../../sequencer/protocol/layout.ts";
import { sizesOf } from "../../support/market.ts";
import { type RollupNode, tradeBatch } from "./rollupNode.ts";

const { trade, ledger } = sizesOf("tiny");

export interface StatedOperation {
  readonly kind: "deposit" | "withdraw";
  readonly account: number;
  readonly owner: string;
  readonly amount: number;
}

/** The ledger batch after `number - 1` others. */
export async function ledgerBatch(
  node: RollupNode,
  number: number,
  operations: readonly StatedOperation[],
): Promise<SealedBatch> {
  const base = await tradeBatch(node, number);
  const [, ...header] = base.words.slice(0, HEADER.length);
  const marks = base.words.slice(HEADER.length, base.words.length - trade.fills);
  const stated = operations.flatMap(wordsOf);
  const rest = new Array<bigint>(ledger.steps * LEDGER_OP_WORDS - stated.length).fill(0n);
  const words = [BigInt(BATCH_KINDS.ledger), ...header, ...marks, ...stated, ...rest];
  return { ...base, kind: "ledger", words };
}

function wordsOf({ kind, account, owner, amount }: StatedOperation): bigint[] {
  const nothing = { to: 0, slot: 0, book: 0, keyIndex: 0, keyExpiry: 0, lots: 0 };
  const fields = { kind: LEDGER_KINDS[kind], executed: 1, account, amount };
  const head = pack(LEDGER_OP, { ...nothing, ...fields, isSubsidy: 0, isLong: 0 });
  return [head, BigInt(owner), 0n, 0n];
}
