/**
 * Sends a trading key's messages: each extends the chain head that the one before left, so they
 * may be under way together. A refusal at the door leaves the chain where it was; then the head is
 * fetched, and what was signed on a head that never came to be is signed again, in order.
 */
import type { Receipt, Submission, Wire } from "../exchangeService.ts";
import { type Signature, sign } from "../protocol/eddsa.ts";
import type { LogPlace } from "../protocol/evidence.ts";
import { type Message, messageWord, nextHead } from "../protocol/messages.ts";
import { seenHash } from "../protocol/seenHead.ts";
import type { SentMessage } from "./receipt.ts";
import { ConnectionError, ExchangeError } from "./rpc.ts";

/**
 * The connection failed while the message was under way. `isSequenced` tells what the chain head
 * showed afterwards; false leaves a doubt until the message's deadline has passed. It is not sent
 * again: that could do it twice.
 */
export class UncertainError extends Error {
  override name = "UncertainError";
  readonly isSequenced: boolean;
  readonly sent: SentMessage;
  constructor(sent: SentMessage, isSequenced: boolean) {
    const state = isSequenced ? "was sequenced, but its receipt is lost" : "may be sequenced yet";
    super(`the connection was lost: the ${sent.message.kind} ${state}. See orders and account.`);
    this.isSequenced = isSequenced;
    this.sent = sent;
  }
}

export interface KeyChainOptions {
  readonly secret: bigint;
  readonly account: number;
  readonly keyIndex: number;
  readonly submit: (submission: Submission) => Promise<Wire<Receipt>>;
  /** The chain head as the node has it. */
  readonly fetchHead: () => Promise<bigint>;
  /** Throws for a receipt that is not valid. */
  readonly checkReceipt: (receipt: Wire<Receipt>, sent: SentMessage) => Promise<void>;
  /** What of the log the trader has seen, to be said with its messages; absent: nothing. */
  readonly lastSeen?: (() => LogPlace | undefined) | undefined;
  /** Messages under way at once. */
  readonly inFlightMax?: number;
}

interface Item {
  readonly message: Message;
  readonly resolve: (receipt: Wire<Receipt>) => void;
  readonly reject: (error: unknown) => void;
  readonly order: number;
  tries: number;
  /** The node no longer knows what this one would say it has seen. */
  isBlind: boolean;
}

/** An item that has no receipt, and how it was last signed. */
interface Tried {
  readonly item: Item;
  readonly sent: SentMessage;
  /** It may be sequenced; else it was refused as signed on a head that is not the node's. */
  readonly isLost: boolean;
}

/** Another program that signs with the same key makes every try fail: use another key index. */
const TRIES_MAX = 4;

export interface KeyChain {
  send(message: Message): Promise<Wire<Receipt>>;
}

export function createKeyChain(options: KeyChainOptions): KeyChain {
  const { inFlightMax = 32 } = options;
  const queue: Item[] = [];
  let tried: Tried[] = [];
  let head: bigint | undefined;
  let inFlight = 0;
  let isSyncing = false;
  let order = 0;

  const pump = () => {
    if (head === undefined) {
      if (inFlight === 0 && !isSyncing && queue.length + tried.length > 0) {
        void synchronise();
      }
      return;
    }
    while (queue.length > 0 && inFlight < inFlightMax && head !== undefined) {
      const item = queue.shift() as Item;
      try {
        const sent = signMessage(options, head, item);
        head = sent.head;
        inFlight++;
        void deliver(item, sent).finally(() => {
          inFlight--;
          pump();
        });
      } catch (error) {
        // A value that does not fit the word: nothing was sent.
        item.reject(error);
      }
    }
  };
  const deliver = async (item: Item, sent: SentMessage) => {
    try {
      const receipt = await options.submit(sent);
      await options.checkReceipt(receipt, sent);
      item.resolve(receipt);
    } catch (error) {
      if (!isRefusedOrLost(error)) return item.reject(error);
      head = undefined;
      if (isLost(error)) tried.push({ item, sent, isLost: true });
      else if (isStale(error) && ++item.tries < TRIES_MAX) {
        item.isBlind ||= reasonOf(error) === "staleView";
        tried.push({ item, sent, isLost: false });
      } else item.reject(error);
    }
  };
  const synchronise = async () => {
    isSyncing = true;
    try {
      head = await options.fetchHead();
      queue.unshift(...settle(tried, head));
    } catch (error) {
      for (const { sent, item, isLost } of tried) {
        item.reject(isLost ? new UncertainError(sent, false) : error);
      }
      for (const item of queue.splice(0)) item.reject(error);
    } finally {
      tried = [];
      isSyncing = false;
      pump();
    }
  };
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        queue.push({ message, resolve, reject, order: order++, tries: 0, isBlind: false });
        pump();
      }),
  };
}

/** Anything else is a bad receipt: the message was sequenced and the chain has moved. */
function isRefusedOrLost(error: unknown): boolean {
  return error instanceof ExchangeError || error instanceof ConnectionError;
}

/** Whether it was done is not known. */
function isLost(error: unknown): boolean {
  return error instanceof ConnectionError || reasonOf(error) === "outcomeUnknown";
}

/** The node checks a signature against its own head, so a stale head looks like a bad signature. */
function isStale(error: unknown): boolean {
  return ["wrongHead", "badSignature", "staleView"].includes(reasonOf(error) ?? "");
}

function reasonOf(error: unknown): string | undefined {
  return error instanceof ExchangeError ? error.reason : undefined;
}

/**
 * Messages up to the one that left the present head were sequenced, later ones were not seen. Those
 * refused are to be signed again, but not when a copy that somebody on the way has made was refused
 * after the message itself had been taken.
 */
function settle(tried: readonly Tried[], head: bigint): Item[] {
  const ordered = [...tried].sort((a, b) => a.item.order - b.item.order);
  const last = ordered.findIndex(({ sent }) => sent.head === head);
  return ordered.flatMap(({ item, sent, isLost }, index) => {
    if (index > last && !isLost) return [item];
    item.reject(new UncertainError(sent, index <= last));
    return [];
  });
}

function signMessage(options: KeyChainOptions, before: bigint, item: Item): SentMessage {
  const { secret, account, keyIndex, lastSeen } = options;
  const { message } = item;
  const word = messageWord(message);
  const head = nextHead(before, word);
  const signature: Signature = sign(secret, head);
  const signed = { account, keyIndex, word, signature, message, head };
  const place = item.isBlind ? undefined : lastSeen?.();
  if (place === undefined) return signed;
  const { position, hash } = place;
  const seen = { position, hash, signature: sign(secret, seenHash(head, place)) };
  return { ...signed, seen };
}
