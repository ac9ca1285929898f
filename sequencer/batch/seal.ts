/** From a batch that has run to its roots, public words and, where they are wanted, inputs. */
import { BATCH_KINDS } from "../protocol/constants.ts";
import { hashVector } from "../protocol/hash.ts";
import { HEADER, type HeaderField } from "../protocol/layout.ts";
import { markWords, oracleSetHash } from "../protocol/snapshot.ts";
import { privateRoot, stateRoot } from "../protocol/state.ts";
import type { BaseState } from "./baseState.ts";
import type { BatchRun, ExecutorOptions } from "./executor.ts";
import type { OpenEntry } from "./log.ts";
import type { CircuitInputs, SealedBatch } from "./sealedBatch.ts";
import { headerInputs, stateInputs } from "./witness.ts";

export function sealBatch(parts: {
  entry: OpenEntry;
  run: BatchRun;
  /** Absent: the batch comes without inputs. */
  base: BaseState | undefined;
  rootBefore: bigint;
  options: ExecutorOptions;
}): SealedBatch {
  const { entry, run, base, rootBefore, options } = parts;
  const { state, trees, domain, oracles } = options;
  const { number, time, snapshot, kind } = entry;
  // The marks as the batch began with them: settlement never changes a mark.
  const marks = markWords(state.series().map(({ mark }) => mark));
  const inputs = base === undefined ? {} : batchInputs(entry, run, base, options);
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
  const words = [...HEADER.map((name) => header[name]), ...marks, ...run.stepWords()];
  base?.advance(state, touched, roots);
  state.clearTouched();
  return { number, kind, rootBefore, rootAfter, words, commitment: hashVector(words), inputs };
}

function batchInputs(
  { number, time, snapshot, kind }: OpenEntry,
  run: BatchRun,
  base: BaseState,
  { domain, oracles, sizes }: ExecutorOptions,
): CircuitInputs {
  return {
    ...headerInputs({ number, time, domain, snapshot, oracles }, sizes[kind]),
    ...stateInputs(base),
    ...run.inputs(base),
  };
}
