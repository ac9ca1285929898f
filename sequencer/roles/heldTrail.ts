/**
 * What the log says of held words: which of them it has, and what became of the orders that others
 * wait for. The same for records that are written now and for those that a start reads again.
 */
import type { StepRecord } from "../engine/records.ts";
import type { ExchangeEvent, OrderUpdate } from "../exchangeService.ts";
import type { HeldCondition, HeldInfo } from "../protocol/heldWord.ts";
import { orderIdText } from "../protocol/orderId.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { HeldRecord } from "./accountRecords.ts";
import type { Effect } from "./effect.ts";
import { type HeldBook, messageOfHeld } from "./heldBook.ts";

/** What has changed: words that have ended, and words one of whose conditions has come true. */
export interface HeldNews {
  readonly ended: readonly HeldInfo[];
  readonly met: readonly HeldRecord[];
  /** Accounts with held words whose chains or keys have moved. */
  readonly moved: readonly number[];
}

export interface HeldTrail {
  /** Right after the entry's execution: the state is that of the entry. */
  executed(state: MemoryState, effect: Effect): void;
  /** Once it is durable, with the events of the same turn. */
  durable(
    turn: { readonly effects: readonly Effect[]; readonly events: readonly ExchangeEvent[] },
    now: number,
  ): HeldNews;
}

export function createHeldTrail(book: HeldBook): HeldTrail {
  /** By log position: words that the log has, until that is durable. */
  const words = new Map<number, HeldRecord>();
  return {
    executed: (state, { entry, position }) => {
      if (entry.type !== "message") return;
      const { account, keyIndex } = entry.author;
      const own = book.of(account);
      if (own.length === 0) return;
      const head = state.session(account).keys[keyIndex]?.head;
      const found = own.find((held) => held.keyIndex === keyIndex && held.after === head);
      if (found !== undefined) words.set(position, found);
    },
    durable: ({ effects, events }, now) => {
      const ended: HeldInfo[] = [];
      const met: HeldRecord[] = [];
      const moved = new Set<number>();
      for (const { position, steps, entry, operation } of effects) {
        const held = words.get(position);
        words.delete(position);
        if (held !== undefined) {
          const orderId = orderOf(held, steps);
          ended.push(...book.end(held, { state: "sent", orderId }, now));
          for (const next of book.of(held.account)) {
            if (next.follows === held.id) nameOrder(next, orderId);
          }
        }
        if (entry.type === "message") moved.add(entry.author.account);
        else if (operation !== undefined && "author" in operation.operation) {
          moved.add(operation.operation.author.account);
        } else if (operation !== undefined && "keyIndex" in operation.operation) {
          moved.add(operation.operation.account);
        }
      }
      for (const event of events) {
        if (event.type === "order") noteOrder(book, event.update, now, { ended, met });
      }
      return { ended, met, moved: [...moved].filter((account) => book.of(account).length > 0) };
    },
  };
}

function orderOf(held: HeldRecord, steps: readonly StepRecord[]): string | null {
  const message = messageOfHeld(held);
  const step = steps.find((each) => "author" in each);
  if (message.kind !== "place" || step === undefined || !("seq" in step)) return null;
  return orderIdText({ ...message, seq: step.seq });
}

/** What waited for the order of the word before it knows its name now. */
function nameOrder(held: HeldRecord, orderId: string | null): void {
  held.conditions = held.conditions.map((condition): HeldCondition => {
    const isUnnamed = condition.type === "filled" && condition.orderId === null;
    return isUnnamed ? { ...condition, orderId } : condition;
  });
}

function noteOrder(
  book: HeldBook,
  { account, orderId, fill, state, reason }: OrderUpdate,
  now: number,
  { ended, met }: { ended: HeldInfo[]; met: HeldRecord[] },
): void {
  for (const held of book.of(account)) {
    const condition = held.conditions[held.met];
    if (condition?.type !== "filled" || condition.orderId !== orderId) continue;
    const isFilled = condition.part === "any" ? fill !== null : reason === "filled";
    if (isFilled) {
      held.met += 1;
      met.push(held);
    } else if (state === "closed") {
      ended.push(...book.end(held, { state: "dropped", reason: "orderEnded" }, now));
    }
  }
}
