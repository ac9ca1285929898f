// Where acknowledgements wait for certification, validators may attest a batch before the sequencer
// has heard itself that it is final: what they said counts as soon as it has.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attestation } from "../../../sequencer/ports.ts";
import { createBatchTracker } from "../../../sequencer/roles/batchTracker.ts";
import { listenToValidators } from "../../../sequencer/roles/validatorReports.ts";
import { createBatches, silent } from "./ports.ts";

const VALIDATOR = `0x${"ab".repeat(20)}`;
const batch = {
  ...({ number: 1, kind: "trade", time: 1, root: 5n, logPosition: 3 } as const),
  ...{ wordsHash: "aa", logHash: "bb" },
};
const word: Attestation = {
  ...{ validator: VALIDATOR, number: 1, root: "5", wordsHash: "aa", logHash: "bb", signature: "s" },
};

function desk() {
  let say: (attestation: Attestation) => void = () => undefined;
  const batches = createBatchTracker({ validators: [VALIDATOR], anchored: 0 });
  const counted: (string | undefined)[] = [];
  const listening = listenToValidators({
    ports: {
      network: {
        onAttestation: (handler: typeof say) => {
          say = handler;
        },
        onRefusal: () => undefined,
      } as never,
      ...{ logger: silent, batches: createBatches() },
      isSignedAttestation: async ({ signature }) => signature === "s",
      isSignedRefusal: async () => true,
    },
    ...{ batches, sealing: { publishBatches: () => undefined } },
    guard: {
      attested: (_validator, _batch, reason) => void counted.push(reason),
      refused: () => undefined,
    },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { batches, counted, listening, settle, say: (one: Attestation) => say(one) };
}

test("an attestation that comes before its batch counts when that is sealed", async () => {
  const { batches, counted, listening, settle, say } = desk();
  say(word);
  await settle();
  assert.deepEqual(counted, []);
  batches.sealed(batch);
  listening.sealed(1);
  await settle();
  assert.deepEqual(counted, [undefined]);
  assert.equal(batches.attestations(1).length, 1);
});

test("said again it counts once; strangers and the far future are not waited for", async () => {
  const { batches, counted, listening, settle, say } = desk();
  say({ ...word, validator: `0x${"cd".repeat(20)}` });
  await settle();
  assert.deepEqual(counted.splice(0), ["the validator is not known"]);
  say({ ...word, number: 1_000 });
  await settle();
  assert.deepEqual(counted.splice(0), ["the batch is not known"]);
  for (let count = 0; count < 3; count++) say(word);
  await settle();
  batches.sealed(batch);
  listening.sealed(1);
  await settle();
  assert.deepEqual(counted, [undefined]);
});

test("one that is not signed, or of another root, does not", async () => {
  const { batches, counted, listening, settle, say } = desk();
  say({ ...word, signature: "forged" });
  await settle();
  assert.deepEqual(counted, ["its signature is wrong"]);
  say({ ...word, root: "6" });
  await settle();
  batches.sealed(batch);
  listening.sealed(1);
  await settle();
  assert.deepEqual(counted, ["its signature is wrong", "its root is another"]);
  assert.equal(batches.attestations(1).length, 0);
});
