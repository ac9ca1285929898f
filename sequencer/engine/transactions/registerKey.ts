/** Registers or revokes a trading key. Twin: circuits, transactions/registerKey. */
import {
  FIELD_MODULUS,
  KEY_VERSION_BITS,
  KEYS_PER_ACCOUNT,
  SECONDS_BITS,
} from "../../protocol/constants.ts";
import { firstHead } from "../../protocol/messages.ts";
import { checkOwner, type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord } from "../records.ts";
import type { StateView } from "../stateView.ts";

type KeyPart = Pick<OperationOf<"registerKey">, "account" | "key" | "keyIndex" | "keyExpiry">;

/** Why the key's fields cannot be put into the session. */
export function checkKeyPart(view: StateView, part: KeyPart): string | undefined {
  const { account, key, keyIndex, keyExpiry } = part;
  const isIndex = Number.isInteger(keyIndex) && keyIndex >= 0 && keyIndex < KEYS_PER_ACCOUNT;
  if (!isIndex) return `\`keyIndex\` must be below ${KEYS_PER_ACCOUNT}. Got \`${keyIndex}\`.`;
  if (!(Number.isInteger(keyExpiry) && keyExpiry >= 0 && keyExpiry < 2 ** SECONDS_BITS)) {
    return `\`keyExpiry\` must be below 2^${SECONDS_BITS}. Got \`${keyExpiry}\`.`;
  }
  const isInField = [key.x, key.y].every((value) => value >= 0n && value < FIELD_MODULUS);
  if (!isInField) return "`key` must consist of field elements.";
  const { version } = view.session(account).keys[keyIndex]!;
  if (version + 1 < 2 ** KEY_VERSION_BITS) return undefined;
  return `\`keyIndex\` ${keyIndex} has been registered \`${version}\` times and is used up.`;
}

/** Puts the key in its place with the next version and a fresh chain. */
export function setKey(view: StateView, part: KeyPart, domain: bigint): void {
  const { account, key, keyIndex, keyExpiry } = part;
  const keys = view.editSession(account).keys;
  const version = keys[keyIndex]!.version + 1;
  const head = firstHead({ domain, account, keyIndex, version });
  keys[keyIndex] = { x: key.x, y: key.y, head, expiry: keyExpiry, version };
}

export function checkRegisterKey(
  view: StateView,
  operation: OperationOf<"registerKey">,
): string | undefined {
  const { owner, account } = operation;
  return checkOwner(owner, view.account(account).owner) ?? checkKeyPart(view, operation);
}

export function applyRegisterKey(
  view: StateView,
  operation: OperationOf<"registerKey">,
  { domain }: { domain: bigint },
): OperationRecord {
  const { account, owner, key, keyIndex, keyExpiry } = operation;
  setKey(view, operation, domain);
  const stated = { account, keyIndex, keyExpiry };
  return recordOf(operation, "executed", { stated, words: [owner, key.x, key.y] });
}
