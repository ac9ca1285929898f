/** A ledger batch under way. Twin: circuits/ledger.circom. */
import { applyOperation, checkOperation, type LedgerContext } from "../engine/ledger.ts";
import type { LedgerOperation, OperationRecord } from "../engine/records.ts";
import { KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import { messageFromWord } from "../protocol/messages.ts";
import { nextHeadOnce, verifyOnce } from "../protocol/remembered.ts";
import type { BatchRun } from "./batchRun.ts";
import { requireEntry } from "./invalidEntry.ts";
import { observe, type WitnessedOperation } from "./ledgerWitness.ts";
import type { OperationEntry } from "./log.ts";
import type { RunContext } from "./tradeRun.ts";
import { add, additionOfOperation, createWorkingSet, fits, signerId } from "./workingSet.ts";

export function createLedgerRun(context: RunContext): BatchRun {
  const { state, entry: opening, risk, domain } = context;
  const sizes = context.sizes.ledger;
  const set = createWorkingSet();
  const operations: WitnessedOperation[] = [];
  const rules: LedgerContext = { risk, time: opening.time, domain, snapshot: opening.snapshot };
  const room = { ...sizes, books: 0, fills: 0 };

  function operation(entry: OperationEntry): OperationRecord | "full" {
    const instruction = entry.operation;
    checkIds(instruction, context);
    const reason = checkOperation(state, instruction, rules);
    requireEntry(reason === undefined, `${instruction.kind}: ${reason}`);
    checkSignature(context, entry);
    const addition = additionOfOperation(instruction);
    if (!fits(set, addition, room) || meetsOwnKey(instruction)) return "full";
    const before = observe(state, instruction);
    const record = applyOperation(state, instruction, rules);
    const opened = instruction.kind === "openBook" ? state.book(instruction.book) : undefined;
    add(set, addition, entry.signature);
    const key = registeredKey(instruction);
    if (key !== undefined) set.registered.add(key);
    operations.push({ record, ...before, generation: opened?.generation ?? 0 });
    return record;
  }

  /** A batch's signers sign with keys as they were when it began: no key both ways. */
  function meetsOwnKey(instruction: LedgerOperation): boolean {
    const registered = registeredKey(instruction);
    if (registered !== undefined) return set.signers.has(registered);
    return "author" in instruction && set.registered.has(signerId(instruction.author));
  }

  return {
    used: () => set.used,
    capacity: sizes.steps,
    operation,
    proceed: () => [],
    stepWords: () =>
      Array.from({ length: sizes.steps }).flatMap(
        (_, index) => operations[index]?.record.publicWords ?? [0n, 0n, 0n, 0n],
      ),
    draft: () => ({ set, work: { kind: "ledger", operations } }),
  };
}

function registeredKey(operation: LedgerOperation): number | undefined {
  if (operation.kind !== "deposit" && operation.kind !== "registerKey") return undefined;
  const { key, account, keyIndex } = operation;
  if (operation.kind === "deposit" && key.x === 0n && key.y === 0n) return undefined;
  return account * KEYS_PER_ACCOUNT + keyIndex;
}

/** Ids that have no place in the trees cannot be opened. */
function checkIds(operation: LedgerOperation, { sizes }: RunContext): void {
  const { accountLevels, bookLevels } = sizes.ledger;
  for (const id of additionOfOperation(operation).accounts) {
    const inTree = Number.isSafeInteger(id) && id >= 0 && id < 4 ** accountLevels;
    requireEntry(inTree, `there is no account \`${id}\``);
  }
  if (operation.kind !== "openBook") return;
  const { book } = operation;
  const inTree = Number.isSafeInteger(book) && book >= 0 && book < 4 ** bookLevels;
  requireEntry(inTree, `there is no book \`${book}\``);
}

function checkSignature({ state }: RunContext, entry: OperationEntry): void {
  const { operation, signature } = entry;
  if (!("author" in operation)) return;
  const { author, message, word } = operation;
  const read = messageFromWord(word);
  requireEntry(
    read !== undefined && read.kind === message.kind && read.deadline === message.deadline,
    `the word \`${word}\` is not the operation's message`,
  );
  const key = state.session(author.account).keys[author.keyIndex];
  requireEntry(
    key !== undefined &&
      signature !== undefined &&
      verifyOnce(key, nextHeadOnce(key.head, word), signature),
    `the signature of account \`${author.account}\`, key \`${author.keyIndex}\` is wrong`,
  );
}
