/** Circuits' inputs by this very thread, at once: where time is virtual, or nothing hurries. */
import { type InputOrigin, openInputMaker } from "../batch/inputMaker.ts";
import { encodeJson } from "../batch/log.ts";
import type { InputDesk } from "../ports.ts";

export function openInputsInProcess(origin: InputOrigin): InputDesk {
  const make = openInputMaker(origin);
  return {
    make: async (draft, root) => encodeJson(make(draft, root)),
    stop: async () => undefined,
  };
}
