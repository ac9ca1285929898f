// E1: whatever instant a process ends at, nothing acknowledged is lost and nothing happens twice.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { decodeJson, encodeJson } from "../../sequencer/batch/log.ts";
import { runs } from "../property/runs.ts";
import { createChance } from "../simulation/random.ts";
import { temporaryFolder } from "../unit/store/sampleEntries.ts";
import { type CrashPoint, createCrash } from "./faultyDatabase.ts";
import { assertDisk, assertRecovered } from "./recovery.ts";
import type { Known, Told } from "./sequencerChild.ts";
import { createSurroundings, type Surroundings, startProcess, trade } from "./venue.ts";

/** A process that ends at the point; says whether it came so far, and how many steps it made. */
async function liveUntil(around: Surroundings, point: CrashPoint, seed: number) {
  const crash = createCrash(point);
  const process = await startProcess(around, crash.step);
  let isDone = false;
  await Promise.race([
    crash.ended,
    trade(process, around, seed).then(() => {
      isDone = true;
    }),
  ]);
  await process.close();
  return { isDone, steps: crash.steps() };
}

async function crashAt(context: TestContext, point: CrashPoint, seed: number): Promise<void> {
  const around = createSurroundings(await temporaryFolder(context));
  const { isDone } = await liveUntil(around, point, seed);
  assert.equal(isDone, false, `the process of seed \`${seed}\` ended before step ${point.step}`);
  await assertRecovered(around);
}

test("E1 a crash at every durable step loses nothing that was acknowledged", async (context) => {
  const { numRuns } = runs(24, 2000);
  let done = 0;
  let acknowledged = 0;
  for (let seed = 1; done < numRuns; seed++) {
    const whole = createSurroundings(await temporaryFolder(context));
    const { steps } = await liveUntil(whole, { step: 0, when: "before" }, seed);
    assert.ok(whole.receipts.length >= 3, `seed \`${seed}\`: ${whole.receipts.length} receipts`);
    await assertRecovered(whole);
    acknowledged += whole.receipts.length;
    // A bounded run takes steps from all over the life instead of its beginning only.
    const points = 2 * steps;
    const stride = numRuns < points ? Math.ceil(points / numRuns) : 1;
    for (let at = seed % stride; at < points && done < numRuns; at += stride) {
      const when = at % 2 === 0 ? "before" : "after";
      await crashAt(context, { step: 1 + Math.floor(at / 2), when }, seed);
      done += 1;
    }
  }
  context.diagnostic(`${done} points, ${acknowledged} receipts in the undisturbed lives`);
});

const CHILD = fileURLToPath(new URL("sequencerChild.ts", import.meta.url));
/** Lives on one disk, so that the replays stay short. */
const LIVES_PER_DISK = 15;

/** A life of a child that ends by SIGKILL, a while after its first receipt. */
async function killedLife(around: Surroundings, seed: number): Promise<void> {
  const { clock, settlement, receipts, folder } = around;
  const known: Known = { time: clock.now(), anchored: settlement.anchoredBatches };
  const child = spawn(process.execPath, [CHILD, folder, String(seed), encodeJson(known)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const delay = createChance(seed).pick(300);
  let isDue = false;
  for await (const line of createInterface(child.stdout)) {
    const told = decodeJson(line) as Told;
    if ("time" in told) clock.advance(told.time - clock.now());
    else if ("anchored" in told) settlement.anchoredBatches.push(told.anchored);
    else receipts.push(told.receipt as Surroundings["receipts"][number]);
    if (!("receipt" in told) || isDue) continue;
    isDue = true;
    setTimeout(() => child.kill("SIGKILL"), delay);
  }
  const [, signal] = await exited;
  assert.equal(signal, "SIGKILL", "the child ended by itself");
}

test("E1 kill -9 at any time loses nothing that was acknowledged", async (context) => {
  const { numRuns } = runs(15, 500);
  let around = createSurroundings(await temporaryFolder(context));
  let acknowledged = 0;
  for (let life = 0; life < numRuns; life++) {
    if (life > 0 && life % LIVES_PER_DISK === 0) {
      await assertRecovered(around);
      around = createSurroundings(await temporaryFolder(context));
    }
    const before = around.receipts.length;
    await killedLife(around, 1000 + 50 * life);
    await assertDisk(around);
    acknowledged += around.receipts.length - before;
  }
  await assertRecovered(around);
  context.diagnostic(`${numRuns} kills, ${acknowledged} receipts`);
});
