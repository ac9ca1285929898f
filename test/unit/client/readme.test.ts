// The examples of the client's README, as they stand there, against a running API.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { startFixture } from "../api/apiFixture.ts";
import { createFakeService } from "../api/fakeService.ts";
import { walletSecret } from "../cli/commandLine.ts";

const root = path.join(import.meta.dirname, "..", "..", "..");
const readme = readFileSync(path.join(root, "sequencer/client/README.md"), "utf8");
const examples = [...readme.matchAll(/```ts\n\/\/ (\w+\.ts): [\s\S]*?```/g)].map(
  ([block, name]) => {
    return { name: name!, code: block.slice("```ts\n".length, -"```".length) };
  },
);

/** What each must have said. */
const SAID: Readonly<Record<string, RegExp>> = {
  "quote.ts": /ETH-20261225-3000-C rested 1-B-[\s\S]*rested 1-S-[\s\S]*then allCancelled/,
  "market.ts": /mark 120 iv 34.99[\s\S]*ETH-20261225-3000-C at change 10 live: true/,
};

test("every example has a test, and every test an example", () => {
  assert.deepEqual(examples.map(({ name }) => name).sort(), Object.keys(SAID).sort());
});

for (const { name, code } of examples) {
  test(`the example ${name} runs and says what it should`, async (context) => {
    const service = createFakeService(await walletSecret());
    const { server, clock } = await startFixture(context, { service });
    clock.time = Date.now();
    // Below the root, for packages are looked for from there upwards.
    const folder = mkdtempSync(path.join(root, "build", "example-"));
    context.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(path.join(folder, name), code.replaceAll('"./sequencer/', `"${root}/sequencer/`));
    const child = spawn(process.execPath, [path.join(folder, name)], {
      env: { ...process.env, STRADDLE_URL: server.url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const exited = once(child, "exit");
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const [exitCode] = await exited;
    assert.equal(exitCode, 0, err);
    assert.match(out, SAID[name]!);
  });
}
