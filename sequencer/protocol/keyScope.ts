/**
 * What a trading key may do, as far as the sequencer lets it: its owner says so by a signature. The
 * protocol knows nothing of scopes; a key's expiry and its revocation are the protocol's.
 */
import type { MessageKind } from "./constants.ts";

/** What a key can be allowed. */
export type KeyRight = "read" | "place" | "cancel" | "pay";

/** `pay`: money or positions leave the account, or come by a takeover. */
export const KEY_SCOPES = {
  full: ["read", "place", "cancel", "pay"],
  noWithdrawals: ["read", "place", "cancel"],
  tradeOnly: ["place", "cancel"],
  cancelOnly: ["cancel"],
  readOnly: ["read"],
  none: [],
} as const satisfies Record<string, readonly KeyRight[]>;
export type KeyScope = keyof typeof KEY_SCOPES;

/** What traders send: a liquidation has no author. */
type SignedKind = Exclude<MessageKind, "liquidate">;

const RIGHTS: Readonly<Record<SignedKind, KeyRight>> = {
  place: "place",
  cancel: "cancel",
  cancelAll: "cancel",
  withdraw: "pay",
  transfer: "pay",
  backstop: "pay",
};

/** What a message needs. */
export function rightOf(kind: SignedKind): KeyRight {
  return RIGHTS[kind];
}

export function allows(scope: KeyScope, right: KeyRight): boolean {
  const rights: readonly KeyRight[] = KEY_SCOPES[scope];
  return rights.includes(right);
}

/** What the owner of an account signs. */
export interface KeyScopeSetting {
  readonly account: number;
  readonly keyIndex: number;
  /** Of the key, as the ledger counts. */
  readonly version: number;
  readonly scope: KeyScope;
  /** Unix ms: the latest one counts. */
  readonly time: number;
}

/** EIP-712, which the owner's wallet shows; twin of nothing on layer one. */
export function keyScopeTypedData(
  { chainId, rollup }: { readonly chainId: number; readonly rollup: `0x${string}` },
  { account, keyIndex, version, scope, time }: KeyScopeSetting,
) {
  return {
    domain: { name: "Straddle key scope", version: "1", chainId, verifyingContract: rollup },
    types: {
      KeyScope: [
        { name: "account", type: "uint32" },
        { name: "keyIndex", type: "uint8" },
        { name: "keyVersion", type: "uint64" },
        { name: "scope", type: "string" },
        { name: "time", type: "uint64" },
      ],
    },
    primaryType: "KeyScope",
    message: { account, keyIndex, keyVersion: BigInt(version), scope, time: BigInt(time) },
  } as const;
}
