/** What the sequencer does for accounts besides what proofs know of. */
import type {
  HeldInfo,
  HeldRequest,
  ProtectionInfo,
  ProtectionLimits,
} from "./protocol/heldWord.ts";
import type { KeyRight, KeyScope, KeyScopeSetting } from "./protocol/keyScope.ts";

/** `Refused` and `Submitted` are those of the exchange's service. */
export interface AccountPolicy<Refused, Submitted> {
  /** Resolves when the words are durable, or refused. */
  hold(request: HeldRequest): Promise<Held<Submitted> | Refused>;
  /** Resolves when the withdrawal is durable: ids of the words that will not act any more. */
  withdraw(account: number, which: Withdrawal): Promise<readonly string[]>;
  /** What is held now, in the order in which it was left. */
  held(account: number): Promise<readonly HeldInfo[]>;
  /** What has ended, newest first; a bounded number. */
  heldHistory(account: number): Promise<readonly HeldInfo[]>;
  /** A session of the account is open on the connection. */
  joined(connection: string, account: number): void;
  /** It is not any more. `isOwnWish`: its owner has ended it, so nothing is to be cancelled. */
  left(connection: string, isOwnWish: boolean): void;
  /** Null takes the protection away. */
  protect(account: number, limits: ProtectionLimits | null): Promise<void>;
  protection(account: number): Promise<ProtectionInfo | null>;
  resetProtection(account: number): Promise<void>;
  /** Null: done, and durable. */
  setScope(setting: KeyScopeSetting, signature: `0x${string}`): Promise<Refused | null>;
  scope(account: number, keyIndex: number): KeyScope;
  allows(account: number, keyIndex: number, right: KeyRight): boolean;
  /** Told when a key's scope has changed. */
  onScope(listener: (account: number) => void): void;
}

export interface Held<Submitted> {
  readonly accepted: true;
  readonly held: readonly HeldInfo[];
  /** What came of a word without condition, which has gone out at once. */
  readonly sent: Promise<Submitted> | null;
}

export type Withdrawal =
  | { readonly ids: readonly string[] }
  /** Orders, not cancels. */
  | { readonly kind: "orders" }
  /** What waits for this, or for protection. */
  | { readonly disconnected: string | null }
  | { readonly kind: "protection" };
