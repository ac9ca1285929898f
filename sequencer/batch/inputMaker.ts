/**
 * From drafts of batches to the inputs of their circuits. Who seals need not do it: the maker has
 * the state at the last seal and trees over it, and goes on from draft to draft by itself.
 */
import type { PublicKey } from "../protocol/eddsa.ts";
import { type Shape, stateRoot } from "../protocol/state.ts";
import type { ExportedState } from "../state/exportedState.ts";
import type { Leaves } from "../state/leaves.ts";
import { createMemoryState } from "../state/memoryState.ts";
import { createStateTrees, type StateTrees } from "../state/stateTrees.ts";
import { type BaseState, createBaseState, readingAfter } from "./baseState.ts";
import type { InputDraft } from "./inputDraft.ts";
import { operationInputs } from "./ledgerWitness.ts";
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
  /** The state at the last seal. */
  readonly base: BaseState;
  /** Of the batch after the last one. The maker is at its end then, and so are its trees. */
  make(draft: InputDraft): CircuitInputs;
}

/** Where a maker of its own begins: at a seal, or before the first. Can be sent to a thread. */
export interface InputOrigin extends Deployed {
  readonly shape: Shape;
  readonly state: ExportedState;
}

/** Another root than the one that was sealed: the inputs would prove nothing. */
export class InputMismatchError extends Error {
  override name = "InputMismatchError";
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
      const leaves = draft.leaves ?? trees.leaves(state, touched);
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

/**
 * A maker with a state and trees of its own. It is given the root that each draft leads to, and
 * throws {@link InputMismatchError} where it finds another.
 */
export function openInputMaker(
  origin: InputOrigin,
): (draft: InputDraft, root: bigint) => CircuitInputs {
  const state = createMemoryState(origin.shape);
  state.importState(origin.state);
  const trees = createStateTrees(origin.shape);
  trees.sync(state, state.touched());
  const base = createBaseState(state, trees.roots(state));
  const { sizes, domain, oracles } = origin;
  const maker = createInputMaker({ sizes, domain, oracles, trees }, base);
  return (draft, root) => {
    const inputs = maker.make(draft);
    const own = stateRoot(base.roots());
    if (own === root) return inputs;
    const { number } = draft.opening;
    throw new InputMismatchError(`batch \`${number}\` leads to \`${root}\`. Got \`${own}\``);
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
