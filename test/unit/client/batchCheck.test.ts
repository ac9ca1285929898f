// A real batch with attestations by real keys, checked by the file alone; an altered one shows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkBatch } from "../../../sequencer/client/batchCheck.ts";
import type { BatchFile } from "../../../sequencer/client/batchWords.ts";
import { batchFile } from "./batchFile.ts";

const DEPLOYMENT = { chainId: 31_337, rollup: `0x${"11".repeat(20)}` } as const;

test("a batch and its certificate hold, by the file alone", async () => {
  const file = await batchFile(DEPLOYMENT);
  const { faults, signers } = await checkBatch(file, DEPLOYMENT);
  assert.deepEqual(faults, []);
  assert.deepEqual(
    signers,
    file.certificate.map(({ validator }) => validator.toLowerCase()),
  );
  const twice = { ...file, certificate: [...file.certificate, file.certificate[0]!] };
  assert.equal((await checkBatch(twice, DEPLOYMENT)).signers.length, 3, "nobody counts twice");
});

test("whatever is altered shows", async () => {
  const file = await batchFile(DEPLOYMENT);
  const [first, second] = file.certificate;
  const put = (index: number, word: `0x${string}`) => ({
    ...file,
    words: file.words.with(index, word),
  });
  const certificate = (change: object) => ({
    ...file,
    certificate: [{ ...first!, ...change }],
  });
  const cheats: readonly (readonly [BatchFile, RegExp, number])[] = [
    [put(file.words.length - 1, "0x5"), /commitment[\s\S]*is of other words/, 0],
    [{ ...file, commitment: "0x1" }, /the commitment is not of the words/, 3],
    [{ ...file, number: file.number + 1 }, /`number` is not[\s\S]*is not its signature/, 0],
    [{ ...file, root_after: "0x1" }, /`rootAfter` is not[\s\S]*is of another root/, 0],
    [{ ...file, root_before: "0x1" }, /`rootBefore` is not/, 3],
    [{ ...file, kind: file.kind === "trade" ? "ledger" : "trade" }, /`kind` is not/, 3],
    [certificate({ signature: second!.signature }), /is not its signature/, 0],
    [certificate({ signature: "0x12" }), /no signature that can be read/, 0],
    [certificate({ log_hash: "cd".repeat(32) }), /is not its signature/, 0],
  ];
  for (const [altered, words, signers] of cheats) {
    const found = await checkBatch(altered, DEPLOYMENT);
    assert.match(found.faults.join("\n"), words);
    assert.equal(found.signers.length, signers, String(words));
  }
  const elsewhere = await checkBatch(file, { ...DEPLOYMENT, chainId: 1 });
  assert.equal(elsewhere.signers.length, 0, "attestations are of one deployment");
  await assert.rejects(checkBatch({ ...file, words: [] }, DEPLOYMENT), /at least `9` words/);
  await assert.rejects(checkBatch(put(0, "0xzz"), DEPLOYMENT), /Got `0xzz`/);
});
