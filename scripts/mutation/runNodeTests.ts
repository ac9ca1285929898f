/** Runs test files in this process, one after the other, and ends at the first test that fails. */
import { run } from "node:test";
import { EXIT } from "./nodeTestExit.ts";

/** A failure that tells of the compiler's settings and not of the contracts. */
const ABOUT_GAS = /\d+ gas\b/;

process.env.NODE_ENV ??= "test";
const stream = run({ files: process.argv.slice(2), isolation: "none", concurrency: false });
stream.on("test:fail", ({ name, details }) => {
  // The sandbox compiles without optimizer.
  if (ABOUT_GAS.test(String(details.error.cause))) return;
  console.log(`failed: ${name}`);
  process.exit(EXIT.failed);
});
let passed = 0;
stream.on("test:pass", () => {
  passed++;
});
stream.on("end", () => process.exit(passed > 0 ? EXIT.passed : EXIT.nothing));
stream.resume();
