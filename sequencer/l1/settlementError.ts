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
