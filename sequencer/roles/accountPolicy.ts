/** Held words, protection of market makers and scopes of keys, put together. */

import type { Withdrawal } from "../accountPolicy.ts";
import type { Author } from "../engine/records.ts";
import type {
  ExchangeEvent,
  ExchangeService,
  Info,
  Refused,
  Submission,
  SubmitResult,
} from "../exchangeService.ts";
import type { Clock, Logger } from "../ports.ts";
import { waitsForDisconnect } from "../protocol/heldWord.ts";
import type { KeyScopeSetting } from "../protocol/keyScope.ts";
import type { Message } from "../protocol/messages.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { AccountRecords, HeldRecord } from "./accountRecords.ts";
import type { Effect } from "./effect.ts";
import { type HeldBook, messageOfHeld } from "./heldBook.ts";
import type { HeldTrail } from "./heldTrail.ts";
import { createHeldWords, type HeldOptions, type HeldWords } from "./heldWords.ts";
import { createKeyScopes } from "./keyScopes.ts";
import { createPresence } from "./presence.ts";
import { createProtection } from "./protection.ts";
import { createRateLimiter, type RateLimit } from "./rateLimiter.ts";

export interface AccountPolicyOptions {
  readonly state: MemoryState;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rate: RateLimit;
  readonly info: Pick<Info, "lotsPerContract" | "tickSize" | "chainId" | "rollup">;
  readonly isLiveOrder: HeldOptions["isLiveOrder"];
  snapshot(): Snapshot | undefined;
  publish(event: ExchangeEvent): void;
  fail(error: unknown): void;
  readonly isSignedScope: IsSignedScope;
}

/** Whether the owner has signed it, for this deployment. */
export type IsSignedScope = (
  setting: KeyScopeSetting,
  signature: `0x${string}`,
  of: { readonly owner: bigint } & Pick<Info, "chainId" | "rollup">,
) => Promise<boolean>;

/** What a node before this one has left. */
export interface Kept {
  readonly records: AccountRecords;
  readonly book: HeldBook;
  readonly trail: HeldTrail;
  readonly isSoleWriter: boolean;
}

/** The door that held words go through. */
export interface PolicyDoor {
  submit(submission: Submission): Promise<SubmitResult>;
  readonly inLane: HeldOptions["inLane"];
}

export interface AccountPolicies {
  /** Why the door does not take the message, or undefined. */
  refusal(author: Author, message: Message): Refused | undefined;
  executed(effect: Effect): void;
  durable(turn: { effects: readonly Effect[]; events: readonly ExchangeEvent[] }): void;
  tick(now: number): void;
  /** Once the door is made, which asks for refusals. */
  readonly service: ExchangeService["policy"];
  open(door: PolicyDoor): void;
}

export function createAccountPolicies(kept: Kept, options: AccountPolicyOptions): AccountPolicies {
  const { state, clock, publish, info, snapshot, fail } = options;
  const { records, book, trail } = kept;
  const door: { current: PolicyDoor | undefined } = { current: undefined };
  const opened = (): PolicyDoor => {
    if (door.current === undefined) throw new Error("the door is not made yet");
    return door.current;
  };
  const listeners = new Set<(account: number) => void>();
  const { chainId, rollup } = info;
  const scopes = createKeyScopes({
    ...{ state, clock, records },
    isSigned: (setting, signature, owner) =>
      options.isSignedScope(setting, signature, { owner, chainId, rollup }),
    onChange: ({ account }) => {
      for (const listener of listeners) listener(account);
    },
  });
  const words = createHeldWords({
    ...{ state, clock, records, book, trail, snapshot, publish, fail },
    ...{ logger: options.logger, isLiveOrder: options.isLiveOrder },
    isSoleWriter: kept.isSoleWriter,
    ...{ takeRate: createRateLimiter(options.rate), scopeRefusal: scopes.refusal },
    submit: (submission) => opened().submit(submission),
    inLane: (author, begin) => opened().inLane(author, begin),
  });
  const hasWord = (account: number) => book.of(account).some(waitsForProtection);
  const protection = createProtection({
    ...{ state, clock, records, info, snapshot, publish, fail, hasWord },
    onTrigger: (account) => words.meet(account, ({ type }) => type === "protection"),
  });
  return {
    refusal: (author, message) =>
      scopes.refusal(author, message) ?? protection.refusal(author.account, message),
    executed: words.executed,
    durable: (turn) => {
      words.durable(turn);
      protection.observe(turn.events);
    },
    tick: words.tick,
    open: (made) => {
      door.current = made;
    },
    service: {
      ...wordsService(words),
      ...createPresence(words),
      protect: (account, limits) => protection.set(account, limits ?? undefined),
      protection: async (account) => protection.of(account) ?? null,
      resetProtection: protection.reset,
      setScope: async (setting, signature) => (await scopes.set(setting, signature)) ?? null,
      scope: (account, keyIndex) => scopes.of({ account, keyIndex }),
      allows: (account, keyIndex, right) => scopes.allows({ account, keyIndex }, right),
      onScope: (listener) => void listeners.add(listener),
    },
  };
}

function wordsService(words: HeldWords) {
  return {
    hold: async (request: Parameters<HeldWords["hold"]>[0]) => {
      const result = await words.hold(request);
      return result.accepted ? { ...result, sent: result.sent ?? null } : result;
    },
    withdraw: (account: number, which: Withdrawal) => words.withdraw(account, isAmong(which)),
    held: async (account: number) => words.list(account),
    heldHistory: async (account: number) => words.history(account),
  };
}

function waitsForProtection({ conditions }: HeldRecord): boolean {
  return conditions.some(({ type }) => type === "protection");
}

function isAmong(which: Withdrawal): (held: HeldRecord) => boolean {
  if ("ids" in which) return ({ id }) => which.ids.includes(id);
  if ("disconnected" in which) {
    return ({ conditions }) => waitsForDisconnect(conditions, which.disconnected);
  }
  if (which.kind === "protection") return waitsForProtection;
  return (held) => messageOfHeld(held).kind === "place";
}
