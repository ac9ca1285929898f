/**
 * What it takes to let a message in: its text read, its word taken apart, the chain of its key
 * extended, its signature checked. Beside circomlibjs, which a Node user would pick for the hash
 * and the signature, in the same run; and with a thread for signatures beside the main one.
 */
import { signedWord } from "../../sequencer/api/rpc/fieldSchemas.ts";
import { readWord } from "../../sequencer/api/rpc/signedWord.ts";
import type { Submission } from "../../sequencer/exchangeService.ts";
import type { SignatureDesk } from "../../sequencer/ports.ts";
import { type PublicKey, publicKeyOf, sign, verify } from "../../sequencer/protocol/eddsa.ts";
import { messageWord, nextHead } from "../../sequencer/protocol/messages.ts";
import { verifyOnce } from "../../sequencer/protocol/remembered.ts";
import { openSignatureWorker } from "../../sequencer/threads/signatureWorker.ts";
import type { BenchLine } from "./benchLine.ts";
import { type Eddsa, openPeer, PEER, verifiesByPeer } from "./hash.ts";
import { type Contestant, cpuClock, itemsPerSecond } from "./risk/throughput.ts";

/** Keys that send in turn: as many as have their tables at once. */
const KEYS = 64;
const MESSAGES = 2048;
/** The peer is slower: it gets fewer. */
const MESSAGES_PEER = 16;
const ROUNDS = 5;
/** Messages that come in one turn of the event loop. */
const PER_TURN = 32;
const DEADLINE = 1_800_000_000_000;
const BOOKS = 200;

/** A text as it comes, with what the node knows of its key. */
interface Incoming {
  readonly text: string;
  readonly key: PublicKey;
  readonly head: bigint;
}

export async function ingestBenchmarks(): Promise<BenchLine[]> {
  const incoming = signedMessages(MESSAGES * (ROUNDS + 1));
  const peer = await openPeer();
  return [rateLine(incoming.slice(0, MESSAGES), peer), ...(await threadLines(incoming))];
}

function rateLine(incoming: readonly Incoming[], peer: Eddsa): BenchLine {
  const [value = 0, peerValue = 0] = itemsPerSecond(
    [
      letting(incoming, MESSAGES, letIn),
      letting(incoming, MESSAGES_PEER, (message) => letInByPeer(peer, message)),
    ],
    cpuClock,
  );
  const note = `${KEYS} keys that have tables; a second of the process's own time`;
  const beside = { peer: PEER, peerValue, ratio: value / peerValue, note };
  return { name: "ingest.messages", value, unit: "1/s", better: "higher", ...beside };
}

function letting(
  incoming: readonly Incoming[],
  items: number,
  take: (message: Incoming) => boolean,
): Contestant {
  const run = () => {
    for (let at = 0; at < items; at++) {
      if (!take(incoming[at % incoming.length]!)) throw new Error("a good message was refused");
    }
    return items;
  };
  return { run, items };
}

function letIn(incoming: Incoming): boolean {
  const { submission, message } = read(incoming);
  return verify(incoming.key, message, submission.signature);
}

/** As the API and the door do it. */
function read({ text, head }: Incoming): { submission: Submission; message: bigint } {
  const { params } = JSON.parse(text) as { params: { signed: unknown } };
  const { submission } = readWord(signedWord.parse(params.signed));
  return { submission, message: nextHead(head, submission.word) };
}

function letInByPeer(peer: Eddsa, { text, key, head }: Incoming): boolean {
  const { params } = JSON.parse(text);
  const { word, signature } = params.signed;
  const [r8x = 0n, r8y = 0n, s = 0n] = [signature.r8x, signature.r8y, signature.s].map(BigInt);
  const message = peer.F.toObject(peer.poseidon([head, BigInt(word)]));
  return verifiesByPeer(peer, { key, message, signature: { r8x, r8y, s } });
}

