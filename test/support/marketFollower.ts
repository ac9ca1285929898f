/** Who follows a test market's state by drafts of its batches, as a node's thread does. */
import type { InputDraft } from "../../sequencer/batch/inputDraft.ts";
import {
  type InputOrigin,
  openInputMaker,
  type StateFollower,
} from "../../sequencer/batch/inputMaker.ts";
import type { DraftTaker } from "../../sequencer/batch/keeper.ts";
import type { LedgerProof } from "../../sequencer/protocol/ledgerProof.ts";

/** Has copies of all: what the market does later must not reach it. */
export interface MarketFollower {
  /** Of the market before its first batch. */
  origin(): InputOrigin;
  readonly drafts: DraftTaker;
  readonly taken: readonly InputDraft[];
  ledgerProof(account: number): LedgerProof | null;
}

/** Begins when it is first asked, from what `originNow` gives then. */
export function createFollower(originNow: () => InputOrigin): MarketFollower {
  const taken: InputDraft[] = [];
  let [origin, maker]: [InputOrigin | undefined, StateFollower | undefined] = [
    undefined,
    undefined,
  ];
  const begin = (): InputOrigin => {
    origin ??= structuredClone(originNow());
    return origin;
  };
  const follower = (): StateFollower => {
    maker ??= openInputMaker(begin());
    return maker;
  };
  return {
    origin: begin,
    taken,
    ledgerProof: (account) => follower().ledgerProof(account),
    drafts: {
      take: (draft) => {
        const copy = structuredClone(draft);
        taken.push(copy);
        follower().take(copy);
      },
      hashes: () => follower().hashes(),
      root: () => follower().root(),
    },
  };
}
