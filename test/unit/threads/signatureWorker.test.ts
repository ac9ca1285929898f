// The thread that looks at signatures first: its verdicts are those of `verify`, everybody is
// called once and in order, and when it is slow, stuck or dead the asker goes on without it.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { Logger, SignatureClaim, SignatureDesk } from "../../../sequencer/ports.ts";
import { publicKeyOf, sign, verify } from "../../../sequencer/protocol/eddsa.ts";
import { verifyOnce } from "../../../sequencer/protocol/remembered.ts";
import {
  createRingMemory,
  DONE,
  fitsRing,
  PLACES,
  POSTED,
  readClaim,
  ringOf,
  writeClaim,
} from "../../../sequencer/threads/signatureRing.ts";
import { openSignatureWorker, WAITING_MAX } from "../../../sequencer/threads/signatureWorker.ts";
import { silent } from "../roles/ports.ts";

const WAIT_MS = 60_000;
const SECRET = 77n;
const key = publicKeyOf(SECRET);

function claimOf(message: bigint): SignatureClaim {
  return { key, message, signature: sign(SECRET, message) };
}

/** The right claim, and one with each of its numbers changed. */
function variants(claim: SignatureClaim): SignatureClaim[] {
  const { signature } = claim;
  const { r8x, r8y, s } = signature;
  const other = publicKeyOf(SECRET + 1n);
  return [
    claim,
    { ...claim, message: claim.message + 1n },
    { ...claim, signature: { ...signature, r8x: r8x + 1n } },
    { ...claim, signature: { ...signature, r8y: r8y - 1n } },
    { ...claim, signature: { ...signature, s: s + 1n } },
    { ...claim, key: { ...key, x: other.x } },
    { ...claim, key: other },
  ];
}

