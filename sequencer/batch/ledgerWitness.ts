/** Inputs and public words of the ledger circuit. Twin: circuits/ledger.circom. */

import type { LedgerOperation, OperationRecord } from "../engine/records.ts";
import type { StateView } from "../engine/stateView.ts";
import { pack } from "../protocol/codec.ts";
import { BOOK_OWN_WORDS } from "../protocol/constants.ts";
import { beforeLastBlock } from "../protocol/hash.ts";
import { KEY_META } from "../protocol/layout.ts";
import {
  type Book,
  bookLeaf,
  emptyKey,
  feesWord,
  lastBookWords,
  type TradingKey,
  weightWords,
} from "../protocol/state.ts";
import type { StateTrees } from "../state/stateTrees.ts";
import type { CircuitInputs } from "./sealedBatch.ts";
import type { LedgerSizes } from "./sizes.ts";
import { fields, signerOrder } from "./witness.ts";
import { signerId, type WorkingSet } from "./workingSet.ts";

/** An operation with what stood in its place before it: key or book. */
export interface WitnessedOperation {
  readonly record: OperationRecord;
  readonly keyBefore: TradingKey;
  readonly bookBefore: Book | undefined;
  /** Generation of the book that the operation opened. */
  readonly generation: number;
}

/** What the circuit is told of the state before an operation; to be called before it is applied. */
export function observe(
  state: StateView,
  operation: LedgerOperation,
): Pick<WitnessedOperation, "keyBefore" | "bookBefore"> {
  const hasKey = operation.kind === "deposit" || operation.kind === "registerKey";
  const keyBefore = hasKey
    ? { ...state.session(operation.account).keys[operation.keyIndex]! }
    : emptyKey();
  const book = operation.kind === "openBook" ? state.book(operation.book) : undefined;
  return { keyBefore, bookBefore: book === undefined ? undefined : structuredClone(book) };
}

/** The operations, filled up with idle ones; moves the tree of books through the openings. */
export function operationInputs(
  operations: readonly WitnessedOperation[],
  options: { trees: StateTrees; set: WorkingSet; sizes: LedgerSizes },
): CircuitInputs {
  const { trees, set, sizes } = options;
  const order = signerOrder(set);
  const rows = Array.from({ length: sizes.steps }, (_, index) => {
    const operation = operations[index];
    return operation === undefined ? idleRow(sizes) : row(operation, { trees, order, sizes });
  });
  return {
    operationWords: rows.map(({ words }) => fields(words)),
    operationSigner: fields(rows.map(({ signer }) => signer)),
    deadline: fields(rows.map(({ deadline }) => deadline)),
    oldKey: rows.map(({ key }) => fields([key.x, key.y])),
    oldHead: fields(rows.map(({ key }) => key.head)),
    oldMeta: fields(
      rows.map(({ key }) => pack(KEY_META, { expiry: key.expiry, version: key.version })),
    ),
    oldBookExists: fields(rows.map(({ book }) => (book.exists ? 1 : 0))),
    oldBookWeights: rows.map(({ book }) => fields(book.weights)),
    oldBookGeneration: fields(rows.map(({ book }) => book.generation)),
    oldBookFees: fields(rows.map(({ book }) => book.fees)),
    oldBookSides: rows.map(({ book }) => fields(book.sides)),
    takeoverScenario: fields(rows.map(({ scenario }) => scenario)),
    bookSiblings: rows.map(({ siblings }) => siblings.map(fields)),
  };
}

/** Where no book was opened before: the circuit is told as much of it, all 0. */
function noBook(sizes: LedgerSizes) {
  const all = 2 * sizes.depth + BOOK_OWN_WORDS;
  const before = beforeLastBlock(all);
  const told = all - before - BOOK_OWN_WORDS + (before > 0 ? 1 : 0);
  const weights: readonly bigint[] = [0n, 0n];
  const sides = new Array<bigint>(told).fill(0n);
  return { exists: false, weights, generation: 0, fees: 0n, sides };
}

function idleRow(sizes: LedgerSizes) {
  return {
    words: [0n, 0n, 0n, 0n] as readonly bigint[],
    signer: 0,
    deadline: 0,
    scenario: 0,
    key: emptyKey(),
    book: noBook(sizes),
    siblings: Array.from({ length: sizes.bookLevels }, () => [0n, 0n, 0n]),
  };
}

function row(
  { record, keyBefore, bookBefore, generation }: WitnessedOperation,
  { trees, order, sizes }: { trees: StateTrees; order: readonly number[]; sizes: LedgerSizes },
) {
  const { operation, publicWords } = record;
  const idle = idleRow(sizes);
  const signer = "author" in operation ? order.indexOf(signerId(operation.author)) : 0;
  const deadline = "author" in operation ? operation.message.deadline : 0;
  const scenario = "scenario" in operation ? (operation.scenario ?? 0) : 0;
  const common = { ...idle, words: publicWords, signer, deadline, scenario, key: keyBefore };
  if (operation.kind !== "openBook") return common;
  const siblings = trees.books.path(operation.book);
  const { fees } = operation;
  const opened = { weights: [...operation.weights], fees, bids: [], asks: [] };
  trees.books.set(operation.book, bookLeaf({ ...opened, generation }, sizes.depth));
  return { ...common, book: openedBook(bookBefore, sizes), siblings };
}

function openedBook(book: Book | undefined, sizes: LedgerSizes): ReturnType<typeof noBook> {
  if (book === undefined) return noBook(sizes);
  const weights: readonly bigint[] = weightWords(book.weights);
  const { generation } = book;
  const fees = feesWord(book.fees);
  const sides = lastBookWords(book, sizes.depth).slice(0, -BOOK_OWN_WORDS);
  return { exists: true, weights, generation, fees, sides };
}
