/** What layer one said no to, in words. */
import { BaseError, ContractFunctionRevertedError } from "viem";

/** The chain refused, or is in a state in which going on would be wrong. */
export class SettlementError extends Error {
  override name = "SettlementError";
}

/** Not now: fees, nonces or endpoints must come right first. Asking again is all it takes. */
export class SettlementPausedError extends Error {
  override name = "SettlementPausedError";
}

const EXECUTION_REVERTED = 3;

/** Whether the contract itself said no: whatever else went wrong says nothing of the call. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof BaseError)) return false;
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (!(reverted instanceof ContractFunctionRevertedError)) return false;
  // An endpoint's own "internal error" looks like a revert without reason to the library.
  const { code, details = "" } = reverted.walk() as { code?: number; details?: string };
  return reverted.data !== undefined || code === EXECUTION_REVERTED || /revert/i.test(details);
}

/**
 * The error as callers may log it. The library's own text holds the endpoint's address, which may
 * hold a provider's key.
 */
export function withoutAddress(error: unknown): unknown {
  return error instanceof BaseError ? new Error(describeChainError(error)) : error;
}

/** A message that names the contract's own error and its values, where there is one. */
export function describeChainError(error: unknown): string {
  if (!(error instanceof BaseError)) return String(error);
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (!(reverted instanceof ContractFunctionRevertedError)) return error.shortMessage;
  const { data, reason, signature } = reverted;
  if (data === undefined) return `reverted: ${reason ?? signature ?? "no reason given"}`;
  const values = (data.args ?? []).map((value) => `\`${value}\``);
  const inputs = data.abiItem.type === "error" ? data.abiItem.inputs : [];
  const named = values.map((value, index) => `${inputs[index]?.name ?? index} ${value}`);
  return `reverted: ${data.errorName}(${named.join(", ")})`;
}
