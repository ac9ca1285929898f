/**
 * The ledger half of the state from layer-one data alone: the public words of every anchored
 * batch, in order, from the empty ledger on. What an owner needs to leave, and nothing private.
 */
import { unpack, unpackMany } from "../protocol/codec.ts";
import {
  BATCH_KINDS,
  LEDGER_KINDS,
  LEDGER_OP_WORDS,
  MARK_BITS,
  MARKS_PER_WORD,
  PRICE_OFFSET,
  TRADE_WORD_KINDS,
  WEIGHT_BITS,
  WEIGHT_OFFSET,
  WEIGHTS_PER_WORD,
} from "../protocol/constants.ts";
import { poseidon } from "../protocol/hash.ts";
import { FILL, HEADER, type HeaderField, LEDGER_OP, SERIES_TERMS } from "../protocol/layout.ts";
import {
  type Account,
  accountLeaf,
  emptyAccount,
  emptySeries,
  ledgerRoot,
  type Series,
  type Shape,
  seriesRoot,
} from "../protocol/state.ts";
import { createMerkleTree, type MerkleTree } from "../state/merkleTree.ts";

export interface RestoredLedger {
  /** Of the last batch applied: 0 before the first. */
  number(): number;
  /** State root after it; undefined before the first. */
  root(): bigint | undefined;
  privateRoot(): bigint | undefined;
  account(id: number): Readonly<Account>;
  accountIds(): number[];
  series(): readonly Readonly<Series>[];
  accounts: MerkleTree;
  /** Applies the next batch. Throws {@link RestoreError} where its root does not come out. */
  apply(words: readonly bigint[]): void;
}

/** Batch data that does not lead to the root that layer one anchored. */
export class RestoreError extends Error {
  override name = "RestoreError";
}

interface Ledger {
  readonly shape: Shape;
  readonly accounts: Map<number, Account>;
  readonly changed: Set<number>;
  readonly series: Series[];
  readonly weights: Map<number, number[]>;
}

export function createRestoredLedger(shape: Shape): RestoredLedger {
  const ledger: Ledger = {
    shape,
    accounts: new Map(),
    changed: new Set(),
    series: Array.from({ length: shape.slots }, emptySeries),
    weights: new Map(),
  };
  const emptyLeaf = accountLeaf(emptyAccount(shape.slots));
  const accounts = createMerkleTree({ levels: shape.accountLevels, emptyLeaf });
  let header: Record<HeaderField, bigint> | undefined;

  return {
    accounts,
    number: () => Number(header?.number ?? 0n),
    root: () => header?.rootAfter,
    privateRoot: () => header?.privateRoot,
    account: (id) => accountOf(ledger, id),
    accountIds: () => [...ledger.accounts.keys()].sort((left, right) => left - right),
    series: () => ledger.series,
    apply(words) {
      const next = headerOf(words);
      checkLink(header, next);
      const marksEnd = HEADER.length + Math.ceil(shape.slots / MARKS_PER_WORD);
      const marks = words.slice(HEADER.length, marksEnd);
      for (const [slot, mark] of unpackMany(
        marks,
        MARK_BITS,
        MARKS_PER_WORD,
        shape.slots,
      ).entries()) {
        ledger.series[slot]!.mark = mark;
      }
      const steps = words.slice(marksEnd);
      if (next.kind === BigInt(BATCH_KINDS.trade)) applyFills(ledger, steps);
      else applyOperations(ledger, steps);
      accounts.setMany(
        [...ledger.changed].map((id) => [id, accountLeaf(accountOf(ledger, id))] as const),
      );
      ledger.changed.clear();
      const restored = ledgerRoot({ accounts: accounts.root(), series: seriesRoot(ledger.series) });
      if (poseidon([restored, next.privateRoot]) !== next.rootAfter) {
        throw new RestoreError(
          `batch \`${next.number}\` does not lead to its root \`${next.rootAfter}\``,
        );
      }
      header = next;
    },
  };
}

function headerOf(words: readonly bigint[]): Record<HeaderField, bigint> {
  const entries = HEADER.map((name, index) => [name, words[index] ?? 0n] as const);
  return Object.fromEntries(entries) as Record<HeaderField, bigint>;
}

