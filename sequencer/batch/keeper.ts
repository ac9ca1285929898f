/**
 * Who follows the state from the end of one batch to that of the next: by trees of its own, or by
 * somebody else who is told what has changed.
 */
import type { PublicKey } from "../protocol/eddsa.ts";
import { oracleSetHash } from "../protocol/snapshot.ts";
import { stateRoot } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { StateTrees } from "../state/stateTrees.ts";
import { changeOf, createBaseState } from "./baseState.ts";
import type { BatchRun } from "./batchRun.ts";
import type { InputDraft } from "./inputDraft.ts";
import { createInputMaker } from "./inputMaker.ts";
import type { OpenEntry } from "./log.ts";
import { type BatchHashes, type EndedBatch, hashBatch, ownWords, sealBatch } from "./seal.ts";
import type { CircuitInputs, SealedBatch } from "./sealedBatch.ts";
import type { BatchSizes } from "./sizes.ts";

/** Follows a state that it has been given, by drafts of batches in their order. */
export interface DraftTaker {
  /** The batch has ended. The draft is taken over before the call returns. */
  take(draft: InputDraft): void;
  /** Of the draft that was taken last. Waits for them, if it must. */
  hashes(): BatchHashes;
  /** Of the state after that draft, or at the beginning. Waits for it, if it must. */
  root(): bigint;
}

/** How the state is followed. `hasInputs`: whether the inputs of batches' circuits are made too. */
export type Keeping =
  | { readonly trees: StateTrees; readonly hasInputs: boolean }
  | { readonly drafts: DraftTaker };

export interface Keeper {
  /** The batch has just ended. */
  end(entry: OpenEntry, run: BatchRun): void;
  /** The batch that ended last. May wait for somebody else. */
  sealed(): SealedBatch;
  /** Of the state when a batch ended last, or at the beginning. May wait for somebody else. */
  root(): bigint;
}

interface KeeperOptions {
  readonly state: MemoryState;
  readonly sizes: BatchSizes;
  readonly domain: bigint;
  readonly oracles: readonly PublicKey[];
}

/** Begins with `state` as it is; all that it says to be touched is looked at. */
export function createKeeper(options: KeeperOptions, keeping: Keeping): Keeper {
  const { state, domain, oracles } = options;
  const deployed = { domain, oracleSet: oracleSetHash(oracles) };
  const follower = "drafts" in keeping ? keeping.drafts : ownFollower(options, keeping);
  let ended: EndedBatch | undefined;
  return {
    end: (entry, run) => {
      const words = ownWords(state, run);
      const change = changeOf(state, state.touched());
      const inputs = follower.take({ opening: entry, words, ...run.draft(), change }) ?? {};
      ended = { entry, words, inputs };
    },
    sealed: () => {
      if (ended === undefined) throw new TypeError("no batch has ended yet");
      return sealBatch(ended, follower.hashes(), deployed);
    },
    root: follower.root,
  };
}

/** By trees of this very executor; `take` gives the inputs where they are made here. */
function ownFollower(
  options: KeeperOptions,
  { trees, hasInputs }: Extract<Keeping, { readonly trees: StateTrees }>,
): Omit<DraftTaker, "take"> & { take(draft: InputDraft): CircuitInputs | undefined } {
  const { state, domain, oracles } = options;
  const deployed = { domain, oracleSet: oracleSetHash(oracles) };
  trees.sync(state, state.touched());
  let roots = trees.roots(state);
  const maker = hasInputs
    ? createInputMaker({ ...options, trees }, createBaseState(state, roots))
    : undefined;
  let last: { readonly draft: InputDraft; readonly rootBefore: bigint } | undefined;
  return {
    take: (draft) => {
      last = { draft, rootBefore: stateRoot(roots) };
      // The maker moves the trees itself.
      const inputs = maker?.make(draft);
      if (maker === undefined) trees.sync(state, state.touched());
      roots = trees.roots(state);
      return inputs;
    },
    hashes: () => {
      const { draft, rootBefore } = last!;
      const { opening: entry, words } = draft;
      return hashBatch({ entry, words }, { ...deployed, roots, rootBefore });
    },
    root: () => stateRoot(roots),
  };
}
