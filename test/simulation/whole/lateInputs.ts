/** Who follows the state takes its time, as a thread does: now and then a batch ends before. */
import { openInputsInProcess } from "../../../sequencer/roles/inputsInProcess.ts";
import type { OpenInputs } from "../../../sequencer/roles/sequencerState.ts";
import { sleep } from "./logWire.ts";

/** In turn, so that no chance of a seed is spent on it (ms). */
const DELAYS_MS = [0, 20, 5, 60, 1_500, 0, 200] as const;

export const openLateInputs: OpenInputs = (origin) => {
  const desk = openInputsInProcess(origin);
  return {
    ...desk,
    hasHashes: (number) => sleep(DELAYS_MS[number % DELAYS_MS.length]!),
  };
};
