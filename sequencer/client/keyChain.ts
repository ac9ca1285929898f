/**
 * Sends a trading key's words: each extends the chain head that the one before left, so they may be
 * under way together, several in one request.
 *
 * - A refusal at the door leaves the chain where it was; then the head is fetched, and what was
 *   signed on a head that never came to be is signed again, in order.
 * - A word whose answer is lost is sent again as it was, however often: a chain has room for it at
 *   one place only, and the node answers with the same receipt.
 */
import type { Receipt, Wire } from "../exchangeService.ts";
import { sign } from "../protocol/eddsa.ts";
import type { LogPlace } from "../protocol/evidence.ts";
import { type Message, messageWord, nextHead } from "../protocol/messages.ts";
import { seenHash } from "../protocol/seenHead.ts";
import type { SentMessage } from "./receipt.ts";
import { ClosedError, ConnectionError, ExchangeError } from "./rpcErrors.ts";

/**
 * What became of the word is not known, or not its receipt. `isSequenced` tells what the chain's
 * head showed at the end; false leaves a doubt until the word's deadline has passed.
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

/** What a node answers to one word: what `receipt` is of, or the word's own refusal. */
export type WordAnswer = Answered | ExchangeError;

export interface Answered {
  readonly receipt: Wire<Receipt>;
  /** The node had been sent the word before. */
  readonly is_repeat?: boolean;
}

/** Another way to send one word, which answers more than its receipt. */
export type Sender<T extends Answered> = (sent: SentMessage) => Promise<T>;

export interface KeyChainOptions {
  readonly secret: bigint;
  readonly account: number;
  readonly keyIndex: number;
  /** One request, answered in the same order. Rejects where it is lost or refused as a whole. */
  readonly submit: (words: readonly SentMessage[]) => Promise<readonly WordAnswer[]>;
  /** The chain head as the node has it. */
  readonly fetchHead: () => Promise<bigint>;
  /** Throws for a receipt that is not valid. */
  readonly checkReceipt: (receipt: Wire<Receipt>, sent: SentMessage) => Promise<void>;
  /** What of the log the trader has seen, to be said with its messages; absent: nothing. */
  readonly lastSeen?: (() => LogPlace | undefined) | undefined;
  /** Words under way at once, and in one request. */
  readonly inFlightMax?: number;
  readonly wordsMax?: number;
  /** For so many milliseconds a word without an answer is sent again. */
  readonly resendMs?: number;
  /** Waits before a word is sent again; a clock in milliseconds. */
  readonly pause?: (ms: number) => Promise<void>;
  readonly now?: () => number;
}

interface Item {
  readonly message: Message;
  readonly sender: Sender<Answered> | undefined;
  readonly resolve: (answer: Answered) => void;
  readonly reject: (error: unknown) => void;
  readonly order: number;
  tries: number;
  /** The node no longer knows what this one would say it has seen. */
  isBlind: boolean;
  /** An answer was lost: the node may know the word already. */
  wasLost: boolean;
}

interface Signed {
  readonly item: Item;
  readonly sent: SentMessage;
  /** Among all that were signed one upon another. */
  readonly place: number;
}

/** A word that was refused, perhaps for nothing but a head that is not the node's. */
interface Refused extends Signed {
  readonly error: ExchangeError;
}

const FRESH = { tries: 0, isBlind: false, wasLost: false };
/** Another program that signs with the same key makes every try fail: use another key index. */
const TRIES_MAX = 4;
/** Signed words whose heads are remembered. */
const HEADS_MAX = 10_000;
/** Messages that wait to be signed. */
const QUEUE_MAX = 10_000;
const PAUSE_MS = 100;
const PAUSE_MS_MAX = 2_000;

export interface KeyChain {
  send(message: Message): Promise<Wire<Receipt>>;
  sendBy<T extends Answered>(message: Message, sender: Sender<T>): Promise<T>;
  /** On the head that the node has, for somebody else to send; the chain here does not move. */
  sign(message: Message): Promise<SentMessage>;
}

const DEFAULTS = {
  ...{ inFlightMax: 100, wordsMax: 50, resendMs: 60_000 },
  pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  now: () => performance.now(),
};

