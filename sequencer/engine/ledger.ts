/** The operations of a ledger batch (SPEC section 7). Twin: circuits/ledger.circom. */
import { nextHeadOnce } from "../protocol/remembered.ts";
import { assertEngine } from "./assertion.ts";
import { checkSequenced } from "./door.ts";
import type { LedgerContext, SignedOperation } from "./operation.ts";
import type { LedgerOperation, OperationRecord } from "./records.ts";
import type { StateView } from "./stateView.ts";
import { applyAbsorb, checkAbsorb } from "./transactions/absorb.ts";
import { applyBackstop, checkBackstopOperation } from "./transactions/backstop.ts";
import { applyCollectFees, checkCollectFees } from "./transactions/collectFees.ts";
import { applyDeleverage, checkDeleverage } from "./transactions/deleverage.ts";
import { applyDeposit, checkDeposit } from "./transactions/deposit.ts";
import { applyForcedCancelAll, checkForcedCancelAll } from "./transactions/forcedCancelAll.ts";
import { applyForcedClose, checkForcedClose } from "./transactions/forcedClose.ts";
import { applyForcedWithdraw, checkForcedWithdraw } from "./transactions/forcedWithdraw.ts";
import { applyInsure, checkInsure } from "./transactions/insure.ts";
import { applyListSeries, checkListSeries } from "./transactions/listSeries.ts";
import { applyOpenBook, checkOpenBook } from "./transactions/openBook.ts";
import { applyRank, checkRank } from "./transactions/rank.ts";
import { applyRegisterKey, checkRegisterKey } from "./transactions/registerKey.ts";
import { applyRelease, checkRelease } from "./transactions/release.ts";
import { applySettlePosition, checkSettlePosition } from "./transactions/settlePosition.ts";
import { applySettleSeries, checkSettleSeries } from "./transactions/settleSeries.ts";
import { applyTransfer } from "./transactions/transfer.ts";
import { applyWithdraw } from "./transactions/withdraw.ts";

export type { LedgerContext } from "./operation.ts";

/**
 * Why no proof could sequence the operation now, or undefined. That a key registered in the same
 * batch signs nothing in it is for the batch to keep.
 */
export function checkOperation(
  view: StateView,
  operation: LedgerOperation,
  context: LedgerContext,
): string | undefined {
  switch (operation.kind) {
    case "deposit":
      return checkDeposit(view, operation);
    case "registerKey":
      return checkRegisterKey(view, operation);
    case "forcedWithdraw":
      return checkForcedWithdraw(view, operation);
    case "forcedCancelAll":
      return checkForcedCancelAll(view, operation);
    case "forcedClose":
      return checkForcedClose(view, operation);
    case "withdraw":
    case "transfer":
    case "backstop":
      return checkSigned(view, operation, context);
    case "insure":
      return checkInsure(view, operation, context);
    case "deleverage":
      return checkDeleverage(view, operation, context);
    case "absorb":
      return checkAbsorb(view, operation, context);
    case "rank":
      return checkRank(view, operation);
    case "release":
      return checkRelease(view, operation, context);
    case "collectFees":
      return checkCollectFees(view);
    case "listSeries":
      return checkListSeries(view, operation, context);
    case "openBook":
      return checkOpenBook(view, operation, context);
    case "settleSeries":
      return checkSettleSeries(view, operation, context);
    case "settlePosition":
      return checkSettlePosition(view, operation);
  }
}

function checkSigned(
  view: StateView,
  operation: SignedOperation,
  context: LedgerContext,
): string | undefined {
  const { kind, message } = operation;
  if (message.kind !== kind) {
    return `\`message\` must be of kind ${kind}. Got \`${message.kind}\`.`;
  }
  const reject = checkSequenced(view, operation, context.time);
  if (reject !== undefined || message.kind !== "backstop") return reject;
  return checkBackstopOperation(view, { ...operation, message }, context);
}

/**
 * Applies an operation after {@link checkOperation}. Throws EngineAssertion with its reason where
 * the operation must not be sequenced.
 */
export function applyOperation(
  view: StateView,
  operation: LedgerOperation,
  context: LedgerContext,
): OperationRecord {
  const reason = checkOperation(view, operation, context);
  assertEngine(reason === undefined, `\`${operation.kind}\` must not be sequenced: ${reason}`);
  switch (operation.kind) {
    case "deposit":
      return applyDeposit(view, operation, context);
    case "registerKey":
      return applyRegisterKey(view, operation, context);
    case "forcedWithdraw":
      return applyForcedWithdraw(view, operation, context);
    case "forcedCancelAll":
      return applyForcedCancelAll(view, operation);
    case "forcedClose":
      return applyForcedClose(view, operation, context);
    case "withdraw":
    case "transfer":
    case "backstop":
      return applySigned(view, operation, context);
    case "insure":
      return applyInsure(view, operation, context);
    case "deleverage":
      return applyDeleverage(view, operation, context);
    case "absorb":
      return applyAbsorb(view, operation);
    case "rank":
      return applyRank(view, operation);
    case "release":
      return applyRelease(view, operation);
    case "collectFees":
      return applyCollectFees(view, operation);
    case "listSeries":
      return applyListSeries(view, operation);
    case "openBook":
      return applyOpenBook(view, operation);
    case "settleSeries":
      return applySettleSeries(view, operation);
    case "settlePosition":
      return applySettlePosition(view, operation);
  }
}

/** The chain moves also where the payment is refused. */
function applySigned(
  view: StateView,
  operation: SignedOperation,
  context: LedgerContext,
): OperationRecord {
  const { author, message, word } = operation;
  const key = view.editSession(author.account).keys[author.keyIndex]!;
  key.head = nextHeadOnce(key.head, word);
  switch (message.kind) {
    case "withdraw":
      return applyWithdraw(view, { ...operation, message }, context);
    case "transfer":
      return applyTransfer(view, { ...operation, message }, context);
    case "backstop":
      return applyBackstop(view, { ...operation, message }, context);
  }
}
