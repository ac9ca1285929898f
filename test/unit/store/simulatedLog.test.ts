// The simulated engine keeps the same promises, under faults from seeds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeJson, type LogRecord, logOrigin } from "../../../sequencer/batch/log.ts";
import { runs } from "../../property/runs.ts";
import { createChance } from "../../simulation/random.ts";
import { createSimulatedMedium } from "../../support/simulatedLog.ts";
import { collect, testLog } from "./logConformance.ts";
import { DOMAIN, sampleEntry } from "./sampleEntries.ts";

const origin = logOrigin(DOMAIN);

testLog({
  name: "simulated",
  rival: "takes over",
  create: async () => {
    const medium = createSimulatedMedium({ origin, chance: createChance(1) });
    return {
      open: medium.open,
      forge: async (records) =>
        medium.forge(records.filter((record) => record !== undefined).map(encodeJson)),
      breakDown: medium.failSyncs,
    };
  },
});

/** Writers come, crash and are replaced; gives what was acknowledged, and what is there. */
async function life(seed: number): Promise<{ acknowledged: LogRecord[]; found: LogRecord[] }> {
  const chance = createChance(seed);
  const faults = { turnsMax: 4, syncErrorPercent: 5 };
  const medium = createSimulatedMedium({ origin, chance, faults });
  const acknowledged: LogRecord[] = [];
  for (let round = 0; round < 6; round++) {
    const log = await medium.open();
    for (let count = chance.pick(12); count > 0; count--) {
      const entries = Array.from({ length: 1 + chance.pick(3) }, () =>
        sampleEntry(chance.pick(99)),
      );
      log.append(entries).then(
        (records) => acknowledged.push(...records),
        () => undefined,
      );
      for (let turn = chance.pick(3); turn > 0; turn--) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    if (chance.happens(70)) medium.crash();
    else await log.close();
  }
  const log = await medium.open();
  return { acknowledged, found: await collect(log.read(0)) };
}

test("what was acknowledged survives every crash, whole and at its place", async () => {
  const { numRuns } = runs(200);
  let lost = 0;
  for (let seed = 1; seed <= numRuns; seed++) {
    const { acknowledged, found } = await life(seed);
    for (const record of acknowledged) assert.deepEqual(found[record.position], record);
    lost += found.length === 0 ? 1 : 0;
  }
  assert.ok(lost < numRuns / 2, "most lives write something");
});

test("a seed repeats a life exactly", async () => {
  for (const seed of [3, 4, 5]) assert.deepEqual(await life(seed), await life(seed));
});