export function createKeyChain(given: KeyChainOptions): KeyChain {
  const options = { ...DEFAULTS, ...given };
  const { inFlightMax, wordsMax } = options;
  const queue: Item[] = [];
  let refused: Refused[] = [];
  /** Heads that words signed one upon another lead to, and their places: the newest. */
  const heads = new Map<bigint, number>();
  let head: bigint | undefined;
  let place = 0;
  let inFlight = 0;
  let isSyncing = false;
  let isPumping = false;
  let order = 0;

  /** Messages of one turn go out together. */
  const pumpSoon = (): void => {
    if (isPumping) return;
    isPumping = true;
    queueMicrotask(() => {
      isPumping = false;
      pump();
    });
  };
  const pump = (): void => {
    if (head === undefined) {
      if (inFlight === 0 && !isSyncing && queue.length + refused.length > 0) void synchronise();
      return;
    }
    while (queue.length > 0 && inFlight < inFlightMax) {
      const words = nextWords(queue, Math.min(wordsMax, inFlightMax - inFlight)).flatMap(signNext);
      if (words.length === 0) continue;
      inFlight += words.length;
      void deliver(words, options).then((answers) => {
        inFlight -= words.length;
        for (const answer of answers) take(answer);
        pump();
      });
    }
  };
  const signNext = (item: Item): Signed[] => {
    try {
      const sent = signMessage(options, head!, item);
      head = sent.head;
      place += 1;
      heads.set(head, place);
      const [oldest] = heads.keys();
      if (heads.size > HEADS_MAX && oldest !== undefined) heads.delete(oldest);
      return [{ item, sent, place }];
    } catch (error) {
      // A value that does not fit the word: nothing was sent.
      item.reject(error);
      return [];
    }
  };
  const take = ({ word, answer }: Delivered): void => {
    const { item, sent } = word;
    const { wasLost } = item;
    if (!(answer instanceof Error)) {
      item.resolve(answer);
      return;
    }
    const isSequenced = answer instanceof ExchangeError && answer.receipt !== undefined;
    if (answer instanceof ConnectionError) {
      head = undefined;
      item.reject(answer.isSent || wasLost ? new UncertainError(sent, false) : answer);
    } else if (answer instanceof ExchangeError && !isSequenced) {
      head = undefined;
      // What was lost before may be in the log, whatever a copy of it is refused for.
      if (isStale(answer) || wasLost) refused.push({ ...word, error: answer });
      else item.reject(answer);
    } else {
      // It stands in the log, though without its effect, or with a receipt that proves nothing.
      item.reject(answer);
    }
  };
  const synchronise = async () => {
    isSyncing = true;
    const pending = refused;
    refused = [];
    try {
      head = await fetchHead(options);
      queue.unshift(...settle(pending, heads.get(head)));
      heads.clear();
      heads.set(head, place);
    } catch (error) {
      for (const { sent, item } of pending) {
        item.reject(item.wasLost ? new UncertainError(sent, false) : error);
      }
      for (const item of queue.splice(0)) item.reject(error);
    } finally {
      isSyncing = false;
      pump();
    }
  };
  const enqueue = <T>(message: Message, sender: Item["sender"]): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (queue.length >= QUEUE_MAX) {
        reject(new RangeError(`\`${queue.length}\` messages wait already; at most ${QUEUE_MAX}.`));
        return;
      }
      const settled = { resolve: resolve as Item["resolve"], reject };
      queue.push({ message, sender, ...settled, order: order++, ...FRESH });
      pumpSoon();
    });
  return {
    send: async (message) => (await enqueue<Answered>(message, undefined)).receipt,
    sendBy: (message, sender) => enqueue(message, sender),
    sign: async (message) => {
      return signMessage(options, await fetchHead(options), { message, isBlind: true });
    },
  };
}

/** Those that go in one request: what has a sender of its own goes alone. */
function nextWords(queue: Item[], countMax: number): Item[] {
  const own = queue.findIndex(({ sender }) => sender !== undefined);
  const count = own === 0 ? 1 : Math.min(countMax, own < 0 ? queue.length : own);
  return queue.splice(0, count);
}

interface Delivered {
  readonly word: Signed;
  readonly answer: Answered | Error;
}

type Options = KeyChainOptions & typeof DEFAULTS;

/** Sends words until they have an answer, or for as long as words are sent again. Never rejects. */
async function deliver(words: readonly Signed[], options: Options): Promise<Delivered[]> {
  const wait = patience(options);
  while (true) {
    const answers = await request(words, options);
    // One that is lost makes what stands behind it worthless: all are asked for again.
    const lost = answers.find((answer) => answer instanceof Error && isLost(answer));
    if (lost !== undefined && !(lost instanceof ConnectionError && !lost.isSent)) {
      for (const { item } of words) item.wasLost = true;
    }
    if (lost === undefined || !(await wait(lost))) {
      return Promise.all(
        words.map(async (word, index) => {
          return { word, answer: await checked(answers[index]!, word, options) };
        }),
      );
    }
  }
}

