/**
 * The ledger half of the state from layer-one data alone: the public words of every anchored
 * batch, in order, from the empty ledger on. What an owner needs to leave, and nothing private.
 */
import { secondsOf } from "../engine/bookState.ts";
import { makerFee, takerFee } from "../engine/fees.ts";
import { unpack, unpackMany } from "../protocol/codec.ts";
import {
  BATCH_KINDS,
  FEE_ACCOUNT,
  INSURANCE_ACCOUNT,
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
  type Book,
  emptyAccount,
  emptySeries,
  feesFromWord,
  ledgerRoot,
  type Series,
  type Shape,
  seriesRoot,
} from "../protocol/state.ts";
import { createMerkleTree, type MerkleTree } from "../state/merkleTree.ts";

/** What an exit is proven from. */
export interface LedgerView {
  /** Of the last batch applied: 0 before the first. */
  number(): number;
  /** State root after it; undefined before the first. */
  root(): bigint | undefined;
  privateRoot(): bigint | undefined;
  account(id: number): Readonly<Account>;
  accountIds(): number[];
  series(): readonly Readonly<Series>[];
  /** 1e-6 USDC that fills have paid and nobody has collected. */
  fees(): number;
  readonly accounts: MerkleTree;
}

export interface RestoredLedger extends LedgerView {
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
  readonly books: Map<number, Pick<Book, "weights" | "fees">>;
  fees: number;
}

export function createRestoredLedger(shape: Shape): RestoredLedger {
  const ledger: Ledger = {
    shape,
    accounts: new Map(),
    changed: new Set(),
    series: Array.from({ length: shape.slots }, emptySeries),
    books: new Map(),
    fees: 0,
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
    fees: () => ledger.fees,
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
      else applyOperations(ledger, steps, Number(next.time));
      accounts.setMany(
        [...ledger.changed].map((id) => [id, accountLeaf(accountOf(ledger, id))] as const),
      );
      ledger.changed.clear();
      const series = seriesRoot(ledger.series);
      const restored = ledgerRoot({ accounts: accounts.root(), series, fees: ledger.fees });
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
    if (fill.kind === TRADE_WORD_KINDS.fill) applyFill(ledger, fill);
  }
}

function applyFill(ledger: Ledger, fill: ReturnType<typeof unpack<typeof FILL>>): void {
  const opened = ledger.books.get(fill.book);
  if (opened === undefined) throw new RestoreError(`book \`${fill.book}\` was never opened`);
  const { weights, fees } = opened;
  const [taker, maker] = [edit(ledger, fill.taker), edit(ledger, fill.maker)];
  const [buyer, seller] = fill.takerIsSell === 1 ? [maker, taker] : [taker, maker];
  const price = fill.price - PRICE_OFFSET;
  const worth = fill.lots * ledger.shape.unit;
  buyer.cash -= price * worth;
  seller.cash += price * worth;
  const takerPaid = takerFee(fees, price) * worth;
  const makerPaid = makerFee(fees, price) * worth;
  taker.cash -= takerPaid;
  maker.cash -= makerPaid;
  ledger.fees += takerPaid + makerPaid;
  for (const [slot, weight] of weights.entries()) {
    if (weight === 0) continue;
    move(ledger, buyer, slot, weight * fill.lots);
    move(ledger, seller, slot, -weight * fill.lots);
  }
}

function applyOperations(ledger: Ledger, steps: readonly bigint[], time: number): void {
  for (let at = 0; at < steps.length; at += LEDGER_OP_WORDS) {
    const [head = 0n, ...words] = steps.slice(at, at + LEDGER_OP_WORDS);
    const [first = 0n, second = 0n, third = 0n] = words;
    applyOperation(ledger, { ...unpack(LEDGER_OP, head), first, second, third, time });
  }
}

type PublicOperation = ReturnType<typeof unpack<typeof LEDGER_OP>> & {
  first: bigint;
  second: bigint;
  third: bigint;
  /** Of the batch, unix ms. */
  time: number;
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
      const weights = encoded.map((weight) => weight - WEIGHT_OFFSET);
      ledger.books.set(book, { weights, fees: feesFromWord(operation.third) });
      return;
    }
    case LEDGER_KINDS.settleSeries:
      series.status = "settled";
      return;
    case LEDGER_KINDS.settlePosition:
      payOut(ledger, account, slot);
      return;
    case LEDGER_KINDS.backstop:
    case LEDGER_KINDS.insure:
    case LEDGER_KINDS.deleverage:
      applyTakeover(ledger, operation);
      return;
    case LEDGER_KINDS.forcedClose:
      if (executed === 1) applyClose(ledger, operation);
      return;
    case LEDGER_KINDS.absorb:
      edit(ledger, INSURANCE_ACCOUNT).cash -= amount;
      edit(ledger, to).cash += amount;
      return;
    case LEDGER_KINDS.collectFees:
      edit(ledger, FEE_ACCOUNT).cash += amount;
      ledger.fees -= amount;
      return;
    default:
      // Idle, keys, cancellations, rankings, releases: nothing that the ledger half holds.
      return;
  }
}

/** Lots leave `to` at the mark for `account`, and with them the discount or the subsidy. */
function applyTakeover(
  ledger: Ledger,
  { account, to, slot, lots, amount, isSubsidy }: PublicOperation,
): void {
  const [from, taker] = [edit(ledger, to), edit(ledger, account)];
  const signedLots = from.positions[slot]! < 0 ? lots : -lots;
  const gained = isSubsidy === 1 ? amount : -amount;
  const cost = signedLots * ledger.series[slot]!.mark * ledger.shape.unit;
  from.cash += gained - cost;
  taker.cash -= gained - cost;
  move(ledger, from, slot, signedLots);
  move(ledger, taker, slot, -signedLots);
}

function payOut(ledger: Ledger, account: number, slot: number): void {
  const holder = edit(ledger, account);
  const lots = holder.positions[slot]!;
  holder.cash += lots * ledger.series[slot]!.mark * ledger.shape.unit;
  move(ledger, holder, slot, -lots);
}

/**
 * A position in an expired series is paid out, and the series is settled thereby; else the position
 * says how much of the lots that were asked for there was to close.
 */
function applyClose(ledger: Ledger, operation: PublicOperation): void {
  const { to, slot, time } = operation;
  const series = ledger.series[slot]!;
  if (series.expiry <= secondsOf(time)) {
    series.status = "settled";
    payOut(ledger, to, slot);
    return;
  }
  const held = Math.abs(accountOf(ledger, to).positions[slot]!);
  const lots = Math.min(operation.lots, held);
  applyTakeover(ledger, { ...operation, lots, amount: operation.amount * lots });
}
