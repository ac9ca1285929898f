// A real batch with attestations by real keys, as the API answers it.
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import type { Deployment } from "../../../sequencer/client/batchCheck.ts";
import type { BatchFile } from "../../../sequencer/client/batchWords.ts";
import { hexOf } from "../../../sequencer/client/exchange.ts";
import { createAttester } from "../../../sequencer/l1/attestation.ts";
import { domainOf } from "../../../sequencer/l1/domain.ts";
import { hashVector } from "../../../sequencer/protocol/hash.ts";
import { HEADER } from "../../../sequencer/protocol/layout.ts";
import { fillingBatch } from "../../support/batches.ts";

export async function batchFile(deployment: Deployment): Promise<BatchFile> {
  const { batch } = fillingBatch();
  const { number, kind, rootBefore, rootAfter } = batch;
  // The market's own words name another deployment.
  const { chainId, rollup } = deployment;
  const words = batch.words.with(HEADER.indexOf("domain"), domainOf(chainId, rollup));
  const commitment = hashVector(words);
  const logHash = "ab".repeat(32);
  const content = { number, root: rootAfter, wordsHash: wordsHash(words), logHash };
  const certificate = [];
  for (const digit of [1, 2, 3]) {
    const attester = createAttester(`0x${`${digit}`.repeat(64)}`, deployment);
    const { validator, root, signature } = await attester.attest(content);
    const hashes = { words_hash: content.wordsHash, log_hash: logHash };
    certificate.push({ validator, root, ...hashes, signature });
  }
  return {
    ...{ number, kind, root_before: hexOf(rootBefore), root_after: hexOf(rootAfter) },
    ...{ words: words.map(hexOf), commitment: hexOf(commitment), proof: null, certificate },
  };
}
