/** From a batch that has run to its roots, public words and, where they are wanted, inputs. */
import { BATCH_KINDS } from "../protocol/constants.ts";
import { hashVector } from "../protocol/hash.ts";
import { HEADER, type HeaderField } from "../protocol/layout.ts";
import { markWords } from "../protocol/snapshot.ts";
import { privateRoot, stateRoot } from "../protocol/state.ts";
import type { BaseAccounts } from "./baseState.ts";
import { changeOf } from "./baseState.ts";
import type { BatchRun, ExecutorOptions } from "./executor.ts";
import type { InputDraft } from "./inputDraft.ts";
import type { InputMaker } from "./inputMaker.ts";
import type { OpenEntry } from "./log.ts";
import type { SealedBatch } from "./sealedBatch.ts";

/** Who has the inputs made: the seal itself, somebody else by a draft, or nobody. */
export type Keeper =
  | { readonly has: "inputs"; readonly base: BaseAccounts; readonly maker: InputMaker }
  | { readonly has: "draft"; readonly base: BaseAccounts }
  | { readonly has: "neither"; readonly base?: undefined };

export function sealBatch(parts: {
  entry: OpenEntry;
  run: BatchRun;
  keeper: Keeper;
  rootBefore: bigint;
  oracleSet: bigint;
  options: ExecutorOptions;
}): SealedBatch {
  const { entry, run, keeper, rootBefore, oracleSet, options } = parts;
  const { state, trees, domain } = options;
  const { number, time, snapshot, kind } = entry;
  // The marks as the batch began with them: settlement never changes a mark.
  const marks = markWords(state.series().map(({ mark }) => mark));
  const drafted = keeper.has === "neither" ? undefined : draftOf(entry, run, options);
  // A maker moves the trees itself.
  const leaves = keeper.has === "inputs" ? undefined : trees.sync(state, state.touched());
  const inputs = keeper.has === "inputs" && drafted !== undefined ? keeper.maker.make(drafted) : {};
  const roots = trees.roots(state);
  const rootAfter = stateRoot(roots);
  const header: Record<HeaderField, bigint> = {
    kind: BigInt(BATCH_KINDS[kind]),
    number: BigInt(number),
    time: BigInt(time),
    rootBefore,
    rootAfter,
    oracleSet,
    domain,
    snapshotTime: BigInt(snapshot.time),
    privateRoot: privateRoot(roots),
  };
  const words = [...HEADER.map((name) => header[name]), ...marks, ...run.stepWords()];
  const isForLater = keeper.has === "draft" && drafted !== undefined;
  if (isForLater) keeper.base.advance(drafted.change, roots);
  state.clearTouched();
  const batch = { number, kind, rootBefore, rootAfter, words, commitment: hashVector(words) };
  return { ...batch, inputs, ...(isForLater && { draft: { ...drafted, leaves } }) };
}

function draftOf(opening: OpenEntry, run: BatchRun, { state }: ExecutorOptions): InputDraft {
  return { opening, ...run.draft(), change: changeOf(state, state.touched()) };
}
