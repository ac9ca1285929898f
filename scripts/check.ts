/** `npm run check`: style, types, generated files and the import rule, without the slow tests. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const CHECKS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["format and lint", ["node_modules/@biomejs/biome/bin/biome", "check", "."]],
  ["contracts", ["node_modules/hardhat/dist/src/cli.js", "build"]],
  ["contracts' style", ["scripts/lintContracts.ts"]],
  ["types", ["node_modules/typescript/bin/tsc", "-p", "."]],
  ["the terminal's types", ["node_modules/typescript/bin/tsc", "-p", "sequencer/web"]],
  ["generated files", ["scripts/generate.ts", "--check"]],
  ["import rule and style", ["--test", "test/tidy.test.ts"]],
];

const failed: string[] = [];
for (const [name, args] of CHECKS) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) failed.push(name);
}
console.log(failed.length === 0 ? "\nall checks passed" : `\nfailed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
