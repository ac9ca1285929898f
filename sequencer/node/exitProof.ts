/**
 * What leaving takes besides layer one's data: the ledger rebuilt from public words, and a proof
 * of one account in it. Needs no node, no log and nobody's permission.
 */
import instances from "../../circuits/instances.json" with { type: "json" };
import { type ExitClaim, exitClaim } from "../batch/exitWitness.ts";
import { createRestoredLedger, type LedgerView } from "../batch/restore.ts";
import type { ProofWords } from "../batch/sealedBatch.ts";
import type { Logger } from "../ports.ts";
import type { Shape } from "../protocol/state.ts";
import { type CircuitKeys, createProver } from "../prover/prover.ts";

/** The rollup's sizes are of no instance that this version knows. */
export class UnknownInstanceError extends Error {
  override name = "UnknownInstanceError";
}

export interface ExitLedger {
  /** Name of the circuits' instance that the rollup was made with. */
  readonly instance: string;
  readonly unit: number;
  /** The whole of it, as of the last batch applied. */
  readonly view: LedgerView;
  /** Applies the next batch's words. Throws RestoreError where they do not lead to its root. */
  apply(words: readonly bigint[]): void;
  root(): bigint | undefined;
  /** What the account may claim at the last batch applied. */
  claim(account: number): ExitClaim;
}

/** `sizes` as the rollup contract has them. */
export function createExitLedger(sizes: LedgerSizes): ExitLedger {
  const { instance, shape } = exitInstance(sizes);
  const ledger = createRestoredLedger(shape);
  return {
    instance,
    unit: shape.unit,
    view: ledger,
    apply: (words) => ledger.apply(words),
    root: () => ledger.root(),
    claim: (account) => exitClaim(ledger, account, shape.unit),
  };
}

export interface LedgerSizes {
  readonly slots: number;
  readonly accountLevels: number;
}

/** The exit circuit that a rollup of these sizes was made with. */
export function exitInstance({ slots, accountLevels }: LedgerSizes): {
  readonly instance: string;
  readonly shape: Shape;
} {
  const found = Object.entries(instances.exit).find(
    ([, exit]) => exit.slots === slots && exit.accountLevels === accountLevels,
  );
  if (found === undefined) {
    const text = `\`${slots}\` slots and \`${accountLevels}\` account levels`;
    throw new UnknownInstanceError(
      `the rollup has ${text}: there is no exit circuit of this size.`,
    );
  }
  const [instance, { unit }] = found;
  // Depth and books belong to the private half of the state, which an exit does not open.
  return { instance, shape: { slots, accountLevels, unit, depth: 0, bookLevels: 0 } };
}

export type ExitProver = (claim: ExitClaim, keys: CircuitKeys) => Promise<ProofWords>;

const nothing = (): void => undefined;
export const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Takes seconds to minutes and all the cores it gets. */
export const proveExit: ExitProver = async ({ inputs }, exit) => {
  const prover = createProver({ keys: { exit }, logger: SILENT });
  try {
    return (await prover.prove("exit", inputs)).proof;
  } finally {
    await prover.stop();
  }
};