function checkLink(
  last: Record<HeaderField, bigint> | undefined,
  next: Record<HeaderField, bigint>,
): void {
  const number = (last?.number ?? 0n) + 1n;
  if (next.number !== number) {
    throw new RestoreError(`batch \`${number}\` must come next. Got \`${next.number}\``);
  }
  if (last !== undefined && last.rootAfter !== next.rootBefore) {
    throw new RestoreError(`batch \`${number}\` does not start from the root before it`);
  }
}

function accountOf(ledger: Ledger, id: number): Account {
  return ledger.accounts.get(id) ?? emptyAccount(ledger.shape.slots);
}

function edit(ledger: Ledger, id: number): Account {
  const account = accountOf(ledger, id);
  ledger.accounts.set(id, account);
  ledger.changed.add(id);
  return account;
}

/** Moves lots in a slot and counts who holds it. */
function move(ledger: Ledger, account: Account, slot: number, lots: number): void {
  const before = account.positions[slot]!;
  const after = before + lots;
  account.positions[slot] = after;
  const series = ledger.series[slot]!;
  series.holders += (after === 0 ? 0 : 1) - (before === 0 ? 0 : 1);
}

function applyFills(ledger: Ledger, steps: readonly bigint[]): void {
  for (const word of steps) {
    const fill = unpack(FILL, word);
    if (fill.kind !== TRADE_WORD_KINDS.fill) continue;
    const weights = ledger.weights.get(fill.book);
    if (weights === undefined) throw new RestoreError(`book \`${fill.book}\` was never opened`);
    const buyer = edit(ledger, fill.takerIsSell === 1 ? fill.maker : fill.taker);
    const seller = edit(ledger, fill.takerIsSell === 1 ? fill.taker : fill.maker);
    const amount = (fill.price - PRICE_OFFSET) * fill.lots * ledger.shape.unit;
    buyer.cash -= amount;
    seller.cash += amount;
    for (const [slot, weight] of weights.entries()) {
      if (weight === 0) continue;
      move(ledger, buyer, slot, weight * fill.lots);
      move(ledger, seller, slot, -weight * fill.lots);
    }
  }
}

function applyOperations(ledger: Ledger, steps: readonly bigint[]): void {
  for (let at = 0; at < steps.length; at += LEDGER_OP_WORDS) {
    const [head = 0n, first = 0n, second = 0n] = steps.slice(at, at + LEDGER_OP_WORDS);
    applyOperation(ledger, { ...unpack(LEDGER_OP, head), first, second });
  }
}

type PublicOperation = ReturnType<typeof unpack<typeof LEDGER_OP>> & {
  first: bigint;
  second: bigint;
};

function applyOperation(ledger: Ledger, operation: PublicOperation): void {
  const { kind, account, to, slot, book, amount, executed, first, second } = operation;
  const series = ledger.series[slot]!;
  switch (kind) {
    case LEDGER_KINDS.deposit: {
      const target = edit(ledger, account);
      target.owner = first;
      target.cash += amount;
      return;
    }
    case LEDGER_KINDS.forcedWithdraw:
    case LEDGER_KINDS.withdraw:
      if (executed === 1) edit(ledger, account).cash -= amount;
      return;
    case LEDGER_KINDS.transfer:
      if (executed !== 1) return;
      edit(ledger, account).cash -= amount;
      edit(ledger, to).cash += amount;
      return;
    case LEDGER_KINDS.listSeries: {
      const { isCall, strike, expiry } = unpack(SERIES_TERMS, first);
      const generation = series.generation + 1;
      const terms = { isCall: isCall === 1, strike, expiry, generation };
      Object.assign(series, terms, { status: "listed" });
      return;
    }
    case LEDGER_KINDS.openBook: {
      const encoded = unpackMany(
        [first, second],
        WEIGHT_BITS,
        WEIGHTS_PER_WORD,
        ledger.shape.slots,
      );
      ledger.weights.set(
        book,
        encoded.map((weight) => weight - WEIGHT_OFFSET),
      );
      return;
    }
    case LEDGER_KINDS.settleSeries:
      series.status = "settled";
      return;
    case LEDGER_KINDS.settlePosition: {
      const holder = edit(ledger, account);
      const lots = holder.positions[slot]!;
      holder.cash += lots * series.mark * ledger.shape.unit;
      move(ledger, holder, slot, -lots);
      return;
    }
    default:
      // Idle, and key registrations: nothing that the ledger half holds.
      return;
  }
}
