/**
 * Layer one: a chain with a mempool that now and then takes back its newest blocks, with the
 * rollup's rules as far as a run can break them. Batches must follow one another and bring a proof
 * and a certificate. Which signatures and proofs are good is said by toys.
 */
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import type { ProofWords, SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import type { Attestation, QueuedOperation } from "../../../sequencer/ports.ts";
import type { Chance } from "../random.ts";
import { toyProofOf } from "./proverNode.ts";
import type { Machine } from "./virtualTime.ts";
import type { Wire } from "./wire.ts";

export type Operation = QueuedOperation["operation"];

export interface Submitted {
  readonly batch: Pick<SealedBatch, "number" | "rootBefore" | "rootAfter" | "words">;
  readonly proof: ProofWords;
  readonly attestations: readonly Attestation[];
}

interface Anchored {
  readonly number: number;
  readonly root: bigint;
}

export interface ChainView {
  readonly head: number;
  readonly confirmed: number;
  readonly anchored: Anchored;
  /** As of the newest confirmed block. */
  readonly queue: readonly QueuedOperation[];
}

export interface LayerOne {
  /** An owner's transaction; mined with the next block that is not taken back. */
  order(operation: Operation): void;
  /** Takes back some blocks, and mines as many and one more with what was in them. */
  reorganize(): void;
  view(): ChainView;
  /** Every batch on the chain now. */
  batches(): readonly Anchored[];
  readonly reorgs: number;
  readonly reverted: number;
}

export const CONFIRMATIONS = 3;
const BLOCK_MS = 400;
const QUORUM = 3;

type Transaction =
  | { readonly type: "operation"; readonly operation: Operation }
  | { readonly type: "batch"; readonly submitted: Submitted };

interface State {
  readonly operations: readonly Operation[];
  readonly batches: readonly Anchored[];
}

interface Block {
  readonly transactions: readonly Transaction[];
  readonly after: State;
}

export interface LayerOneOptions {
  readonly machine: Machine;
  readonly wire: Wire;
  readonly chance: Chance;
  readonly rootOfGenesis: bigint;
  isSigned(attestation: Attestation): boolean;
}

export function createLayerOne(options: LayerOneOptions): LayerOne {
  const { machine, wire, chance, rootOfGenesis: root } = options;
  const genesis: State = { operations: [], batches: [{ number: 0, root }] };
  const blocks: Block[] = [{ transactions: [], after: genesis }];
  let mempool: Transaction[] = [];
  const counts = { reorgs: 0, reverted: 0 };

  const stateAt = (height: number): State => blocks[Math.max(0, height)]!.after;
  const head = (): number => blocks.length - 1;

  function mine(): void {
    let state = stateAt(head());
    const mined: Transaction[] = [];
    for (const transaction of mempool) {
      const next = execute(options, state, transaction);
      if (next === undefined) counts.reverted += 1;
      else mined.push(transaction);
      state = next ?? state;
    }
    mempool = [];
    blocks.push({ transactions: mined, after: state });
  }

  function reorganize(): void {
    const depth = Math.min(1 + chance.pick(CONFIRMATIONS), head());
    const taken = blocks.splice(blocks.length - depth).flatMap(({ transactions }) => transactions);
    // Of those who sent batches some find theirs gone, and send them again.
    const kept = taken.filter(({ type }) => type === "operation" || chance.happens(60));
    if (chance.happens(50)) kept.reverse();
    mempool = [...kept, ...mempool];
    for (let count = 0; count <= depth; count++) mine();
    counts.reorgs += 1;
  }

  const view = (): ChainView => {
    const { batches } = stateAt(head());
    const confirmed = Math.max(0, head() - CONFIRMATIONS);
    const queue = stateAt(confirmed).operations.map((operation, queueId) => ({
      ...{ queueId, operation, pricedFrom: 0 },
    }));
    return { head: head(), confirmed, anchored: batches.at(-1)!, queue };
  };

  machine.boot(() => {
    wire.serve(machine, {
      view,
      submit: (content) => {
        const submitted = content as Submitted;
        const { number } = submitted.batch;
        const isKnown = mempool.some((each) => batchOf(each)?.number === number);
        if (!isKnown) mempool.push({ type: "batch", submitted });
      },
    });
    setInterval(mine, BLOCK_MS);
  });

  return {
    order: (operation) => void mempool.push({ type: "operation", operation }),
    reorganize,
    view,
    batches: () => stateAt(head()).batches.slice(1),
    get reorgs() {
      return counts.reorgs;
    },
    get reverted() {
      return counts.reverted;
    },
  };
}

function batchOf(transaction: Transaction) {
  return transaction.type === "batch" ? transaction.submitted.batch : undefined;
}

/** Undefined: the transaction reverts. */
function execute(
  { isSigned }: LayerOneOptions,
  state: State,
  transaction: Transaction,
): State | undefined {
  if (transaction.type === "operation") {
    return { ...state, operations: [...state.operations, transaction.operation] };
  }
  const { batch, proof, attestations } = transaction.submitted;
  const last = state.batches.at(-1)!;
  const { number, rootBefore, rootAfter, words } = batch;
  if (number !== last.number + 1 || rootBefore !== last.root) return undefined;
  if (!toyProofOf(words).every((word, at) => word === proof[at])) return undefined;
  const hash = wordsHash(words);
  const signers = attestations.filter(
    (each) => each.number === number && each.wordsHash === hash && isSigned(each),
  );
  if (new Set(signers.map(({ validator }) => validator)).size < QUORUM) return undefined;
  return { ...state, batches: [...state.batches, { number, root: rootAfter }] };
}
