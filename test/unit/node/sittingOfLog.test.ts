// A log that moves between leaders is given to no sitting that would cut off what is final in it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../../sequencer/node/config.ts";
import { enterSitting, holdToSitting } from "../../../sequencer/node/sittingOfLog.ts";

const beginning = (to: number) => ({
  ...{ to, term: 3, logHash: "ab".repeat(32), root: 1n },
});

/** A store whose sittings have delivered up to these positions. */
function storeOf(
  position: number,
  delivered: Readonly<Record<string, number>> = {},
  hashes: Readonly<Record<number, string>> = {},
) {
  const values = new Map<string, unknown>();
  const cuts: number[] = [];
  const store = {
    log: {
      head: () => ({ position: cuts.at(-1) ?? position, epoch: 1, hash: "" }),
      read: async function* (from: number) {
        yield { position: from, hash: hashes[from] ?? "" };
      },
    } as never,
    values: {
      get: async (name: string) => values.get(name),
      set: async (name: string, value: unknown) => void values.set(name, value),
      delete: async (name: string) => void values.delete(name),
    },
    certification: (session: string) =>
      ({
        load: async () =>
          session in delivered ? { delivered: { block: { to: delivered[session] } } } : {},
      }) as never,
    truncate: async (to: number) => void cuts.push(to),
  };
  return { ...store, cuts };
}

for (const [whose, hold] of [
  ["sequencer", holdToSitting],
  ["member", enterSitting],
] as const) {
  test(`a ${whose}'s empty log is anybody's, one with records its sitting's alone`, async () => {
    const empty = storeOf(0);
    await hold(empty, { session: "first" });
    await hold(empty, { session: "second" });
    const full = { ...storeOf(7), values: empty.values };
    await hold(full, { session: "second" });
    await assert.rejects(hold(full, { session: "first" }), ConfigError);
    await assert.rejects(hold(full, { session: "third" }), /cut off the whole log/);
    await hold(full, { session: "second" });
    // Of before this was written down.
    const old = storeOf(7);
    await hold(old, { session: "first" });
    await assert.rejects(hold(old, { session: "second" }), ConfigError);
    assert.deepEqual([...full.cuts, ...old.cuts], []);
  });
}

test("a member takes nothing into a sitting that was not final in the one before", async () => {
  const store = storeOf(90, { first: 70 });
  await enterSitting(store, { session: "first" });
  await enterSitting(store, { session: "second", beginning: beginning(80) });
  assert.deepEqual(store.cuts, [70]);
  await enterSitting(store, { session: "second", beginning: beginning(80) });
  assert.deepEqual(store.cuts, [70]);
});

test("what leads to the handover stays, whether or not it was written down as final", async () => {
  const store = storeOf(90, { first: 70 }, { 79: "ab".repeat(32) });
  await enterSitting(store, { session: "first" });
  await enterSitting(store, { session: "second", beginning: beginning(80) });
  assert.deepEqual(store.cuts, [80]);
  // And is final in the next one.
  const early = { session: "third", beginning: beginning(75) };
  await assert.rejects(enterSitting(store, early), /but `80` records are final here/);
});

test("what was final in sittings before stays, whatever the last one delivered", async () => {
  const store = storeOf(90, { first: 70 });
  await enterSitting(store, { session: "first" });
  await enterSitting(store, { session: "second", beginning: beginning(70) });
  await enterSitting(store, { session: "third", beginning: beginning(70) });
  assert.deepEqual(store.cuts, [70]);
});

test("a sitting that begins before what is final here is refused", async () => {
  const store = storeOf(90, { first: 81 });
  await enterSitting(store, { session: "first" });
  const early = { session: "second", beginning: beginning(80) };
  await assert.rejects(enterSitting(store, early), /ends at `80`, but `81` records are final here/);
  assert.deepEqual(store.cuts, []);
});

test("a sequencer's log is its member's to cut", async () => {
  const store = storeOf(90);
  await holdToSitting(store, { session: "first" });
  await holdToSitting(store, { session: "second", beginning: beginning(80) });
  assert.equal(await store.values.get("sitting"), "second");
  assert.deepEqual(store.cuts, []);
});
