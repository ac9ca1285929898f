/**
 * From drafts of batches to roots and to the inputs of their circuits. Who runs batches need not do
 * it: the maker has the state at the end of the last one and trees over it, and goes on from draft
 * to draft by itself.
 */
import type { PublicKey } from "../protocol/eddsa.ts";
import type { LedgerProof } from "../protocol/ledgerProof.ts";
import { oracleSetHash } from "../protocol/snapshot.ts";
import { type Shape, stateRoot } from "../protocol/state.ts";
import type { ExportedState } from "../state/exportedState.ts";
import { createMemoryState } from "../state/memoryState.ts";
import type { Leaves } from "../state/stateTrees.ts";
import { createStateTrees, type StateTrees } from "../state/stateTrees.ts";
import { type BaseState, createBaseState, readingAfter } from "./baseState.ts";
import type { InputDraft } from "./inputDraft.ts";
import { ledgerProofOf } from "./ledgerProofs.ts";
import { operationInputs } from "./ledgerWitness.ts";
import { type BatchHashes, hashBatch } from "./seal.ts";
import type { CircuitInputs } from "./sealedBatch.ts";
import type { BatchSizes } from "./sizes.ts";
import { bookInputs, stepInputs } from "./tradeWitness.ts";
import { accountInputs, headerInputs, signerInputs, stateInputs } from "./witness.ts";

interface Deployed {
  readonly sizes: BatchSizes;
  readonly domain: bigint;
  readonly oracles: readonly PublicKey[];
}

export interface InputMaker {
  /** The state at the end of the last batch. */
  readonly base: BaseState;
  /** Of the batch after the last one. The maker is at its end then, and so are its trees. */
  make(draft: InputDraft): CircuitInputs;
}

/** Where a follower begins: when a batch has ended, or before the first. May go to a thread. */
export interface InputOrigin extends Deployed {
  readonly shape: Shape;
  readonly state: ExportedState;
  /** Of the last batch; 0 before the first. */
  readonly number: number;
}

/** Follows the state with one and trees of its own. */
export interface StateFollower {
  /** Of the next batch; the inputs of its circuit. */
  take(draft: InputDraft): CircuitInputs;
  /** Of that batch. */
  hashes(): BatchHashes;
  /** Of the state when a batch ended last, or at the beginning. */
  root(): bigint;
  /** What the account had then; null before the first batch. */
  ledgerProof(account: number): LedgerProof | null;
}

/** `trees` are those over `base`. */
export function createInputMaker(
  options: Deployed & { readonly trees: StateTrees },
  base: BaseState,
): InputMaker {
  const { trees } = options;
  return {
    base,
    make(draft) {
      const { change } = draft;
      const state = readingAfter(base, change);
      const { accounts, sessions, books } = change;
      const touched = { accounts: accounts.keys(), sessions: sessions.keys(), books: books.keys() };
      const leaves = trees.leaves(state, touched);
      const inputs = inputsOf(draft, { ...options, base, leaves });
      // What the circuit does not open; the rest is there already.
      for (const tree of ["accounts", "sessions", "books"] as const) {
        trees[tree].setMany(leaves[tree]);
      }
      base.advance(change, trees.roots(state));
      return inputs;
    },
  };
}

export function openInputMaker(origin: InputOrigin): StateFollower {
  const state = createMemoryState(origin.shape);
  state.importState(origin.state);
  const trees = createStateTrees(origin.shape);
  trees.sync(state, state.touched());
  const base = createBaseState(state, trees.roots(state));
  const { sizes, domain, oracles } = origin;
  const maker = createInputMaker({ sizes, domain, oracles, trees }, base);
  const deployed = { domain, oracleSet: oracleSetHash(oracles) };
  let { number } = origin;
  let hashes: BatchHashes | undefined;
  return {
    take: (draft) => {
      const rootBefore = stateRoot(base.roots());
      const inputs = maker.make(draft);
      const { opening: entry, words } = draft;
      hashes = hashBatch({ entry, words }, { ...deployed, roots: base.roots(), rootBefore });
      number = entry.number;
      return inputs;
    },
    hashes: () => {
      if (hashes === undefined) throw new TypeError("no batch was taken yet");
      return hashes;
    },
    root: () => stateRoot(base.roots()),
    ledgerProof: (account) => {
      const { path } = trees.accounts;
      return ledgerProofOf({ ...base, number, path }, account);
    },
  };
}

function inputsOf(
  { opening, set, work }: InputDraft,
  context: Deployed & {
    readonly trees: StateTrees;
    readonly base: BaseState;
    readonly leaves: Leaves;
  },
): CircuitInputs {
  const { sizes, domain, oracles, trees, base, leaves } = context;
  const { number, time, snapshot } = opening;
  const parts = { base, trees, leaves, set };
  const { kind } = work;
  return {
    ...headerInputs({ number, time, domain, snapshot, oracles }, sizes[kind]),
    ...stateInputs(base),
    ...accountInputs(parts, sizes[kind]),
    ...signerInputs(base, set, sizes[kind]),
    ...(kind === "trade"
      ? { ...bookInputs(parts, sizes.trade), ...stepInputs(work.steps, set, sizes.trade) }
      : operationInputs(work.operations, { trees, set, sizes: sizes.ledger })),
  };
}
