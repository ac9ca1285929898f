/** What must be true of a disk and of the next process on it, however the last one ended. */
import assert from "node:assert/strict";
import { encodeJson, type LogEntry, type LogRecord, logOrigin } from "../../sequencer/batch/log.ts";
import { createNodeState, loadCheckpoint } from "../../sequencer/roles/nodeState.ts";
import { openStore, type Store } from "../../sequencer/store/store.ts";
import { createReplayNode } from "../support/replayNode.ts";
import { DOMAIN, deployment, PLACE } from "../unit/roles/market.ts";
import { collect } from "../unit/store/logConformance.ts";
import { type Surroundings, send, startProcess } from "./venue.ts";

/** Checks the disk, starts a process on it, has it go on, and checks the disk again. */
export async function assertRecovered(around: Surroundings): Promise<void> {
  await assertDisk(around);
  const next = await startProcess(around, (run) => run());
  const { service } = next.sequencer;
  try {
    await next.step(400);
    // Whoever had no answer sends the same bytes again: they count once, now or before.
    for (const submission of around.sent.slice(-3)) {
      const result = await service.submit(submission);
      if (result.accepted) around.receipts.push(result.receipt);
    }
    for (let round = 0; round < 3; round++) await next.step(1500);
    const before = around.receipts.length;
    const deadline = around.clock.now() + 60_000;
    await send(next, around, 4, { ...PLACE, price: 450, deadline });
    assert.equal(around.receipts.length, before + 1, "the venue goes on");
    await next.step(1500);
    await next.prove();
    await next.step(1000);
    assert.equal((await service.status()).halted, null);
    await next.sequencer.stop();
  } finally {
    await next.close();
  }
  await assertDisk(around);
}

/** The log holds every receipt, nothing twice, and leads to the state that the store tells of. */
export async function assertDisk(around: Surroundings): Promise<void> {
  const store = await openStore(around.folder, DOMAIN);
  try {
    const records = await collect(store.log.read(0));
    for (const { logPosition, logHash } of around.receipts) {
      assert.equal(records[logPosition]?.hash, logHash, `record ${logPosition} was acknowledged`);
    }
    assertOnce(records);
    await assertReplay(around, store, records);
  } finally {
    await store.close();
  }
}

/** No message twice, and layer one's operations in their order, each once. */
function assertOnce(records: readonly LogRecord[]): void {
  const signed = records.flatMap(({ entry }) => signatureOf(entry));
  assert.equal(new Set(signed).size, signed.length, "a message stands in the log twice");
  const queue = records.flatMap(({ entry }) =>
    entry.type === "operation" && entry.queueId !== undefined ? [entry.queueId] : [],
  );
  assert.deepEqual(
    queue,
    queue.map((_, index) => index),
  );
}

function signatureOf(entry: LogEntry): string[] {
  const isSigned = "signature" in entry && entry.signature !== undefined;
  return isSigned ? [encodeJson(entry.signature)] : [];
}

/** From the origin and from the newest checkpoint: the same state, and the stored batches. */
async function assertReplay(
  { settlement }: Surroundings,
  { log, checkpoints, batches }: Store,
  records: readonly LogRecord[],
): Promise<void> {
  const whole = createReplayNode(deployment);
  const roots = new Map<number, bigint>();
  const inputs = new Map<number, string>();
  for (const record of records) {
    const { sealed } = whole.apply(record);
    if (sealed === undefined) continue;
    roots.set(sealed.number, sealed.rootAfter);
    inputs.set(sealed.number, await whole.inputs.inputs(sealed.number));
  }
  const checkpoint = await loadCheckpoint(log, checkpoints);
  const short = createNodeState(deployment, logOrigin(DOMAIN), checkpoint);
  for await (const record of log.read(short.position())) short.apply(record);
  assert.equal(short.hash(), whole.hash());
  assert.equal(short.executor.root(), whole.executor.root());
  for await (const { number, rootAfter } of batches.sealedAfter(0)) {
    assert.equal(rootAfter, roots.get(number), `batch ${number} is not the log's`);
  }
  // Those of anchored batches may be forgotten; what is still to be proven can be.
  const anchored = settlement.anchoredBatches.at(-1)?.number ?? 0;
  for await (const { number } of batches.sealedAfter(anchored)) {
    assert.equal(await batches.inputs(number), inputs.get(number), `inputs of batch ${number}`);
  }
  for (const [index, { number, root }] of settlement.anchoredBatches.entries()) {
    assert.equal(number, index + 1, "batches are anchored in order, each once");
    assert.equal(root, roots.get(number));
  }
}
