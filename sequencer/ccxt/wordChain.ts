/**
 * Signs a trading key's messages for ccxt's class, one at a time. Each extends the chain head that
 * the one before has left, so the next is signed when the outcome of the one before is known.
 */
import { type Signature, sign } from "../protocol/eddsa.ts";
import { type Message, messageWord, nextHead } from "../protocol/messages.ts";

/** What the API takes as `signed`. */
export interface SignedWord {
  readonly account: number;
  readonly key_index: number;
  readonly word: string;
  readonly signature: { readonly r8x: string; readonly r8y: string; readonly s: string };
}

/** What became of a request that has failed, as far as the chain is concerned. */
export type Fate =
  /** The message stands in the log all the same: the chain has moved. */
  | { readonly kind: "sequenced" }
  /** It was signed on another head than the node's, which is `head`. */
  | { readonly kind: "stale"; readonly head: bigint }
  /** Nobody knows. The same word may be sent again: it is its own idempotency key. */
  | { readonly kind: "unknown" }
  /** Refused; the chain is where it was. */
  | { readonly kind: "refused" };

export interface WordChainOptions {
  readonly account: number;
  readonly keyIndex: number;
  readonly secret: bigint;
  /** The chain head as the node has it. */
  fetchHead(): Promise<bigint>;
  fateOf(error: unknown): Fate;
  /** Before a word whose fate is unknown is sent again (ms). */
  readonly retryMs?: number;
}

/** Another program that signs with the same key makes every try fail: use another key index. */
const TRIES_MAX = 4;
const RETRY_MS = 500;

export interface WordChain {
  /**
   * Signs the messages in their order and sends them, after all that was given before. Rejects
   * with what `send` has failed with.
   */
  run<T>(
    messages: readonly Message[],
    send: (words: readonly SignedWord[]) => Promise<T>,
  ): Promise<T>;
}

export function createWordChain(options: WordChainOptions): WordChain {
  const { fetchHead, fateOf, retryMs = RETRY_MS } = options;
  let head: bigint | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function attempt<T>(
    messages: readonly Message[],
    send: (words: readonly SignedWord[]) => Promise<T>,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      head ??= await fetchHead();
      const { words, after } = signAll(options, head, messages);
      try {
        const answer = await sendSurely(() => send(words));
        head = after;
        return answer;
      } catch (error) {
        const fate = fateOf(error);
        // Of several words some may stand: then only the node knows where the chain is.
        if (fate.kind === "sequenced") head = messages.length === 1 ? after : undefined;
        else if (fate.kind === "unknown") head = undefined;
        else if (fate.kind === "stale") head = fate.head;
        else if (messages.length > 1) head = undefined;
        if (fate.kind !== "stale" || messages.length > 1 || tries >= TRIES_MAX) throw error;
      }
    }
  }

  /** The same words again while nobody knows of them. */
  async function sendSurely<T>(send: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await send();
      } catch (error) {
        if (fateOf(error).kind !== "unknown" || tries >= TRIES_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  return {
    run(messages, send) {
      const done = last.then(() => attempt(messages, send));
      last = done.catch(() => undefined);
      return done;
    },
  };
}

function signAll(
  { account, keyIndex, secret }: WordChainOptions,
  head: bigint,
  messages: readonly Message[],
): { readonly words: readonly SignedWord[]; readonly after: bigint } {
  let after = head;
  const words = messages.map((message) => {
    const word = messageWord(message);
    after = nextHead(after, word);
    const signature = signatureText(sign(secret, after));
    return { account, key_index: keyIndex, word: hex(word), signature };
  });
  return { words, after };
}

export function signatureText({ r8x, r8y, s }: Signature): SignedWord["signature"] {
  return { r8x: hex(r8x), r8y: hex(r8y), s: hex(s) };
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
