/** What an account has waiting in layer one's queue, and whether an order is among it already. */
import { encodeAbiParameters, keccak256, type PublicClient } from "viem";
import { pack } from "../protocol/codec.ts";
import { INSURANCE_ACCOUNT, LEDGER_KINDS, type LedgerKind } from "../protocol/constants.ts";
import { LEDGER_OP } from "../protocol/layout.ts";
import { ROLLUP_ABI } from "./rollupAbi.ts";

type Hex = `0x${string}`;

/** An operation that no batch has served. */
export interface WaitingOperation {
  readonly queueId: number;
  readonly kind: LedgerKind;
  /** 1e-6 USDC; 0 where the kind has none. */
  readonly amount: number;
  /** Unix seconds. */
  readonly queuedAt: number;
  /** Whether a deposit was paid back after a freeze. */
  readonly isRefunded: boolean;
  readonly digest: Hex;
}

/** Oldest first. The contract counts an account's operations, so the search ends with the last. */
export async function waitingOf(
  client: PublicClient,
  rollup: Hex,
  account: number,
): Promise<readonly WaitingOperation[]> {
  const contract = { address: rollup, abi: ROLLUP_ABI } as const;
  const [start, end, open] = await Promise.all([
    client.readContract({ ...contract, functionName: "queueStart" }),
    client.readContract({ ...contract, functionName: "queueEnd" }),
    client.readContract({ ...contract, functionName: "openOperations", args: [BigInt(account)] }),
  ]);
  const found: WaitingOperation[] = [];
  for (let id = end - 1n; id >= start && BigInt(found.length) < open; id--) {
    const call = { ...contract, functionName: "queuedOperation", args: [id] } as const;
    const { kind, amount, queuedAt, refunded, digest, ...of } = await client.readContract(call);
    if (of.account !== account) continue;
    const rest = { amount: Number(amount), queuedAt, isRefunded: refunded, digest };
    found.push({ queueId: Number(id), kind: kindOf(kind), ...rest });
  }
  return found.reverse();
}

function kindOf(code: number): LedgerKind {
  const [name] = Object.entries(LEDGER_KINDS).find(([, value]) => value === code) ?? [];
  if (name === undefined) throw new RangeError(`the queue holds the unknown kind \`${code}\`.`);
  return name as LedgerKind;
}

/** What an owner orders without money or key. */
export type ForcedOrder =
  | { readonly kind: "forcedWithdraw"; readonly amount: number }
  | { readonly kind: "forcedCancelAll" }
  | { readonly kind: "forcedClose"; readonly slot: number; readonly lots: number };

const NOTHING = {
  ...{ to: 0, slot: 0, book: 0, keyIndex: 0, amount: 0, keyExpiry: 0, lots: 0 },
  ...{ isSubsidy: 0, isLong: 0 },
};

/** As the contract keeps it: of the four public words of the operation, stated as executed. */
export function orderDigest(
  order: ForcedOrder,
  by: { readonly account: number; readonly owner: Hex },
): Hex {
  const common = { ...NOTHING, kind: LEDGER_KINDS[order.kind], executed: 1, account: by.account };
  const first = pack(LEDGER_OP, { ...common, ...wordFields(order, by.account) });
  const types = Array.from({ length: 4 }, () => ({ type: "uint256" }) as const);
  return keccak256(encodeAbiParameters(types, [first, BigInt(by.owner), 0n, 0n]));
}

function wordFields(order: ForcedOrder, account: number) {
  switch (order.kind) {
    case "forcedWithdraw":
      return { amount: order.amount };
    case "forcedCancelAll":
      return {};
    case "forcedClose":
      return { account: INSURANCE_ACCOUNT, to: account, slot: order.slot, lots: order.lots };
  }
}
