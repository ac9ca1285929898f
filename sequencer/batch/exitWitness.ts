/** Inputs of the exit circuit from a restored ledger. Twin: circuits/exit.circom. */
import { seriesWords } from "../protocol/state.ts";
import type { LedgerView } from "./restore.ts";
import type { CircuitInputs } from "./sealedBatch.ts";
import { field, fields } from "./witness.ts";

export interface ExitClaim {
  readonly account: number;
  readonly owner: bigint;
  /** Equity at the anchored marks, at least 0 (1e-6 USDC). */
  readonly claim: bigint;
  readonly stateRoot: bigint;
  readonly inputs: CircuitInputs;
  /** In the order of the circuit's public inputs. */
  readonly publicSignals: readonly bigint[];
}

/** `cash + unit * sum position * mark` in 1e-6 USDC, which may be beyond 2^53. */
export function equity(ledger: LedgerView, account: number, unit: number): bigint {
  const { cash, positions } = ledger.account(account);
  const value = positions.reduce(
    (sum, lots, slot) => sum + BigInt(lots) * BigInt(ledger.series()[slot]!.mark),
    0n,
  );
  return BigInt(cash) + BigInt(unit) * value;
}

/** What `account` may claim at the last batch of `ledger`. Throws before the first batch. */
export function exitClaim(ledger: LedgerView, account: number, unit: number): ExitClaim {
  const stateRoot = ledger.root();
  const privateRoot = ledger.privateRoot();
  if (stateRoot === undefined || privateRoot === undefined) {
    throw new RangeError("No batch has been anchored: deposits are refunded, not exited.");
  }
  const { owner, cash, positions } = ledger.account(account);
  const value = equity(ledger, account, unit);
  const claim = value > 0n ? value : 0n;
  return {
    account,
    owner,
    claim,
    stateRoot,
    publicSignals: [stateRoot, BigInt(account), owner, claim],
    inputs: {
      stateRoot: field(stateRoot),
      account: field(account),
      owner: field(owner),
      claim: field(claim),
      cash: field(cash),
      positions: fields(positions),
      accountSiblings: ledger.accounts.path(account).map(fields),
      seriesWords: fields(seriesWords(ledger.series())),
      fees: field(ledger.fees()),
      privateRoot: field(privateRoot),
    },
  };
}