/** All claims at once; the numbers of those that were called, in their order. */
async function ask(desk: SignatureDesk, claims: readonly SignatureClaim[]): Promise<number[]> {
  const called: number[] = [];
  // The thread alone would not keep this process.
  const awake = setTimeout(() => assert.fail("not all were called"), WAIT_MS);
  await new Promise<void>((resolve) => {
    for (const [index, claim] of claims.entries()) {
      desk.ahead(claim, () => {
        called.push(index);
        if (called.length >= claims.length) resolve();
      });
    }
  });
  clearTimeout(awake);
  return called;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function open(
  context: TestContext,
  options: { thread?: URL; stuckMs?: number } = {},
  logger: Logger = silent,
): SignatureDesk {
  const desk = openSignatureWorker(logger, options);
  context.after(desk.stop);
  return desk;
}

test("claims come out of the ring as they went in, at its last place too", () => {
  const ring = ringOf(createRingMemory());
  const claim = { key: { x: 2n ** 256n - 1n, y: 5n }, message: 2n ** 64n, signature: sign(3n, 4n) };
  writeClaim(ring, PLACES - 1, claim);
  writeClaim(ring, 0, claimOf(6n));
  assert.deepEqual(readClaim(ring, PLACES - 1), claim);
  assert.deepEqual(readClaim(ring, 0), claimOf(6n));
  assert.equal(fitsRing(claim), true);
  assert.equal(fitsRing({ ...claim, message: 2n ** 256n }), false);
  assert.equal(fitsRing({ ...claim, message: -1n }), false);
});

test("the thread's verdicts are those of `verify`", async (context) => {
  const memory = createRingMemory();
  const ring = ringOf(memory);
  const claims = variants(claimOf(10n));
  for (const [place, claim] of claims.entries()) writeClaim(ring, place, claim);
  const url = new URL("../../../sequencer/threads/signatureThread.ts", import.meta.url);
  const worker = new Worker(url, { workerData: memory });
  context.after(() => worker.terminate());
  Atomics.store(ring.counters, POSTED, claims.length);
  Atomics.notify(ring.counters, POSTED);
  while (Atomics.load(ring.counters, DONE) !== claims.length) {
    await Atomics.waitAsync(ring.counters, DONE, Atomics.load(ring.counters, DONE), 100).value;
  }
  const verdicts = [...ring.verdicts.subarray(0, claims.length)];
  assert.deepEqual(verdicts, [1, 0, 0, 0, 0, 0, 0]);
  for (const { key: of, message, signature } of claims.slice(1)) {
    assert.equal(verify(of, message, signature), false);
  }
});

test("all are called once, in order, and a wrong signature is not remembered", async (context) => {
  const desk = open(context);
  const claims = range(40).flatMap((number) => variants(claimOf(BigInt(1000 + number))));
  assert.deepEqual(await ask(desk, claims), range(claims.length));
  for (const [index, { key: of, message, signature }] of claims.entries()) {
    assert.equal(verifyOnce(of, message, signature), index % 7 === 0);
  }
});

test("more claims than places, or than may wait, are called in order too", async (context) => {
  const desk = open(context);
  const claim = claimOf(20n);
  for (const count of [2 * PLACES + 100, WAITING_MAX + 100]) {
    assert.deepEqual(await ask(desk, new Array<SignatureClaim>(count).fill(claim)), range(count));
  }
  // When the thread is through with what nobody waited for, it is of use again.
  assert.deepEqual(await ask(desk, [claim, claim]), [0, 1]);
});

test("what is no signature in any form waits for nobody", async (context) => {
  const desk = open(context);
  let isCalled = false;
  const signature = { r8x: 2n ** 256n, r8y: 1n, s: -1n };
  desk.ahead({ ...claimOf(30n), signature }, () => {
    isCalled = true;
  });
  assert.equal(isCalled, true);
});

test("whoever waits is called at once by a flush and by the end", async (context) => {
  for (const end of ["flush", "stop"] as const) {
    const desk = open(context, { thread: new URL("./stuckThread.ts", import.meta.url) });
    const called: number[] = [];
    for (const index of range(3)) desk.ahead(claimOf(40n), () => void called.push(index));
    assert.equal(called.length, 0);
    const ended = desk[end]();
    assert.deepEqual(called, [0, 1, 2]);
    await ended;
    desk.ahead(claimOf(41n), () => void called.push(3));
    // The thread is still at the first claim, or gone: nobody waits for it.
    assert.deepEqual(called, [0, 1, 2, 3]);
  }
});

test("a thread that dies or says nothing holds nobody back", async (context) => {
  for (const name of ["dead", "stuck"]) {
    const said: string[] = [];
    const note = (text: string) => void said.push(text);
    const thread = new URL(`./${name}Thread.ts`, import.meta.url);
    const stuckMs = name === "dead" ? WAIT_MS : 50;
    const desk = open(context, { thread, stuckMs }, { ...silent, warn: note, error: note });
    const claims = variants(claimOf(name === "dead" ? 50n : 60n));
    assert.deepEqual(await ask(desk, claims), range(claims.length));
    assert.match(said.join(), name === "dead" ? /has ended/ : /is stuck/);
    // Nobody has looked at them: whoever asks finds out by himself.
    for (const [index, { key: of, message, signature }] of claims.entries()) {
      assert.equal(verifyOnce(of, message, signature), index === 0);
    }
    assert.deepEqual(await ask(desk, claims), range(claims.length));
  }
});

test("a verdict stays until it is read, however many claims come after it", async () => {
  const thread = new URL("./parityThread.ts", import.meta.url);
  const desk = openSignatureWorker(silent, { thread, stuckMs: WAIT_MS });
  // The thread is up, and the next claims begin at place 0 of the ring.
  await ask(
    desk,
    Array.from({ length: PLACES }, (_, at) => claimOf(2n * BigInt(at) + 2n)),
  );
  const { signature } = claimOf(1n);
  /** As many as the ring has places for. */
  const round = (first: bigint): SignatureClaim[] =>
    Array.from({ length: PLACES }, (_, at) => {
      return { key, message: first + 2n * BigInt(at), signature };
    });
  const forged = round(1_000_000n);
  const asking = ask(desk, [...forged]);
  pauseHere(PAUSE_MS);
  // The thread has judged the first ones, which nobody has read: these take their places.
  const others = ask(desk, round(2_000_001n));
  pauseHere(PAUSE_MS);
  await Promise.all([asking, others]);
  const taken = forged.filter((claim) => verifyOnce(claim.key, claim.message, claim.signature));
  assert.equal(taken.length, 0, "signatures that the thread has refused are taken for good");
  await desk.stop();
});

/** Long for a thread that does next to nothing. */
const PAUSE_MS = 1_500;

/** This thread does nothing, and reads no verdicts. */
function pauseHere(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
