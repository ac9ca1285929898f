// What a validator signs, and what it refuses with which words.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEntry, LogRecord } from "../../../sequencer/batch/log.ts";
import { emptyHead, headAfter, logOrigin, makeRecord } from "../../../sequencer/batch/log.ts";
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import type { ProofWords, SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import type { QueuedOperation } from "../../../sequencer/ports.ts";
import { createValidator, type ValidatorConfig } from "../../../sequencer/roles/validator.ts";
import { createMarket, DOMAIN, deployment, PROOF, turns, type World } from "./market.ts";
import {
  createBatches,
  createCheckpoints,
  createFollower,
  createLog,
  createSettlement,
  type FakeFollower,
  type MemoryLog,
  silent,
} from "./ports.ts";

const CONFIG: ValidatorConfig = {
  deployment,
  queueWaitMs: 1,
  clockSkewMs: 10_000,
  checkpointEvery: 1,
  resendMs: 1_000_000,
  pollMs: 10,
};

type FakeSettlement = ReturnType<typeof createSettlement>;

interface Run {
  readonly follower: FakeFollower;
  readonly log: MemoryLog;
  readonly checkpoints: ReturnType<typeof createCheckpoints>;
  readonly batches: ReturnType<typeof createBatches>;
  readonly reason: string | undefined;
}

interface Given {
  readonly records: readonly LogRecord[];
  readonly world: World;
  readonly queue?: readonly QueuedOperation[];
  readonly proven?: readonly { number: number; words: readonly bigint[]; proof: ProofWords }[];
  readonly isProofGood?: boolean;
  readonly anchored?: { number: number; root: bigint };
  readonly disk?: Pick<Run, "log" | "checkpoints" | "batches">;
  readonly config?: Partial<ValidatorConfig>;
  /** What must have happened before the test looks. */
  until(run: { follower: FakeFollower; log: MemoryLog; settlement: FakeSettlement }): boolean;
}

async function validate(given: Given): Promise<Run> {
  const { world, records, proven = [], isProofGood = true } = given;
  const follower = createFollower(records, proven);
  const log = given.disk?.log ?? createLog(DOMAIN);
  const checkpoints = given.disk?.checkpoints ?? createCheckpoints();
  const settlement = createSettlement(DOMAIN);
  settlement.queue.push(...(given.queue ?? world.settlement.queue));
  if (given.anchored !== undefined) settlement.anchoredBatches.push(given.anchored);
  const batches = given.disk?.batches ?? createBatches();
  const validator = await createValidator(
    {
      ...{ clock: { now: () => world.clock.now() }, logger: silent, log, checkpoints },
      ...{ batches, settlement, follower },
      prover: { verify: async () => isProofGood },
      attester: {
        address: "0xvalidator",
        attest: async ({ root, ...rest }) => {
          const signed = { validator: "0xvalidator", signature: "0x" };
          return { ...signed, ...rest, root: `0x${root.toString(16)}` };
        },
        refuse: async (content) => ({ validator: "0xvalidator", signature: "0x", ...content }),
      },
    },
    { ...CONFIG, ...given.config },
  );
  const stopping = new AbortController();
  const running = validator.run(stopping.signal);
  const start = Date.now();
  while (!given.until({ follower, log, settlement }) && Date.now() - start < 20_000) {
    // The validator waits for layer one by its clock, which is the world's.
    world.clock.advance(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await turns();
  stopping.abort();
  return { follower, log, checkpoints, batches, reason: await running };
}

const refused = ({ follower }: { follower: FakeFollower }): boolean => follower.refusals.length > 0;

/** A finished day of trading, and its log. */
async function day(): Promise<{ world: World; records: LogRecord[] }> {
  const { world, maker, taker } = await createMarket();
  await world.place(maker, { isSell: true, price: 505, lots: 5 });
  await world.place(taker, { price: 505, lots: 2 });
  await world.finish();
  return { world, records: world.log.survivors() };
}

/** The same log with one entry changed, and its links made good: a sequencer that lies. */
function forge(
  records: readonly LogRecord[],
  change: (entry: LogEntry, position: number) => LogEntry,
): LogRecord[] {
  let head = emptyHead(logOrigin(DOMAIN));
  return records.map(({ entry, position }) => {
    const record = makeRecord(head, change(entry, position));
    head = headAfter(record);
    return record;
  });
}

const positionOf = (records: readonly LogRecord[], type: LogEntry["type"]): number =>
  records.findIndex(({ entry }) => entry.type === type);

test("a validator attests the roots that it finds itself", async () => {
  const { world, records } = await day();
  const last = [...world.batches.batches.values()].at(-1);
  const until = ({ follower }: { follower: FakeFollower }): boolean =>
    follower.attestations.at(-1)?.number === last?.number;
  const { follower, log, reason } = await validate({ world, records, until });
  assert.equal(reason, undefined);
  assert.deepEqual(follower.refusals, []);
  // Each batch once, since layer one asks for signatures on that very one.
  const numbers = follower.attestations.map(({ number }) => number);
  assert.deepEqual(
    numbers,
    Array.from({ length: last?.number ?? 0 }, (_, index) => index + 1),
  );
  const attestation = follower.attestations.at(-1);
  assert.equal(BigInt(attestation?.root ?? 0), last?.rootAfter);
  assert.equal(attestation?.wordsHash, wordsHash(last!.words));
  assert.equal(attestation?.logHash, records.at(-1)?.hash);
  assert.deepEqual(log.records, records);
});

test("a restarted validator goes on from its checkpoint", async () => {
  const { world, records } = await day();
  const middle = records.findIndex(({ entry }) => entry.type === "seal" && entry.number === 1) + 1;
  const first = await validate({
    ...{ world, records: records.slice(0, middle) },
    until: ({ follower }) => follower.attestations.at(-1)?.number === 1,
  });
  // Of the end, before the seal.
  assert.equal(first.checkpoints.saved.at(-1)?.position, middle - 1);
  const numbers = [...world.batches.batches.keys()];
  const second = await validate({
    ...{ world, records, disk: first },
    until: ({ follower }) => follower.attestations.at(-1)?.number === numbers.at(-1),
  });
  assert.equal(second.reason, undefined);
  assert.deepEqual(second.log.records, records);
  // A sequencer that has restarted too has forgotten who attested what; another never knew.
  const third = await validate({
    ...{ world, records, disk: second },
    until: ({ follower }) => follower.attestations.at(-1)?.number === numbers.at(-1),
  });
  assert.deepEqual(
    third.follower.attestations.map(({ number }) => number),
    numbers,
  );
});

type Lie = readonly [
  what: string,
  type: LogEntry["type"],
  change: (entry: LogEntry) => LogEntry,
  reason: RegExp,
];

const LIES: readonly Lie[] = [
  [
    "a wrong root",
    "seal",
    (entry) => (entry.type === "seal" ? { ...entry, root: 1n } : entry),
    /root/,
  ],
  [
    "a message that nobody signed",
    "message",
    (entry) =>
      entry.type === "message"
        ? { ...entry, signature: { ...entry.signature, s: entry.signature.s + 1n } }
        : entry,
    /sign/,
  ],
  [
    "a deposit of more than layer one has queued",
    "operation",
    (entry) =>
      entry.type === "operation" && entry.operation.kind === "deposit"
        ? { ...entry, operation: { ...entry.operation, amount: 5 } }
        : entry,
    /queue entry `\d+` differs from layer one's in `amount`/,
  ],
  [
    "a snapshot without its quorum",
    "open",
    (entry) =>
      entry.type === "open" ? { ...entry, snapshot: { ...entry.snapshot, signatures: [] } } : entry,
    /signed by `2`/,
  ],
  [
    "a batch of tomorrow",
    "open",
    (entry) => (entry.type === "open" ? { ...entry, time: entry.time + 86_400_000 } : entry),
    /ahead of the clock/,
  ],
];

test("after a reorg a validator attests again what layer one has lost", async () => {
  const { world, records } = await day();
  const { number, rootAfter: root } = [...world.batches.batches.values()].at(-1)!;
  const disk = {
    log: createLog(DOMAIN),
    checkpoints: createCheckpoints(),
    batches: createBatches(),
  };
  const given = { world, records, anchored: { number, root }, config: { resendMs: 1 } };
  const numbersOf = (follower: FakeFollower): number[] =>
    follower.attestations.map((attestation) => attestation.number);
  /** Only the newest is repeated: layer one has been looked at. */
  const isCalm = (follower: FakeFollower): boolean =>
    follower.attestations.length > number &&
    numbersOf(follower)
      .slice(-5)
      .every((each) => each === number);
  assert.ok(number > 1);
  const before = await validate({ ...given, disk, until: ({ follower }) => isCalm(follower) });
  assert.equal(before.reason, undefined);
  let attested: number | undefined;
  const after = await validate({
    ...{ ...given, disk },
    until: ({ follower, settlement }) => {
      if (attested === undefined && isCalm(follower)) {
        attested = follower.attestations.length;
        settlement.anchoredBatches.splice(0);
      }
      return attested !== undefined && numbersOf(follower).slice(attested).includes(1);
    },
  });
  assert.equal(after.reason, undefined);
  const [first] = numbersOf(after.follower);
  assert.equal(first, number, "what layer one has is not attested again by a restart");
  assert.deepEqual(
    new Set(numbersOf(after.follower).slice(attested)),
    new Set(Array.from({ length: number }, (_, index) => index + 1)),
  );
});

test("a validator refuses what is not so, and attests nothing of it", async () => {
  const { world, records } = await day();
  for (const [what, type, change, reason] of LIES) {
    const at = records.findIndex(({ entry }) => change(entry) !== entry && entry.type === type);
    const forged = forge(records, (entry, position) => (position === at ? change(entry) : entry));
    const run = await validate({ world, records: forged, until: refused });
    assert.match(run.reason ?? "nothing refused", reason, what);
    assert.equal(run.follower.refusals[0]?.position, at, what);
    assert.equal(run.log.records.length, at, `${what}: what was refused is not kept`);
    const sealed = forged.slice(0, at).filter(({ entry }) => entry.type === "seal").length;
    assert.ok((run.follower.attestations.at(-1)?.number ?? 0) <= sealed, what);
  }
});

test("an altered record is not taken for what it was", async () => {
  const { world, records } = await day();
  const at = positionOf(records, "message");
  const altered = records.map((record, index) => {
    if (index !== at || record.entry.type !== "message") return record;
    return { ...record, entry: { ...record.entry, word: record.entry.word + 1n } };
  });
  const run = await validate({ world, records: altered, until: refused });
  assert.match(run.reason ?? "", new RegExp(`damaged at position \`${at}\``));
});

test("an operation that layer one never queued is refused", async () => {
  const { world, records } = await day();
  const run = await validate({ world, records, queue: [], until: refused });
  assert.match(run.reason ?? "", /layer one has no queue entry `0`/);
});

test("a close that layer one moved behind its marks stops it without a refusal", async () => {
  const { world, taker } = await createMarket();
  const close = { kind: "forcedClose", account: taker.account, owner: taker.owner } as const;
  world.settlement.enqueue({ ...close, slot: 0, lots: 4 }, world.clock.now() + 1);
  for (let count = 0; count < 4; count++) await world.step(1000);
  await world.finish();
  const records = world.log.survivors();
  const queue = world.settlement.queue.map((queued) =>
    queued.pricedFrom === 0 ? queued : { ...queued, pricedFrom: world.clock.now() },
  );
  const at = records.findIndex(
    ({ entry }) => entry.type === "operation" && entry.operation.kind === "forcedClose",
  );
  const until = ({ log }: { log: MemoryLog }): boolean => log.records.length === at;
  const run = await validate({ world, records, queue, until });
  assert.match(run.reason ?? "", /by a reorg, or the sequencer took old marks/);
  assert.deepEqual(run.follower.refusals, []);
  assert.ok(run.follower.attestations.length < world.batches.batches.size);
});

test("a queue entry that is passed over is refused", async () => {
  const { world, records } = await day();
  const first = records.findIndex(({ entry }) => entry.type === "operation" && entry.queueId === 0);
  const without = forge(records, (entry) => entry)
    .filter((_, position) => position !== first)
    .map(({ entry }, position) => ({ entry, position }));
  const forged = forge(without as LogRecord[], (entry) => entry);
  const run = await validate({ world, records: forged, until: refused });
  assert.match(run.reason ?? "", /queue entry `1` out of order, expected `0`/);
});

const provenOf = (batch: SealedBatch) => ({
  number: batch.number,
  words: batch.words,
  proof: PROOF,
});

test("a proof must hold, for the words that the validator found", async () => {
  const { world, records } = await day();
  const proven = [...world.batches.batches.values()].map(provenOf);
  const bad = await validate({ world, records, proven, isProofGood: false, until: refused });
  assert.match(bad.reason ?? "", /the proof of batch `1` does not hold/);
  const [first] = proven;
  const words = (first?.words ?? []).map((word, index) => (index === 2 ? word + 1n : word));
  const other = [{ number: 1, words, proof: PROOF }];
  const wrong = await validate({ world, records, proven: other, until: refused });
  assert.match(wrong.reason ?? "", /the proof of batch `1` is for another word `2`/);
});

test("layer one must have the same roots", async () => {
  const { world, records } = await day();
  const anchored = { number: 1, root: 99n };
  const run = await validate({ world, records, anchored, until: refused });
  assert.match(run.reason ?? "", /layer one anchored root `99` for batch `1`/);
});
