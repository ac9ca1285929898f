/** The state followed by this very thread, at once: where time is virtual, or nothing hurries. */
import { type InputOrigin, openInputMaker } from "../batch/inputMaker.ts";
import { encodeJson } from "../batch/log.ts";
import type { InputDesk } from "../ports.ts";

export function openInputsInProcess(origin: InputOrigin): InputDesk {
  const follower = openInputMaker(origin);
  const made = new Map<number, string>();
  return {
    take: (draft) => void made.set(draft.opening.number, encodeJson(follower.take(draft))),
    hashes: follower.hashes,
    root: follower.root,
    hasHashes: async () => undefined,
    inputs: async (number) => {
      const inputs = made.get(number);
      if (inputs === undefined) throw new RangeError(`nobody waits for batch \`${number}\``);
      made.delete(number);
      return inputs;
    },
    ledgerProof: async (account) => follower.ledgerProof(account),
    stop: async () => undefined,
  };
}
