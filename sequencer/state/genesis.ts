/** The state in which nothing has happened. */
import type { Shape } from "../protocol/state.ts";
import { createMemoryState } from "./memoryState.ts";
import { createStateTrees } from "./stateTrees.ts";

export function genesisRoot(shape: Shape): bigint {
  return createStateTrees(shape).root(createMemoryState(shape));
}