/** Waits until the next try, longer each time; false: there is none. */
function patience({ now, pause, resendMs }: Options): (error: unknown) => Promise<boolean> {
  const end = now() + resendMs;
  let ms = PAUSE_MS;
  return async (error) => {
    if (error instanceof ClosedError || now() >= end) return false;
    await pause(ms);
    ms = Math.min(PAUSE_MS_MAX, 2 * ms);
    return true;
  };
}

/** Asked for again while nobody answers: the sequencer may be moving. */
async function fetchHead(options: Options): Promise<bigint> {
  const wait = patience(options);
  while (true) {
    try {
      return await options.fetchHead();
    } catch (error) {
      if (!(error instanceof Error) || !isLost(error) || !(await wait(error))) throw error;
    }
  }
}

type Answer = Delivered["answer"];

async function request(words: readonly Signed[], options: Options): Promise<readonly Answer[]> {
  const [first] = words;
  try {
    if (first?.item.sender !== undefined) return [await first.item.sender(first.sent)];
    const answers = await options.submit(words.map(({ sent }) => sent));
    if (answers.length === words.length) return answers;
    throw new Error(`\`${answers.length}\` answers to \`${words.length}\` words`);
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    return words.map(() => failure);
  }
}

/** Marks the refusal of a word that another program had sent, bit by bit the same. */
const SAME_OF_ANOTHER = { reason: "another program has sent the same with this key" };

/** A receipt counts once it is checked, also that of a message without its effect. */
async function checked(answer: Answer, word: Signed, options: Options): Promise<Answer> {
  const { item, sent } = word;
  // Somebody else who signs with the key has sent the same: this one is still to be done.
  if (!(answer instanceof Error) && answer.is_repeat === true && !item.wasLost) {
    return new ExchangeError(30001, "wrong_head", SAME_OF_ANOTHER);
  }
  const receipt =
    answer instanceof Error
      ? answer instanceof ExchangeError && (answer.receipt as Wire<Receipt> | undefined)
      : answer.receipt;
  if (!receipt) return answer;
  try {
    await options.checkReceipt(receipt, sent);
    return answer;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Whether it was done is not known, or it was certainly not, for a reason that passes. */
function isLost(error: Error): boolean {
  if (error instanceof ConnectionError) return true;
  if (!(error instanceof ExchangeError)) return false;
  return error.reason === "outcome_unknown" || error.reason === "temporarily_unavailable";
}

/** The node checks a signature against its own head, so a stale head looks like a bad signature. */
function isStale({ reason }: ExchangeError): boolean {
  return reason === "wrong_head" || reason === "bad_signature" || reason === "stale_view";
}

/**
 * `last`: the place of the word that left the node's head. Words up to it were sequenced, though
 * the node does not say so: a copy that somebody on the way has made may be refused after the word
 * itself was taken, and another node remembers nothing. Those behind it were not, and are signed
 * again. Where no word has left the head, others have signed with the key, and a word whose answer
 * was once lost may be among what stands in the log.
 */
function settle(refused: readonly Refused[], last: number | undefined): Item[] {
  const ordered = [...refused].sort((a, b) => a.place - b.place);
  return ordered.flatMap(({ item, sent, place, error }) => {
    const { wasLost } = item;
    if (error.data === SAME_OF_ANOTHER && ++item.tries < TRIES_MAX) return [item];
    if (place <= (last ?? 0)) item.reject(new UncertainError(sent, true));
    else if (wasLost && last === undefined) item.reject(new UncertainError(sent, false));
    else if (!isStale(error) || ++item.tries >= TRIES_MAX) item.reject(error);
    else {
      item.isBlind ||= error.reason === "stale_view";
      return [item];
    }
    return [];
  });
}

function signMessage(
  options: KeyChainOptions,
  before: bigint,
  item: Pick<Item, "message" | "isBlind">,
): SentMessage {
  const { secret, account, keyIndex, lastSeen } = options;
  const { message } = item;
  const word = messageWord(message);
  const head = nextHead(before, word);
  const signature = sign(secret, head);
  const signed = { account, keyIndex, word, signature, message, head };
  const place = item.isBlind ? undefined : lastSeen?.();
  if (place === undefined) return signed;
  const { position, hash } = place;
  const seen = { position, hash, signature: sign(secret, seenHash(head, place)) };
  return { ...signed, seen };
}
