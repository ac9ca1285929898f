// What happens to accounts in trouble in random flows: ledger operations that could be sequenced.
import { checkOperation, type LedgerContext } from "../../sequencer/engine/ledger.ts";
import type { LedgerOperation, Takeover } from "../../sequencer/engine/records.ts";
import { discountLimit } from "../../sequencer/engine/transactions/takeover.ts";
import { INSURANCE_ACCOUNT, SCENARIOS } from "../../sequencer/protocol/constants.ts";
import type { MemoryState } from "../../sequencer/state/memoryState.ts";
import { paymentBy, SHAPE } from "../unit/engine/market.ts";

interface Place {
  readonly state: MemoryState;
  readonly ledger: LedgerContext;
}

/** Every kind of takeover of every locked account that is possible now, in a few sizes. */
export function possibleTakeovers({ state, ledger }: Place): LedgerOperation[] {
  return takeovers({ state, ledger })
    .flatMap((takeover) => [
      ...state.accountIds().flatMap((account) => backstopBy(account, takeover, ledger.time)),
      { kind: "insure" as const, ...takeover },
      { kind: "deleverage" as const, ...takeover, account: state.ranking()?.best ?? 0 },
    ])
    .filter((operation) => checkOperation(state, operation, ledger) === undefined);
}

function takeovers({ state, ledger }: Place): Takeover[] {
  const found: Takeover[] = [];
  for (const from of state.accountIds()) {
    if (state.session(from).lockedSince === 0) continue;
    for (const [slot, position] of state.account(from).positions.entries()) {
      const held = Math.abs(position);
      for (const lots of new Set([1, Math.ceil(held / 2), held])) {
        if (lots > held || held === 0) continue;
        found.push(...termsOf({ from, slot, lots }, { state, ledger }));
      }
    }
  }
  return found;
}

/** For nothing, for as much as it may cost, and with a subsidy; in every scenario of a kind. */
function termsOf(
  part: Pick<Takeover, "from" | "slot" | "lots">,
  { state, ledger }: Place,
): Takeover[] {
  return [0, 1, SCENARIOS - 1].flatMap((scenario) => {
    const free = { ...part, scenario, amount: 0, isSubsidy: false };
    const amount = discountLimit(state, free, ledger);
    const dear = amount > 0 ? [{ ...free, amount }] : [];
    return [free, ...dear, { ...free, amount: 1000 * part.lots, isSubsidy: true }];
  });
}

function backstopBy(account: number, takeover: Takeover, time: number): LedgerOperation[] {
  const { isSubsidy, scenario, ...terms } = takeover;
  if (isSubsidy) return [];
  return [paymentBy(account, { kind: "backstop", ...terms, deadline: time }, scenario)];
}

/** Lifts locks, collects fees, and pays deficits where that is possible. */
export function possibleRelief({ state, ledger }: Place): LedgerOperation[] {
  const locked = state.accountIds().filter((id) => state.session(id).lockedSince !== 0);
  const relief = locked.flatMap((id): LedgerOperation[] => [
    { kind: "release", account: id },
    { kind: "absorb", from: id, amount: absorbable(state, id, ledger) },
  ]);
  const collection = state.fees() > 0 ? [{ kind: "collectFees" } as const] : [];
  return [...relief, ...collection].filter((operation) => {
    return checkOperation(state, operation, ledger) === undefined;
  });
}

/** What brings the equity of an account to 0, up to what the fund has. */
function absorbable(state: MemoryState, id: number, { risk }: LedgerContext): number {
  const { cash, positions } = state.account(id);
  const value = positions.reduce((sum, lots, slot) => sum + lots * risk.marks[slot]!, 0);
  const deficit = -(cash + SHAPE.unit * value);
  return Math.max(0, Math.min(deficit, state.account(INSURANCE_ACCOUNT).cash));
}

/** A whole ranking of the side opposite to a locked account's largest position. */
export function rankingFor({ state }: Place): LedgerOperation[] {
  const from = state.accountIds().find((id) => state.session(id).lockedSince !== 0);
  if (from === undefined) return [];
  const { positions } = state.account(from);
  const largest = Math.max(...positions.map(Math.abs));
  const slot = positions.findIndex((lots) => Math.abs(lots) === largest);
  if (largest === 0) return [];
  const isLong = positions[slot]! < 0;
  return state
    .accountIds()
    .filter((id) => state.account(id).positions[slot] !== 0)
    .map((account) => ({ kind: "rank", account, slot, isLong }));
}
