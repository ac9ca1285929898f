// The client runs in browsers and in every supported Node, and carries nothing but free code.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { bundle, NODE_VERSIONS, nodesMissing, runBundle } from "../../support/nodeVersions.ts";
import { createMarket } from "../roles/market.ts";
import { startVenue } from "./liveSequencer.ts";

const root = path.join(import.meta.dirname, "..", "..", "..");
const CLIENT = "sequencer/client";
const FREE = /^(MIT|ISC|Apache-2\.0|BSD-[23]-Clause|0BSD|Unlicense)$/;

/** Every file that the client's files reach by imports that are not erased. */
async function reached(): Promise<string[]> {
  const files = readdirSync(path.join(root, CLIENT)).filter((name) => name.endsWith(".ts"));
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: files.map((name) => path.join(CLIENT, name)),
    ...{ bundle: true, write: false, metafile: true, outdir: "build/client", logLevel: "silent" },
    // For a browser nothing of Node's resolves: an import of it fails the build.
    ...{ platform: "browser", format: "esm", target: "es2022" },
  });
  return Object.keys(metafile.inputs);
}

test("nothing of Node, and no code that is not free, is in what a client bundles", async () => {
  const inputs = await reached();
  assert.ok(inputs.includes(`${CLIENT}/trader.ts`));
  assert.deepEqual(
    inputs.filter((file) => /^node:|^\(disabled\)/.test(file)),
    [],
  );
  const own = inputs.filter((file) => file.startsWith("sequencer/"));
  const folders = new Set(own.map((file) => file.split("/").slice(0, 2).join("/")));
  for (const folder of folders) {
    const licence = readFileSync(path.join(root, folder, "LICENSE"), "utf8");
    assert.match(licence, /MIT License/, folder);
  }
  const packages = new Set(
    inputs.flatMap((file) => file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []),
  );
  assert.ok(packages.size > 0);
  for (const folder of packages) {
    const file = readFileSync(path.join(root, folder, "package.json"), "utf8");
    const { license } = JSON.parse(file) as { license?: string };
    assert.match(license ?? "none", FREE, folder);
  }
  assert.equal(
    own.length + [...inputs].filter((file) => file.includes("node_modules/")).length,
    inputs.length,
  );
});

test("every supported Node trades", { skip: nodesMissing }, async (context) => {
  const program = await bundle(path.join(import.meta.dirname, "portableProgram.ts"));
  context.after(() => program.remove());
  for (const version of NODE_VERSIONS) {
    const { world, maker } = await createMarket();
    const { server } = await startVenue(context, world);
    const args = [server.url, maker.account, maker.secret, world.clock.now()].map(String);
    const said = JSON.parse(await runBundle(program, version, args)) as {
      outcome: string;
      asks: object[];
      orders: object[];
    };
    assert.equal(said.outcome, "rested", `Node ${version}`);
    assert.deepEqual(said.asks, [{ price: 51, amount: 0.1 }]);
    assert.equal(said.orders.length, 1);
  }
});
