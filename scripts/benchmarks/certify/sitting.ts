/** What all processes of the benchmark know alike: keys, ids and the set. */
import { logOrigin } from "../../../sequencer/batch/log.ts";
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
