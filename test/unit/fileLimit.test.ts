import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

const LIMIT = new URL("../support/fileLimit.ts", import.meta.url).href;
/** A test that ends, and a timer that does not. */
const KEPT_OPEN = `import { test } from "node:test";
test("ends", () => void setInterval(() => {}, 1000));
`;

test("a file that something keeps open is ended, fails, and is named", (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-limit-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "open.test.mjs");
  writeFileSync(file, KEPT_OPEN);
  // The runner runs no tests for a process that is one of its own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ["--import", LIMIT, "--test", file], {
    ...{ encoding: "utf8", timeout: 120_000 },
    env: { ...env, STRADDLE_TEST_FILE_MINUTES: "0.02" },
  });
  assert.equal(status, 1, "it ends by itself, and not well");
  assert.match(stdout, /open\.test\.mjs has not ended in 0\.02 minutes; open: .*Timeout/);
});
