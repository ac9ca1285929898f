/** The words that are held now, in the order in which they were left. */
import { type Drop, ENDED_KEPT, type HeldInfo, type HeldState } from "../protocol/heldWord.ts";
import { messageFromWord, type TradeMessage } from "../protocol/messages.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import type { AccountRecords, HeldRecord } from "./accountRecords.ts";

/** How a held word has ended. */
export interface HeldEnd {
  readonly state: Extract<HeldState, "sent" | "refused" | "dropped" | "withdrawn">;
  readonly reason?: Drop | DoorReject;
  readonly orderId?: string | null;
}

export interface HeldBook {
  count(): number;
  get(id: string): HeldRecord | undefined;
  of(account: number): readonly HeldRecord[];
  all(): Iterable<HeldRecord>;
  add(held: HeldRecord): void;
  /** Takes it out, and whatever can no longer come after it; the account must be saved then. */
  end(held: HeldRecord, end: HeldEnd, now: number): readonly HeldInfo[];
  info(held: HeldRecord, state: "held" | "triggered", now: number): HeldInfo;
}

export function createHeldBook(records: AccountRecords): HeldBook {
  const book = new Map<string, HeldRecord>();
  const known = [...records.all()].flatMap(([, { held }]) => held);
  // Stable: of one moment, in the order of their account's record.
  for (const held of known.sort((one, other) => one.leftAt - other.leftAt)) book.set(held.id, held);
  const of = (account: number) => records.find(account)?.held ?? [];
  const end = (held: HeldRecord, how: HeldEnd, now: number): readonly HeldInfo[] => {
    if (!book.delete(held.id)) return [];
    const record = records.open(held.account);
    record.held = record.held.filter(({ id }) => id !== held.id);
    const info = infoOf(held, how, now);
    record.ended = [...record.ended, info].slice(-ENDED_KEPT);
    if (how.state === "sent") return [info];
    const after = record.held.filter(({ follows }) => follows === held.id);
    const dropped: HeldEnd =
      how.state === "withdrawn" ? how : { state: "dropped", reason: "beforeEnded" };
    return [info, ...after.flatMap((next) => end(next, dropped, now))];
  };
  return {
    ...{ of, end },
    count: () => book.size,
    get: (id) => book.get(id),
    all: () => book.values(),
    add: (held) => {
      book.set(held.id, held);
      const record = records.open(held.account);
      record.held = [...record.held, held];
    },
    info: (held, state, now) => infoOf(held, { state }, now),
  };
}

function infoOf(
  held: HeldRecord,
  {
    state,
    reason = null,
    orderId = null,
  }: { state: HeldState; reason?: HeldInfo["reason"]; orderId?: string | null },
  now: number,
): HeldInfo {
  const { id, group, account, keyIndex, conditions, met, follows, label, leftAt } = held;
  return {
    ...{ id, group, account, keyIndex, message: messageOfHeld(held), conditions, met },
    ...{ state, reason, follows, label, leftAt, updatedAt: now, orderId },
  };
}

/** It was found to be one when the word was left. */
export function messageOfHeld({ word }: HeldRecord): TradeMessage {
  return messageFromWord(word) as TradeMessage;
}
