// Hashes of the log, from memory where they are known, signed as a receipt is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDigestSigner } from "../../../sequencer/node/keys.ts";
import { signerOf } from "../../../sequencer/protocol/evidence.ts";
import { createLogQuery } from "../../../sequencer/roles/logQuery.ts";
import { createSeenHeads } from "../../../sequencer/roles/seenHeads.ts";
import { DOMAIN, sampleEntry } from "../store/sampleEntries.ts";
import { createLog } from "./ports.ts";

const KEPT = 4;
const signer = createDigestSigner(`0x${"07".repeat(32)}`);

test("the newest hashes need no look at the log, and are the same as its", async () => {
  const log = createLog(DOMAIN);
  const records = await log.append(Array.from({ length: 10 }, (_, number) => sampleEntry(number)));
  const hashes = records.map(({ hash }) => hash);
  const heads = createSeenHeads(KEPT);
  heads.note(records);
  let reads = 0;
  const read: typeof log.read = (from) => {
    reads += 1;
    return log.read(from);
  };
  const query = createLogQuery({ log: { ...log, read }, heads, domain: DOMAIN, signer });
  assert.deepEqual((await query(6, 100)).hashes, hashes.slice(6));
  assert.deepEqual((await query(7, 2)).hashes, hashes.slice(7, 9));
  assert.deepEqual(await query(10, 5), { from: 10, hashes: [], signature: null });
  assert.deepEqual(await query(6, 0), { from: 6, hashes: [], signature: null });
  assert.equal(reads, 0);
  const old = await query(3, 5);
  assert.deepEqual(old.hashes, hashes.slice(3, 8));
  assert.equal(reads, 1);
  const place = { position: 7, hash: hashes[7]!, signature: old.signature! };
  assert.equal(signerOf(DOMAIN, place), signer.address);
});
