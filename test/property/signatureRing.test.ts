// Whatever comes when: asked, judged, read, flushed. Everybody is called once and in the order of
// asking, and no signature is remembered that the other side has not found to hold.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { SignatureClaim } from "../../sequencer/ports.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import { verifyOnce } from "../../sequencer/protocol/remembered.ts";
import {
  createRingMemory,
  DONE,
  distance,
  following,
  PLACES,
  POSTED,
  placeOf,
  readClaim,
  ringOf,
  type SignatureRing,
} from "../../sequencer/threads/signatureRing.ts";
import { createSignatureDesk } from "../../sequencer/threads/signatureWorker.ts";
import { silent } from "../unit/roles/ports.ts";
import { runs } from "./runs.ts";

const STUCK_MS = 600_000;
/** Within it a notice reaches who waits; where it does not, less is read. */
const READ_MS = 5;
const key = publicKeyOf(5n);
/** Holds for no message: it is true only of those that were remembered. */
const signature = { r8x: key.x, r8y: key.y, s: 1n };

/** Other messages in each run, for what is remembered stays so. */
function claimOf(run: number, at: number): SignatureClaim {
  return { key, message: (BigInt(run) << 32n) + BigInt(at), signature };
}

/** Not by a pattern that comes again where the ring does. */
function holds(message: bigint): boolean {
  return message % 3n === 0n;
}

/** The other side: judges so many of what it has been given. */
function judge(ring: SignatureRing, count: number): void {
  for (let judged = 0; judged < count; judged++) {
    const done = Atomics.load(ring.counters, DONE);
    if (distance(Atomics.load(ring.counters, POSTED), done) === 0) return;
    ring.verdicts[placeOf(done)] = holds(readClaim(ring, placeOf(done)).message) ? 1 : 0;
    Atomics.store(ring.counters, DONE, following(done));
    Atomics.notify(ring.counters, DONE);
  }
}

const some = fc.nat({ max: PLACES + 300 });
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("ask" as const), count: some }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("judge" as const), count: some }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("read" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("flush" as const) }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** A notice has reached who waits; or there is nothing that anybody waits for. */
async function isRead(ring: SignatureRing): Promise<void> {
  Atomics.notify(ring.counters, DONE);
  await sleep(READ_MS);
}

/** Which were asked, in the order in which they were called. */
async function run(number: number, commands: readonly Command[]): Promise<[number, number[]]> {
  const ring = ringOf(createRingMemory());
  const desk = createSignatureDesk(ring, silent, STUCK_MS);
  const called: number[] = [];
  let asked = 0;
  for (const each of commands) {
    if (each.type === "ask") {
      for (let count = 0; count < each.count; count++) {
        const at = asked++;
        desk.ahead(claimOf(number, at), () => void called.push(at));
      }
    } else if (each.type === "judge") judge(ring, each.count);
    else if (each.type === "flush") desk.flush();
    else await isRead(ring);
  }
  desk.close();
  return [asked, called];
}

test("no verdict is taken for another one's", async () => {
  let runNumber = 0;
  let remembered = 0;
  const commands = fc.array(command, { minLength: 10, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(commands, async (list) => {
      runNumber += 1;
      const [asked, called] = await run(runNumber, list);
      assert.deepEqual(
        called,
        Array.from({ length: asked }, (_, at) => at),
      );
      for (let at = 0; at < asked; at += CHECKED_EACH) {
        const { message } = claimOf(runNumber, at);
        const isTaken = verifyOnce(key, message, signature);
        if (isTaken) remembered += 1;
        assert.ok(!isTaken || holds(message), `message ${at} of ${asked} was not judged good`);
      }
    }),
    { ...runs(10), examples: [[[...ROUND_AND_ROUND]]] },
  );
  assert.ok(remembered > 0, "something was remembered");
});

/** The ring is judged whole and not read, when more comes. */
const ROUND_AND_ROUND: readonly Command[] = [
  { type: "ask", count: PLACES + 176 },
  { type: "judge", count: PLACES },
  { type: "ask", count: 1 },
  { type: "judge", count: PLACES },
  { type: "read" },
];

/** Not each: what is not remembered is checked in earnest. */
const CHECKED_EACH = 5;
