/** What is asked of words before they are held: none of them can fail for its form later. */
import type { Author } from "../engine/records.ts";
import type { Refused } from "../exchangeService.ts";
import { KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import { verify } from "../protocol/eddsa.ts";
import {
  CONDITIONS_MAX,
  HELD_LABEL_LENGTH_MAX,
  HELD_PER_REQUEST_MAX,
  type HeldCondition,
  type HeldRequest,
  heldId,
} from "../protocol/heldWord.ts";
import { isTradeMessage, type Message, messageFromWord, nextHead } from "../protocol/messages.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { HeldRecord } from "./accountRecords.ts";
import { refuse } from "./doorChecks.ts";

/** What is of the request alone. */
export function formRefusal(state: MemoryState, request: HeldRequest): Refused | undefined {
  const { account, keyIndex, words } = request;
  if (!(Number.isInteger(account) && account >= 0 && account < 4 ** state.shape.accountLevels)) {
    return refuse("unknownAccount", null, { account });
  }
  if (!(Number.isInteger(keyIndex) && keyIndex >= 0 && keyIndex < KEYS_PER_ACCOUNT)) {
    return refuse("unknownKey", null, { account, keyIndex });
  }
  if (words.length < 1 || words.length > HELD_PER_REQUEST_MAX) {
    return refuse("malformed", `a request holds 1 to ${HELD_PER_REQUEST_MAX} words`);
  }
  for (const [index, { word, follows, conditions, label }] of words.entries()) {
    const message = messageFromWord(word);
    const fault =
      message === undefined
        ? "it is not the word of a message"
        : (messageFault(message) ??
          conditionsFault(conditions, parentOf(words, follows)) ??
          followsFault(follows, index));
    if (fault !== undefined) return refuse("malformed", `word ${index}: ${fault}`, { index });
    if (label.length > HELD_LABEL_LENGTH_MAX) return refuse("malformed", "the label is too long");
  }
  return undefined;
}

function parentOf(words: HeldRequest["words"], follows: number | null): Message | undefined {
  const parent = follows === null ? undefined : words[follows];
  return parent && messageFromWord(parent.word);
}

function messageFault(message: Message): string | undefined {
  return isTradeMessage(message) ? undefined : "only orders and cancels may be held";
}

function followsFault(follows: number | null, index: number): string | undefined {
  if (follows === null) return undefined;
  const isBefore = Number.isInteger(follows) && follows >= 0 && follows < index;
  return isBefore ? undefined : "it can only follow a word before it in the request";
}

function conditionsFault(
  conditions: readonly HeldCondition[],
  parent: Message | undefined,
): string | undefined {
  if (conditions.length > CONDITIONS_MAX) return `at most ${CONDITIONS_MAX} conditions`;
  for (const condition of conditions) {
    const waitsForParent = condition.type === "filled" && condition.orderId === null;
    if (waitsForParent && parent?.kind !== "place") {
      return "it waits for the order of a word that it does not follow";
    }
  }
  return undefined;
}

/** The records, each on the head that it extends. Whether they are signed is still to be asked. */
export function chainedRecords(
  state: MemoryState,
  request: HeldRequest,
  now: number,
): { readonly refused: Refused } | { readonly held: readonly HeldRecord[] } {
  const { account, keyIndex, words } = request;
  const author: Author = { account, keyIndex };
  const key = state.session(account).keys[keyIndex]!;
  if (state.account(account).owner === 0n) return { refused: refuse("unknownAccount") };
  if (key.x === 0n && key.y === 0n) return { refused: refuse("unknownKey") };
  if (key.expiry * 1000 <= now) return { refused: refuse("keyExpired") };
  const held: HeldRecord[] = [];
  for (const [index, { word, signature, follows, conditions, label }] of words.entries()) {
    const message = messageFromWord(word)!;
    if (message.deadline <= now) return { refused: refuse("deadlinePassed", null, { index }) };
    if ("book" in message && state.book(message.book) === undefined) {
      return { refused: refuse("unknownBook", null, { index }) };
    }
    const before = follows === null ? key.head : held[follows]!.after;
    const after = nextHead(before, word);
    const id = heldId(after);
    held.push({
      ...{ id, group: held[0]?.id ?? id, ...author, version: key.version, word, signature },
      ...{ before, after, follows: follows === null ? null : held[follows]!.id },
      ...{ conditions: [...conditions], met: 0, label, leftAt: now },
    });
  }
  return { held };
}

/** A signature fits one head alone, so the chain decides which words exclude one another. */
export function signatureRefusal(
  state: MemoryState,
  held: readonly HeldRecord[],
): Refused | undefined {
  for (const [index, { account, keyIndex, before, after, signature }] of held.entries()) {
    const key = state.session(account).keys[keyIndex]!;
    if (!verify(key, after, signature))
      return refuse("badSignature", null, { index, head: before });
  }
  return undefined;
}
