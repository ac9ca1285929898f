// Signatures that layer one asks for are of one batch; being certified for people is of all before.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createBatchTracker } from "../../../sequencer/roles/batchTracker.ts";

const validators = ["0xA", "0xB", "0xC", "0xD"];
const sealed = (number: number) => ({
  ...({ number, kind: "trade", time: number, root: BigInt(number), logPosition: number } as const),
  ...{ wordsHash: `words ${number}`, logHash: `hash ${number}` },
});
const word = (validator: string, number: number) => ({
  ...{ validator, number, logHash: `hash ${number}`, signature: "0x" },
  wordsHash: `words ${number}`,
  root: `0x${number.toString(16)}`,
});

function track() {
  const tracker = createBatchTracker({ validators, anchored: 0 });
  for (const number of [1, 2]) tracker.sealed(sealed(number));
  return tracker;
}

test("signatures on a later batch vouch for an earlier one, but certify it to nobody", () => {
  const tracker = track();
  for (const validator of ["0xa", "0xb", "0xc"]) tracker.attested(word(validator, 2));
  assert.equal(tracker.progress().certified, 2);
  assert.deepEqual([tracker.isCertified(1), tracker.isCertified(2)], [false, true]);
  for (const validator of ["0xa", "0xb", "0xb"]) tracker.attested(word(validator, 1));
  assert.equal(tracker.attestations(1).length, 2);
  assert.equal(tracker.isCertified(1), false);
  tracker.attested(word("0xd", 1));
  assert.equal(tracker.isCertified(1), true);
});

test("strangers, other roots and other words are not collected", () => {
  const tracker = track();
  assert.equal(tracker.attested(word("0xe", 1)), "the validator is not known");
  assert.equal(tracker.attested({ ...word("0xa", 1), root: "0x5" }), "its root is another");
  const others = { wordsHash: "words 2" };
  assert.equal(tracker.attested({ ...word("0xa", 1), ...others }), "its words are others");
  assert.deepEqual(tracker.attestations(1), []);
});

test("signatures outlive reorgs, and are forgotten where none reaches", () => {
  const tracker = track();
  for (const number of [1, 2]) tracker.attested(word("0xa", number));
  tracker.anchored(2);
  tracker.attested(word("0xb", 1));
  tracker.unanchored(0);
  assert.deepEqual(
    [1, 2].map((number) => tracker.attestations(number).length),
    [2, 1],
  );
  tracker.anchored(257);
  assert.deepEqual(tracker.attestations(1), []);
  assert.equal(tracker.attestations(2).length, 1);
  tracker.attested(word("0xb", 1));
  assert.deepEqual(tracker.attestations(1), []);
});

test("those count whom layer one lists, from the moment that it lists them", () => {
  const tracker = track();
  for (const validator of ["0xa", "0xb"]) tracker.attested(word(validator, 1));
  assert.equal(tracker.isCertified(1), false);
  // 0xA and 0xD have left, 0xE has come.
  const moved = tracker.certifiedBy({ members: ["0xB", "0xC", "0xE"], quorum: 2 });
  assert.deepEqual(moved, []);
  assert.deepEqual(
    tracker.attestations(1).map(({ validator }) => validator),
    ["0xb"],
  );
  assert.equal(tracker.status(1)?.attestations, 1);
  assert.equal(tracker.attested(word("0xa", 2)), "the validator is not known");
  assert.deepEqual([tracker.progress().certified, tracker.isCertified(1)], [0, false]);
  tracker.attested(word("0xe", 1));
  assert.deepEqual([tracker.progress().certified, tracker.isCertified(1)], [1, true]);
  // A higher quorum takes what a lower one gave, and who comes back has not said less.
  const quorum = 3;
  tracker.certifiedBy({ members: ["0xB", "0xC", "0xE"], quorum });
  assert.equal(tracker.isCertified(1), false);
  const back = tracker.certifiedBy({ members: ["0xA", "0xB", "0xE"], quorum });
  assert.deepEqual(
    back.map(({ number, stage }) => [number, stage]),
    [[1, "certified"]],
  );
  assert.deepEqual(tracker.certifiedBy({ members: ["0xA", "0xB", "0xE"], quorum }), []);
});

test("what an earlier process has counted counts again, of those who are members", () => {
  const tracker = track();
  for (const validator of ["0xa", "0xb", "0xe"]) tracker.restored(word(validator, 1));
  tracker.restored({ ...word("0xc", 1), root: "0x5" });
  assert.equal(tracker.attestations(1).length, 2);
  tracker.certifiedBy({ members: ["0xA", "0xB", "0xC", "0xE"], quorum: 3 });
  assert.equal(tracker.isCertified(1), true);
});

test("without validators every batch is certified by nobody's word", () => {
  assert.equal(createBatchTracker({ validators: [], anchored: 0 }).isCertified(1), true);
});

test("records are of the batch that has ended behind them, wherever its seal stands", () => {
  const tracker = createBatchTracker({ validators, anchored: 0 });
  const batchesAt = (positions: readonly number[], of = tracker) =>
    positions.map((position) => of.stageAt(position)?.batchNumber);
  assert.deepEqual(batchesAt([0, 4]), [1, 1]);
  tracker.ended(1, 4);
  assert.deepEqual(batchesAt([4, 5]), [1, 2]);
  assert.equal(tracker.stageAt(4)?.isSealed, false);
  tracker.sealed({ ...sealed(1), logPosition: 7 });
  tracker.anchored(1, "0x01");
  assert.deepEqual(batchesAt([4, 5, 6, 7, 8]), [1, 2, 2, 1, 2]);
  const isAnchored = (position: number) => tracker.stageAt(position)?.stage === "anchored";
  assert.deepEqual([4, 5, 6, 7, 8].map(isAnchored), [true, false, false, true, false]);
  // A batch that ends with its seal, and the one after it.
  tracker.sealed({ ...sealed(2), logPosition: 9 });
  tracker.ended(3, 12);
  assert.deepEqual(batchesAt([8, 9, 10, 12, 13]), [2, 2, 3, 3, 4]);
  tracker.sealed({ ...sealed(3), logPosition: 15 });
  const memory = tracker.memory(3);
  const again = createBatchTracker({ validators, anchored: 1, memory });
  assert.deepEqual(batchesAt([5, 9, 12, 13, 15, 16], again), [2, 2, 3, 4, 3, 4]);
  assert.ok(!("endPosition" in tracker.status(1)!));
});
