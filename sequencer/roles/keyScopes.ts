/** What the owners of accounts let their trading keys do, beside what the protocol lets them. */
import type { Author } from "../engine/records.ts";
import type { Refused } from "../exchangeService.ts";
import type { Clock } from "../ports.ts";
import {
  allows,
  type KeyRight,
  type KeyScope,
  type KeyScopeSetting,
  rightOf,
} from "../protocol/keyScope.ts";
import type { Message } from "../protocol/messages.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { AccountRecords } from "./accountRecords.ts";
import { refuse } from "./doorChecks.ts";

/** How far the signed time may be from the clock (ms): wallets' clocks are people's. */
export const SETTING_AGE_MS_MAX = 600_000;

export interface KeyScopes {
  /** Resolves when it is durable; it counts from the call on. Undefined: done. */
  set(setting: KeyScopeSetting, signature: `0x${string}`): Promise<Refused | undefined>;
  of(author: Author): KeyScope;
  allows(author: Author, right: KeyRight): boolean;
  refusal(author: Author, message: Message): Refused | undefined;
}

export function createKeyScopes(options: {
  state: MemoryState;
  clock: Clock;
  records: AccountRecords;
  /** Whether it is by the address. */
  isSigned(setting: KeyScopeSetting, signature: `0x${string}`, owner: bigint): Promise<boolean>;
  onChange(author: Author): void;
}): KeyScopes {
  const { state, clock, records, isSigned, onChange } = options;
  const found = ({ account, keyIndex }: Author) => {
    const kept = records.find(account)?.scopes ?? [];
    const version = state.session(account).keys[keyIndex]?.version;
    return kept.find((scope) => scope.keyIndex === keyIndex && scope.version === version);
  };
  const of = (author: Author): KeyScope => found(author)?.scope ?? "full";
  const fault = (setting: KeyScopeSetting): Refused | undefined => {
    const { account, keyIndex, version, time } = setting;
    if (account >= 4 ** state.shape.accountLevels || state.account(account).owner === 0n) {
      return refuse("unknownAccount", null, { account });
    }
    const key = state.session(account).keys[keyIndex];
    if (key === undefined || (key.x === 0n && key.y === 0n) || key.version !== version) {
      return refuse("unknownKey", "no such key of this version", { account, keyIndex });
    }
    const now = clock.now();
    if (Math.abs(now - time) > SETTING_AGE_MS_MAX) {
      return refuse("deadlinePassed", "the signed time is too far from the clock", { time, now });
    }
    const before = found(setting);
    if (before === undefined || time > before.time) return undefined;
    return refuse("wrongHead", "a later setting is known", { time, known: before.time });
  };
  return {
    of,
    set: async (setting, signature) => {
      const early = fault(setting);
      if (early !== undefined) return early;
      const { owner } = state.account(setting.account);
      if (!(await isSigned(setting, signature, owner))) {
        return refuse("badSignature", "the setting is not signed by the account's owner");
      }
      // Another one may have come meanwhile.
      const late = fault(setting);
      if (late !== undefined) return late;
      const { account, keyIndex, version, scope, time } = setting;
      const record = records.open(account);
      const others = record.scopes.filter((each) => each.keyIndex !== keyIndex);
      record.scopes = [...others, { keyIndex, version, scope, time }];
      onChange(setting);
      await records.save(account);
      return undefined;
    },
    allows: (author, right) => allows(of(author), right),
    refusal: (author, message) => {
      const scope = of(author);
      if (allows(scope, rightOf(message.kind))) return undefined;
      return refuse("forbidden", null, { scope, kind: message.kind });
    },
  };
}
