/** Who votes: the members, what they are bound to, and how many of them decide. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { quorumOf } from "../protocol/certification.ts";

/** Fewer than four tolerate nobody's fault; layer one's registry takes sixteen at most. */
export const VALIDATORS_MIN = 4;
export const VALIDATORS_MAX = 16;

const ADDRESS = /^0x[0-9a-f]{40}$/;

export interface ValidatorSet {
  /** Addresses of the signing keys in the registry's order, lower case. */
  readonly members: readonly string[];
  /** Binds every block and vote to one deployment and one sitting of these members (64 digits). */
  readonly session: string;
  /** Votes that decide: `ceil(2n / 3)`, which is what the registry asks of attestations. */
  readonly quorum: number;
  /** `floor((n - 1) / 3)`: any two quorums share more members than that. */
  readonly faultsMax: number;
}

export interface SittingOptions {
  /** Of the deployment, as in `logOrigin`. */
  readonly domain: bigint;
  /** Counts sittings, so that a set that comes back does not revive its old votes. */
  readonly epoch: number;
  readonly members: readonly string[];
}

/** Throws RangeError on a set that cannot vote. */
export function createValidatorSet({ domain, epoch, members }: SittingOptions): ValidatorSet {
  const count = members.length;
  if (count < VALIDATORS_MIN || count > VALIDATORS_MAX) {
    const allowed = `from ${VALIDATORS_MIN} to ${VALIDATORS_MAX}`;
    throw new RangeError(`\`${count}\` validators; ${allowed} can certify`);
  }
  for (const [index, member] of members.entries()) {
    if (!ADDRESS.test(member)) {
      throw new RangeError(`member \`${member}\` must be 0x and 40 lower-case hex digits`);
    }
    if (members.indexOf(member) !== index) {
      throw new RangeError(`member \`${member}\` stands twice; each has one vote`);
    }
  }
  const text = `straddle simplex ${domain} ${epoch} ${members.join(" ")}`;
  return {
    members,
    session: bytesToHex(sha256(utf8ToBytes(text))),
    quorum: quorumOf(count),
    faultsMax: Math.floor((count - 1) / 3),
  };
}

/** Terms count from 1; their leaders take turns. */
export function leaderOf({ members }: ValidatorSet, term: number): number {
  return (term - 1) % members.length;
}
