/** What all processes of the benchmark know alike: keys, ids, the set, and the records. */
import { type LogEntry, logOrigin } from "../../../sequencer/batch/log.ts";
import { genesisBlock } from "../../../sequencer/consensus/block.ts";
import { createValidatorSet } from "../../../sequencer/consensus/validatorSet.ts";
import { peerIdOf } from "../../../sequencer/gossip/peerNode.ts";
import { loadVoteKeys } from "../../../sequencer/node/voteKeys.ts";
import type { Logger } from "../../../sequencer/ports.ts";

export const MEMBERS = 4;
export const DOMAIN = 11n;
export const GENESIS_ROOT = 1n;

/** What a member process is started with. */
export interface MemberStart {
  readonly index: number;
  readonly directory: string;
  readonly sequencer: string;
  /** Multiaddrs of all members, without their ids. */
  readonly listens: readonly string[];
}

/** How far a member's process has come. */
export interface MemberProgress {
  readonly term: number;
  /** Of its own log. */
  readonly head: { readonly position: number; readonly hash: string };
  /** Records that it knows to be final. */
  readonly certified: number;
}

export const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, context) => console.error(message, context),
};

export async function benchSitting() {
  const keys = loadVoteKeys();
  const numbers = Array.from({ length: MEMBERS }, (_, index) => index);
  const seeds = numbers.map((index) => `${index}c`.repeat(32));
  const signers = numbers.map((index) => keys.signer(Buffer.from(`${index}d`.repeat(32), "hex")));
  const members = signers.map(({ address }) => address);
  const validators = createValidatorSet({ domain: DOMAIN, epoch: 1, members });
  const start = { to: 0, logHash: logOrigin(DOMAIN), root: GENESIS_ROOT };
  const genesis = genesisBlock(validators.session, start);
  const peers = await Promise.all(seeds.map(peerIdOf));
  return { keys, seeds, signers, validators, genesis, peers };
}

/** A record of about 250 bytes, as a trade message makes one. */
export function benchEntry(place: number): LogEntry {
  const signature = { rx: 2n ** 250n + BigInt(place), ry: 2n ** 251n, s: 2n ** 249n };
  const author = { account: place % 1000, keyIndex: 0 };
  const entry = { type: "message" as const, author, word: 2n ** 200n + BigInt(place), signature };
  return entry as unknown as LogEntry;
}