/** What the main thread spends on a message by itself, and with a thread for signatures. */
async function threadLines(incoming: readonly Incoming[]): Promise<BenchLine[]> {
  const logger = {
    ...{ debug: () => undefined, info: () => undefined },
    ...{ warn: console.error, error: console.error },
  };
  const desk = openSignatureWorker(logger);
  const [alone, helped] = [[] as Cost[], [] as Cost[]];
  // Neither waiting for a verdict nor its thread keeps a process running.
  const running = setInterval(() => undefined, 1_000);
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      // New ones each time: what holds is remembered.
      const messages = incoming.slice(round * MESSAGES, (round + 1) * MESSAGES);
      const costs = [
        await costOf(() => inTurns(messages, letIn)),
        await costOf(() => inTurns(messages, (message) => letInAhead(desk, message))),
      ] as const;
      if (round === 0) continue;
      alone.push(costs[0]);
      helped.push(costs[1]);
    }
  } finally {
    clearInterval(running);
    await desk.stop();
  }
  const line = (figure: keyof Cost, unit: string, better: "lower" | "higher"): BenchLine => {
    const [value, peerValue] = [median(helped, figure), median(alone, figure)];
    const note = `${KEYS} keys, ${PER_TURN} messages a turn`;
    const beside = { peer: "the same in one thread", peerValue, ratio: value / peerValue, note };
    return { name: `ingest.thread.${figure}`, value, unit, better, ...beside };
  };
  return [line("mainMicroseconds", "us", "lower"), line("perSecond", "1/s", "higher")];
}

interface Cost {
  /** CPU of the main thread for a message. */
  readonly mainMicroseconds: number;
  /** Messages a second on the clock. */
  readonly perSecond: number;
}

async function costOf(run: () => Promise<void>): Promise<Cost> {
  const [began, cpu] = [performance.now(), process.threadCpuUsage()];
  await run();
  const { user, system } = process.threadCpuUsage(cpu);
  return {
    mainMicroseconds: (user + system) / MESSAGES,
    perSecond: (1000 * MESSAGES) / (performance.now() - began),
  };
}

async function inTurns(
  incoming: readonly Incoming[],
  take: (message: Incoming) => boolean | Promise<boolean>,
): Promise<void> {
  const answers: (boolean | Promise<boolean>)[] = [];
  for (let at = 0; at < MESSAGES; at += PER_TURN) {
    answers.push(...incoming.slice(at, at + PER_TURN).map(take));
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const answer of answers) {
    if (!(await answer)) throw new Error("a good message was refused");
  }
}

/** Resolves when the signature has been looked at, and found to hold by the thread or here. */
function letInAhead(desk: SignatureDesk, incoming: Incoming): Promise<boolean> {
  const { submission, message } = read(incoming);
  const { key } = incoming;
  const { signature } = submission;
  return new Promise((resolve) => {
    desk.ahead({ key, message, signature }, () => resolve(verifyOnce(key, message, signature)));
  });
}

function median(costs: readonly Cost[], figure: keyof Cost): number {
  const sorted = costs.map((cost) => cost[figure]).sort((a, b) => a - b);
  return sorted[(sorted.length - 1) / 2]!;
}

/** Each key's messages extend its chain. */
function signedMessages(count: number): Incoming[] {
  const secrets = Array.from({ length: KEYS }, (_, at) => BigInt(at) + 2n ** 200n);
  const keys = secrets.map(publicKeyOf);
  const heads = keys.map(({ x }) => x);
  return Array.from({ length: count }, (_, at) => {
    const place = at % KEYS;
    const [secret, key, head] = [secrets[place]!, keys[place]!, heads[place]!];
    const word = messageWord({
      ...{ kind: "place", book: at % BOOKS, isSell: at % 2 === 0, price: 200 + (at % 50) },
      ...{ lots: 1 + (at % 9), timeInForce: "gtc", postOnly: false, reduceOnly: false },
      deadline: DEADLINE + at,
    });
    heads[place] = nextHead(head, word);
    const text = textOf(at, { account: place, word, signature: sign(secret, heads[place]) });
    return { text, key, head };
  });
}

function textOf(id: number, signed: Pick<Submission, "account" | "word" | "signature">): string {
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  const { account, word, signature } = signed;
  const [r8x, r8y, s] = [signature.r8x, signature.r8y, signature.s].map(hex);
  const authority = { account, key_index: 0, word: hex(word), signature: { r8x, r8y, s } };
  const params = { instrument_name: "ETH-20261225-3000-C", amount: 1, signed: authority };
  return JSON.stringify({ jsonrpc: "2.0", id, method: "private/buy", params });
}
