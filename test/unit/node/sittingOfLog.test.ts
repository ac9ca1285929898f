// A log that moves between leaders is not given to another sitting, which would cut it off.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../../sequencer/node/config.ts";
import { holdToSitting } from "../../../sequencer/node/sittingOfLog.ts";

function storeOf(position: number) {
  const values = new Map<string, unknown>();
  return {
    log: { head: () => ({ position, epoch: 1, hash: "" }) } as never,
    values: {
      get: async (name: string) => values.get(name),
      set: async (name: string, value: unknown) => void values.set(name, value),
      delete: async (name: string) => void values.delete(name),
    },
  };
}

test("an empty log is anybody's, one with records its own sitting's alone", async () => {
  const empty = storeOf(0);
  await holdToSitting(empty, "first");
  await holdToSitting(empty, "second");
  const full = { ...storeOf(7), values: empty.values };
  await holdToSitting(full, "second");
  await assert.rejects(holdToSitting(full, "first"), ConfigError);
  await assert.rejects(holdToSitting(full, "third"), /cut off the whole log/);
  await holdToSitting(full, "second");
  // Of before this was written down.
  const old = storeOf(7);
  await holdToSitting(old, "first");
  await assert.rejects(holdToSitting(old, "second"), ConfigError);
});
