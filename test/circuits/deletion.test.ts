// Deleted constraints of a circuit in which it is known which ones are redundant.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { describe } from "../../circuits/adversary/attack.ts";
import { deleteEach } from "../../circuits/adversary/deletion.ts";
import { loadTarget } from "../../circuits/adversary/target.ts";

/** One of three, said by hints with a sum; a row that is replaced; and one thing said twice. */
const SOURCE = `pragma circom 2.2.0;
template Known() {
    signal input index;
    signal input rows[2];
    signal input row;
    signal input by;
    signal input bit;
    signal output out[2];
    signal is[3];
    var sum = 0;
    var place = 0;
    for (var i = 0; i < 3; i++) {
        is[i] <-- index == i ? 1 : 0;
        is[i] * (is[i] - 1) === 0;
        sum += is[i];
        place += i * is[i];
    }
    sum === 1;
    place === index;
    var changed = 0;
    for (var i = 0; i < 2; i++) {
        out[i] <== rows[i] + is[i] * (by - rows[i]);
        changed += out[i] - rows[i];
    }
    changed === by - row;
    bit * (bit - 1) === 0;
    (2 * bit - 1) * (2 * bit - 1) === 1;
}
component main = Known();
`;

test("what is not redundant is missed, however many signals have to move", async (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-deletion-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "known.circom");
  writeFileSync(file, SOURCE);
  const target = await loadTarget(file, { cacheFolder: path.join(folder, "cache") });
  const honest = { rows: [5, 8], by: 7, bit: 1 };
  const taken = [
    { ...honest, index: 0, row: 5 },
    { ...honest, index: 1, row: 8 },
    { ...honest, index: 2, row: 7 },
  ];
  const refused = [{ ...honest, index: 0, row: 6 }];
  const { killed, survivors, notRefused } = deleteEach(target, { taken, refused });
  assert.deepEqual(notRefused, []);
  // Either of the two says what the other does.
  const told = survivors.map((at) => describe(target, at));
  assert.equal(told.length, 2, told.join("\n"));
  for (const text of told) assert.match(text, /main\.bit/);
  const killers = new Set(killed.values());
  assert.ok(killers.has("near") || killers.has("together"), [...killers].join());
});
