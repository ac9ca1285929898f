// The command of the named tests, run on a small project of its own: real runners, and tests that
// pass, fail, are skipped, are missing, never run, or whose file is broken.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { findNamedTests, isResultOf } from "../../scripts/settlement/namedTests.ts";
import { nameInFunction, nameInTitle, PROPERTIES } from "../../scripts/settlement/properties.ts";

const root = path.join(import.meta.dirname, "../..");
mkdirSync(path.join(root, "build"), { recursive: true });
// Inside the repository, where its packages are found.
const project = mkdtempSync(path.join(root, "build/settlement-"));
after(() => rmSync(project, { recursive: true, force: true }));

const NODE_TESTS = `import { test } from "node:test";
test("A1 holds", (context) => {
  context.diagnostic("A1: 7 of 7");
  context.diagnostic("A3: no test has this name");
  context.diagnostic("something else");
});
test("A2: does not hold", () => {
  throw new Error("two bytes differ\\nand more");
});
test("A5 needs what is not here", { skip: "anvil is not installed" }, () => {});
for (const depth of [1, 2]) test(\`E10 a reorg of \${depth}\`, () => {});
test("E10 and one that does not run here", { skip: "anvil is not installed" }, () => {});
if (process.argv.includes("never")) test("B6: never reached", () => {});
test("D3 mutants", { skip: process.env.STRADDLE_TEST_LONG ? false : "long" }, () => {});
test("A10 is nobody's name, and A1 comes too late here", () => {
  throw new Error("ran without being asked for");
});
`;
const BROKEN = `import { test } from "node:test";
test("A4 is fine by itself", () => {});
throw new Error("cannot be loaded");
`;
const SOLIDITY = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract NamedTest {
    function test_B4_holds() external pure {}
    /// forge-config: default.fuzz.runs = 1234
    function testFuzz_B4_drawn(uint8 any) external pure {
        assert(any < 256);
    }
    function testFuzz_B1_falls(uint8 any) external pure {
        require(any == 0, "not zero");
    }
    function testB2_hasNoName() external pure {
        require(false);
    }
}
`;
const CONFIG = `import { createRequire } from "node:module";
import { defineConfig } from "hardhat/config";
const path = createRequire(import.meta.url).resolve("solc/soljson.js");
export default defineConfig({
  paths: { sources: "./contracts", tests: { solidity: "./test/contracts" } },
  solidity: { version: "0.8.37", path },
});
`;

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
  writeFileSync(path.join(project, file), text);
}

write("package.json", '{ "type": "module" }');
write("hardhat.config.ts", CONFIG);
write("contracts/Nothing.sol", "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n");
write("test/named.test.ts", NODE_TESTS);
write("test/deep/broken.test.ts", BROKEN);
write("test/contracts/Named.t.sol", SOLIDITY);

function run(...args: readonly string[]) {
  // The child runs tests itself; told of this run, it would refuse to.
  const { NODE_TEST_CONTEXT: _, STRADDLE_TEST_LONG: __, ...env } = process.env;
  const command = ["scripts/settlement.ts", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    ...{ cwd: root, encoding: "utf8", env },
  });
  const shown = stdout.replaceAll(/ +/g, " ");
  return { status, stdout: shown, stderr, lines: shown.trim().split("\n") };
}

const here = ["--root", project, "--no-build"];

test("one line for each name says what came of its tests, and the exit code sums up", () => {
  const { status, lines, stderr } = run(...here);
  assert.equal(status, 1, stderr);
  const names = Object.keys(PROPERTIES).filter((name) => !PROPERTIES[name]!.isOfCircuits);
  const shown = new Map(lines.slice(0, names.length).map((line) => [line.split(" ", 1)[0], line]));
  assert.deepEqual([...shown.keys()], names);
  const expected = {
    A1: /^A1 passed 1 test .*\[7 of 7\]$/,
    A2: /^A2 FAILED 1 test /,
    A3: /^A3 MISSING 0 tests .*[^\]]$/,
    A4: /^A4 FAILED 0 tests /,
    A5: /^A5 SKIPPED 0 tests /,
    B1: /^B1 FAILED 1 test .*\[fuzz runs [\d,]+\]$/,
    B2: /^B2 MISSING/,
    B4: /^B4 passed 2 tests .*\[fuzz runs 1,234\]$/,
    B6: /^B6 FAILED 0 tests /,
    D3: /^D3 not run 0 tests /,
    E10: /^E10 SKIPPED 2 tests /,
  };
  for (const [name, pattern] of Object.entries(expected)) assert.match(shown.get(name)!, pattern);
  const remarks = lines.slice(names.length).join("\n");
  assert.match(remarks, /A2 FAILED: test\/named\.test\.ts:7 A2: does not hold: two bytes differ$/m);
  assert.match(remarks, /A4 FAILED: test\/deep\/broken\.test\.ts: /);
  assert.match(remarks, /A5 SKIPPED: anvil is not installed/);
  assert.match(
    remarks,
    /B1 FAILED: test\/contracts\/Named\.t\.sol:9 testFuzz_B1_falls: .*not zero/,
  );
  assert.match(remarks, /B6 FAILED: test\/named\.test\.ts:\d+ B6: never reached: did not run/);
  assert.match(remarks, /D3 not run \(long: `--long` runs it\): long/);
  assert.match(lines.at(-1)!, /^2 passed, 4 failed, \d+ missing, 2 skipped, 1 not run$/);
  assert.match(stderr, /passed {2}A1 holds/);
  assert.doesNotMatch(stderr, /A10 is nobody's/);
});

test("a run of what holds is good, and so is one without what takes long", () => {
  const { status, lines, stderr } = run(...here, "--only", "d3,E10,A1");
  assert.equal(status, 0, stderr);
  assert.deepEqual(
    lines.slice(0, 3).map((line) => line.split(" ", 1)[0]),
    ["A1", "D3", "E10"],
  );
  assert.equal(lines.at(-1), "1 passed, 1 skipped, 1 not run");
  const long = run(...here, "--only", "D3", "--long");
  assert.match(long.stdout, /^D3 passed 1 test /);
  assert.equal(long.status, 0);
});

test("a name that no test has fails the run by itself", () => {
  const { status, stdout } = run(...here, "--only", "A3");
  assert.match(stdout, /^A3 MISSING.*\nA3 MISSING: no test has it\n1 missing\n$/);
  assert.equal(status, 1);
});

test("Solidity tests that do not compile are failures, not absences", () => {
  const file = "test/contracts/Named.t.sol";
  write(file, SOLIDITY.replace("pure {}", "pure { nothing(); }"));
  const { status, stdout } = run(...here, "--only", "B4");
  write(file, SOLIDITY);
  assert.equal(status, 1);
  assert.match(stdout, /^B4 FAILED 0 tests .*\nB4 FAILED: .*Named\.t\.sol: Hardhat: ./);
});

test("what is not understood is refused, and help is given", () => {
  const unknown = run("--only", "A1,Z9");
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /`--only` takes names from A1, .*E12\. Got `Z9`/);
  assert.equal(run("--nonsense").status, 2);
  const { status, stdout } = run("--help");
  assert.match(stdout, /--only <names>.*MISSING/s);
  assert.equal(status, 0);
});

test("names are whole words at the beginning of a title", () => {
  assert.equal(nameInTitle("B1: anybody"), "B1");
  assert.equal(nameInTitle("B10 expiry"), "B10");
  for (const title of ["B11 x", "a B1", "B1x", "F1: a", "b1"]) {
    assert.equal(nameInTitle(title), undefined, title);
  }
  assert.equal(nameInFunction("testFuzz_B10_expiry"), "B10");
  assert.equal(nameInFunction("invariant_D2_holds"), "D2");
  for (const title of ["test_B11_x", "testB1_x", "helper_B1_x", "test_B1"]) {
    assert.equal(nameInFunction(title), undefined, title);
  }
});

test("every property has a test in this project, and places are told by line", () => {
  const found = findNamedTests(root);
  const missing = Object.keys(PROPERTIES).filter((name) => !found.some((of) => of.name === name));
  assert.deepEqual(missing, []);
  const inProject = findNamedTests(project).map(({ name, line, runner }) => [name, line, runner]);
  assert.deepEqual(inProject.slice(0, 3), [
    ["A4", 2, "node"],
    ["A1", 2, "node"],
    ["A2", 7, "node"],
  ]);
});

test("a result belongs to the test of its title, wherever that has moved", () => {
  const found = findNamedTests(project).filter(({ name }) => name === "E10");
  assert.deepEqual(
    found.map(({ title }) => title),
    ["E10 a reorg of *", "E10 and one that does not run here"],
  );
  const [loop, single] = found as [(typeof found)[0], (typeof found)[0]];
  const { file } = loop;
  assert.ok(isResultOf(loop, { file, title: "E10 a reorg of 64" }));
  assert.ok(!isResultOf(loop, { file: "test/other.test.ts", title: "E10 a reorg of 64" }));
  assert.ok(!isResultOf(loop, { file, title: single.title }));
  assert.ok(!isResultOf(single, { file, title: `${single.title} either` }));
});
