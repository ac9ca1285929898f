// The fuzz and invariant tests written in Solidity, run by Hardhat.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

const root = path.join(import.meta.dirname, "../..");

test("every Solidity test passes", () => {
  const cli = path.join(root, "node_modules/hardhat/dist/src/cli.js");
  // The child is another test runner; told of ours, it would report to it in its own format.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const options = { cwd: root, encoding: "utf8", env } as const;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [cli, "test", "solidity"],
    options,
  );
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /[1-9]\d* passing/);
});
