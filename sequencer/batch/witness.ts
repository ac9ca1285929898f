/**
 * Circuit inputs that trade and ledger share: header, snapshot, opened accounts and signers.
 * Twins: circuits/trade.circom, circuits/ledger.circom (the inputs of the same names).
 */

import { pack } from "../protocol/codec.ts";
import { FIELD_MODULUS, KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import type { PublicKey, Signature } from "../protocol/eddsa.ts";
import { KEY_META } from "../protocol/layout.ts";
import { keyHashesOf } from "../protocol/leaves.ts";
import { sharedLevels } from "../protocol/merklePath.ts";
import { type Snapshot, slotRiskWords } from "../protocol/snapshot.ts";
import { type Roots, seriesWords } from "../protocol/state.ts";
import type { Leaves, StateTrees } from "../state/stateTrees.ts";
import type { BaseState } from "./baseState.ts";
import type { CircuitInputs, CircuitValue } from "./sealedBatch.ts";
import type { CommonSizes } from "./sizes.ts";
import { padded, type WorkingSet } from "./workingSet.ts";

/** Circuit form of numbers and arrays of them: decimal strings, negatives modulo the field. */
export function field(value: bigint | number | boolean): string {
  const integer = BigInt(value);
  return (integer < 0n ? integer + FIELD_MODULUS : integer).toString();
}

export function fields(values: readonly (bigint | number)[]): string[] {
  return values.map(field);
}

export interface BatchHeader {
  readonly number: number;
  readonly time: number;
  readonly domain: bigint;
  readonly snapshot: Snapshot;
  readonly oracles: readonly PublicKey[];
}

export function headerInputs(header: BatchHeader, sizes: CommonSizes): CircuitInputs {
  const { snapshot, oracles } = header;
  const signatures = snapshot.signatures.slice(0, sizes.quorum);
  return {
    number: field(header.number),
    time: field(header.time),
    domain: field(header.domain),
    snapshotTime: field(snapshot.time),
    oracleKeys: oracles.map(({ x, y }) => fields([x, y])),
    oracleSigner: fields(signatures.map(({ signer }) => signer)),
    oracleR8: signatures.map(({ r8x, r8y }) => fields([r8x, r8y])),
    oracleS: fields(signatures.map(({ s }) => s)),
    riskWords: fields(snapshot.slots.flatMap(slotRiskWords)),
  };
}

export function stateInputs(base: BaseState): CircuitInputs {
  const roots: Roots = base.roots();
  return {
    seriesWords: fields(seriesWords(base.series())),
    nextSeqBefore: field(roots.nextSeq),
    carryBefore: field(roots.carry),
    feesBefore: field(roots.fees),
    rankingBefore: field(roots.ranking),
    accountsRootBefore: field(roots.accounts),
    sessionsRootBefore: field(roots.sessions),
    booksRootBefore: field(roots.books),
  };
}

/** A batch between the state before it and the leaves of what it has changed. */
export interface Opening {
  readonly base: BaseState;
  /** Still those over `base`, but for what has been opened. */
  readonly trees: StateTrees;
  readonly leaves: Leaves;
  readonly set: WorkingSet;
}

/** Opens each account and session, in ascending order, and moves the trees to the new leaves. */
export function accountInputs(
  { base, trees, leaves, set }: Opening,
  sizes: CommonSizes,
): CircuitInputs {
  const ids = padded(set.accounts, sizes.accounts);
  const shared = sharedLevels(sizes.accounts, sizes.accountLevels);
  const ownLevels = sizes.accountLevels - shared;
  const accountTop = fields(trees.accounts.top(shared));
  const sessionTop = fields(trees.sessions.top(shared));
  const siblingsOf = (tree: "accounts" | "sessions"): CircuitValue =>
    trees[tree].replace(ids, leaves[tree], ownLevels).map((path) => path.map(fields));
  const accounts = ids.map((id) => base.account(id));
  const sessions = ids.map((id) => base.session(id));
  return {
    accountIds: fields(ids),
    owner: fields(accounts.map(({ owner }) => owner)),
    cash: fields(accounts.map(({ cash }) => cash)),
    positions: accounts.map(({ positions }) => fields(positions)),
    accountSiblings: siblingsOf("accounts"),
    accountTop,
    keyHashes: keyHashesOf(sessions).map(fields),
    watermark: fields(sessions.map(({ watermark }) => watermark)),
    lockedSince: fields(sessions.map(({ lockedSince }) => lockedSince)),
    sessionSiblings: siblingsOf("sessions"),
    sessionTop,
  };
}

/** A point on the curve for signers that are not enabled (the generator of the subgroup). */
const IDLE_POINT = [
  5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  16950150798460657717958625567821834550301663161624707787222815936182638968203n,
] as const;

/** The keys that signed, in ascending order: their place is their signer number. */
export function signerOrder(set: WorkingSet): number[] {
  return [...set.signers.keys()].sort((left, right) => left - right);
}

export function signerInputs(base: BaseState, set: WorkingSet, sizes: CommonSizes): CircuitInputs {
  const order = signerOrder(set);
  const slots = Array.from({ length: sizes.signers }, (_, place) => order[place]);
  const rows = slots.map((id) => {
    if (id === undefined) return idleSigner();
    const account = Math.floor(id / KEYS_PER_ACCOUNT);
    const keyIndex = id % KEYS_PER_ACCOUNT;
    const key = base.session(account).keys[keyIndex]!;
    const meta = pack(KEY_META, { expiry: key.expiry, version: key.version });
    const signature = set.signers.get(id)!;
    return { enabled: 1, account, keyIndex, key, head: key.head, meta, signature };
  });
  return {
    signerEnabled: fields(rows.map(({ enabled }) => enabled)),
    signerAccount: fields(rows.map(({ account }) => account)),
    signerKeyIndex: fields(rows.map(({ keyIndex }) => keyIndex)),
    signerKey: rows.map(({ key }) => fields([key.x, key.y])),
    signerHead: fields(rows.map(({ head }) => head)),
    signerMeta: fields(rows.map(({ meta }) => meta)),
    signerR8: rows.map(({ signature }) => fields([signature.r8x, signature.r8y])),
    signerS: fields(rows.map(({ signature }) => signature.s)),
  };
}

function idleSigner() {
  const [x, y] = IDLE_POINT;
  const signature: Signature = { r8x: x, r8y: y, s: 0n };
  return { enabled: 0, account: 0, keyIndex: 0, key: { x, y }, head: 0n, meta: 0n, signature };
}
