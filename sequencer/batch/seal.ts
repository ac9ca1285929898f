/** From a batch that has run to its roots, public words and circuit inputs. */
import { BATCH_KINDS } from "../protocol/constants.ts";
import { hashVector } from "../protocol/hash.ts";
import { HEADER, type HeaderField } from "../protocol/layout.ts";
import { markWords, oracleSetHash } from "../protocol/snapshot.ts";
import { privateRoot, stateRoot } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { StateTrees } from "../state/stateTrees.ts";
import type { BaseState } from "./baseState.ts";
import type { BatchRun, ExecutorOptions } from "./executor.ts";
import type { OpenEntry } from "./log.ts";
import type { SealedBatch } from "./sealedBatch.ts";
import { headerInputs, stateInputs } from "./witness.ts";

export function sealBatch(parts: {
  entry: OpenEntry;
  run: BatchRun;
  base: BaseState;
  state: MemoryState;
  trees: StateTrees;
  options: ExecutorOptions;
}): SealedBatch {
  const { entry, run, base, state, trees, options } = parts;
  const { domain, oracles } = options;
  const { number, time, snapshot, kind } = entry;
  const rootBefore = stateRoot(base.roots());
  // The marks as the batch began with them: settlement never changes a mark.
  const marks = markWords(state.series().map(({ mark }) => mark));
  const before = stateInputs(base);
  const { inputs, stepWords } = run.seal(base);
  const touched = state.touched();
  trees.sync(state, touched);
  const roots = trees.roots(state);
  const rootAfter = stateRoot(roots);
  const header: Record<HeaderField, bigint> = {
    kind: BigInt(BATCH_KINDS[kind]),
    number: BigInt(number),
    time: BigInt(time),
    rootBefore,
    rootAfter,
    oracleSet: oracleSetHash(oracles),
    domain,
    snapshotTime: BigInt(snapshot.time),
    privateRoot: privateRoot(roots),
  };
  const words = [...HEADER.map((name) => header[name]), ...marks, ...stepWords];
  base.advance(state, touched, roots);
  state.clearTouched();
  const sizes = options.sizes[kind];
  return {
    number,
    kind,
    rootBefore,
    rootAfter,
    words,
    commitment: hashVector(words),
    inputs: {
      ...headerInputs({ number, time, domain, snapshot, oracles }, sizes),
      ...before,
      ...inputs,
    },
  };
}
