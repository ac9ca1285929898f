// The same proposal gives the same hash in every locale and time zone, and in every Node.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import type { Proposal } from "../../../sequencer/oracle/proposal.ts";
import { bundle, NODE_VERSIONS, nodesMissing, runBundle } from "../../support/nodeVersions.ts";

const folder = mkdtempSync(path.join(tmpdir(), "straddle-hash-"));
after(() => rmSync(folder, { recursive: true }));

const NOW = 1_800_000_000_000;
const [past, soon, day, month] = [-200, 1234, 86_400, 30 * 86_400].map((s) => NOW / 1000 + s) as [
  number,
  number,
  number,
  number,
];
const smile = { a: 400_000, b: 1_234_567_890, rho: -2_345_678_901, m: 123_456_789, sigma: 1e9 };
const proposal: Proposal = {
  time: NOW,
  expiries: [
    { expiry: past, forwardTicks: 25_011, settlementTicks: 25_011 },
    { expiry: soon, forwardTicks: 25_017, averageMilliticks: 25_003_217, smile },
    { expiry: day, forwardTicks: 25_123, smile: { ...smile, a: 30_000_000 } },
    { expiry: month, forwardTicks: 25_321 },
  ],
  slots: [
    { isCall: true, strikeTicks: 24_000, expiry: past },
    null,
    { isCall: false, strikeTicks: 0, expiry: day },
    ...[20_000, 24_900, 25_000, 25_100, 31_000].flatMap((strikeTicks) => [
      { isCall: true, strikeTicks, expiry: soon },
      { isCall: false, strikeTicks, expiry: day },
      { isCall: true, strikeTicks, expiry: month, ivBps: 5000 + (strikeTicks % 777) },
    ]),
  ],
};
const file = path.join(folder, "proposal.json");
writeFileSync(file, JSON.stringify(proposal));

/** Changes only when the protocol, the parameters or the arithmetic do. */
const HASH = "8573817660862460286057797622576227999391950751341362435605102646544919181326";

interface Told {
  readonly hash: string;
  readonly habits: string;
  readonly version: string;
}

function run(node: string, script: string, environment: Record<string, string> = {}): Told {
  const env = { PATH: process.env.PATH ?? "", ...environment };
  const text = execFileSync(node, [script, file], { encoding: "utf8", env });
  return JSON.parse(text) as Told;
}

test("processes with other languages, numbers and time zones sign the same hash", () => {
  const script = path.join(import.meta.dirname, "hashProposal.ts");
  const environments = [
    { LANG: "C", LC_ALL: "C", TZ: "UTC" },
    { LANG: "de_DE.UTF-8", LC_ALL: "de_DE.UTF-8", TZ: "Asia/Kathmandu" },
    { LANG: "ar_EG.UTF-8", LC_ALL: "ar_EG.UTF-8", TZ: "America/St_Johns" },
  ];
  const told = environments.map((environment) => run(process.execPath, script, environment));
  assert.deepEqual(
    told.map(({ hash }) => hash),
    [HASH, HASH, HASH],
  );
  assert.equal(new Set(told.map(({ habits }) => habits)).size, 3, "the processes do differ");
});

test("Node 20, 22 and 24 sign the same hash", { skip: nodesMissing }, async (context) => {
  const bundled = await bundle(path.join(import.meta.dirname, "hashProposal.ts"));
  context.after(bundled.remove);
  const told = await Promise.all(
    NODE_VERSIONS.map(async (version) => {
      return JSON.parse(await runBundle(bundled, version, [file])) as Told;
    }),
  );
  assert.deepEqual(
    told.map(({ version, hash }) => [Number(/^v(\d+)/.exec(version)?.[1]), hash]),
    NODE_VERSIONS.map((version) => [version, HASH]),
  );
});
