/**
 * The door checks a message, and the rules check it again when its turn comes: for everything that
 * replays a log, theirs is the only check. What a pure function has just answered is remembered
 * here for the second time, compared in every argument; nothing else depends on it.
 */
import { type PublicKey, type Signature, verify } from "./eddsa.ts";
import { nextHead } from "./messages.ts";
import { isQuorumSigned, type Snapshot } from "./snapshot.ts";

/** Several times the messages between door and turn in a burst, so that few share a place. */
const PLACE_BITS = 14;

interface Held {
  readonly key: PublicKey;
  readonly message: bigint;
  readonly signature: Signature;
}

interface Link {
  readonly head: bigint;
  readonly word: bigint;
  readonly after: bigint;
}

const held = new Array<Held | undefined>(2 ** PLACE_BITS);
const links = new Array<Link | undefined>(2 ** PLACE_BITS);

/** As `verify`; only what holds is remembered. `message` should be a hash. */
export function verifyOnce(key: PublicKey, message: bigint, signature: Signature): boolean {
  const place = placeOf(message);
  const known = held[place];
  if (known !== undefined && isSame(known, { key, message, signature })) return true;
  if (!verify(key, message, signature)) return false;
  rememberVerified(key, message, signature);
  return true;
}

/** For {@link verifyOnce}: another thread has found that `verify` holds for these. */
export function rememberVerified(key: PublicKey, message: bigint, signature: Signature): void {
  const { x, y } = key;
  const { r8x, r8y, s } = signature;
  // Copies: whoever gave them may change them.
  held[placeOf(message)] = { key: { x, y }, message, signature: { r8x, r8y, s } };
}

/** As `nextHead`. */
export function nextHeadOnce(head: bigint, word: bigint): bigint {
  const place = placeOf(head);
  const known = links[place];
  if (known !== undefined && known.head === head && known.word === word) return known.after;
  const after = nextHead(head, word);
  links[place] = { head, word, after };
  return after;
}

type QuorumClaim = Parameters<typeof isQuorumSigned>[0];

/** The last snapshot that was signed as it should be: many batches run by one. */
let signed: QuorumClaim | undefined;

/** As `isQuorumSigned`; only what holds is remembered. */
export function isQuorumSignedOnce(claim: QuorumClaim): boolean {
  if (signed !== undefined && isSameClaim(signed, claim)) return true;
  if (!isQuorumSigned(claim)) return false;
  const { domain, quorum, snapshot, oracles } = claim;
  // Copies: whoever gave them may change them.
  signed = { domain, quorum, ...structuredClone({ snapshot, oracles }) };
  return true;
}

function isSameClaim(one: QuorumClaim, other: QuorumClaim): boolean {
  return (
    one.domain === other.domain &&
    one.quorum === other.quorum &&
    isSameSnapshot(one.snapshot, other.snapshot) &&
    isEach(one.oracles, other.oracles, (a, b) => a.x === b.x && a.y === b.y)
  );
}

function isSameSnapshot(one: Snapshot, other: Snapshot): boolean {
  return (
    one.time === other.time &&
    isEach(one.signatures, other.signatures, isSameSignature) &&
    isEach(one.slots, other.slots, isSameRisk)
  );
}

function isSameSignature(a: Snapshot["signatures"][number], b: typeof a): boolean {
  return a.signer === b.signer && a.r8x === b.r8x && a.r8y === b.r8y && a.s === b.s;
}

function isSameRisk(a: Snapshot["slots"][number], b: typeof a): boolean {
  return (
    a.mark === b.mark &&
    a.isFinal === b.isFinal &&
    a.terms.isCall === b.terms.isCall &&
    a.terms.strike === b.terms.strike &&
    a.terms.expiry === b.terms.expiry &&
    isEach(a.changes, b.changes, Object.is)
  );
}

function isEach<T>(
  list: readonly T[],
  other: readonly T[],
  isSame: (one: T, another: T) => boolean,
): boolean {
  return list.length === other.length && list.every((one, at) => isSame(one, other[at]!));
}

/** Low bits of a hash are spread evenly. */
function placeOf(hash: bigint): number {
  return Number(BigInt.asUintN(PLACE_BITS, hash));
}

function isSame(one: Held, other: Held): boolean {
  const [a, b] = [one.signature, other.signature];
  return (
    one.message === other.message &&
    one.key.x === other.key.x &&
    one.key.y === other.key.y &&
    a.r8x === b.r8x &&
    a.r8y === b.r8y &&
    a.s === b.s
  );
}
