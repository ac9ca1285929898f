// C6: Trail of Bits' circomspect on the circuits' sources. Its parser is of circom 2.0: files with
// buses it cannot read, and they are listed. All hints (`<--`) stand in files that it can.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { withoutComments } from "../../circuits/adversary/statements.ts";
import { INSPECTED, inspectCircuit } from "../support/inspectedCircuit.ts";
import { isReviewedFinding } from "../support/reviewedWarnings.ts";

const PACKAGE = dirname(createRequire(import.meta.url).resolve("circomspect"));
const TIMEOUT_MS = 10 * 60_000;
/** Numbers only: minutes to analyse, nothing to find. */
const LEFT_OUT = /poseidon_constants/;
const UNREADABLE = "P1000";

interface Finding {
  readonly rule: string;
  /** Without the number that the copy has. */
  readonly file: string;
  readonly source: string;
}

interface Sarif {
  readonly runs: readonly {
    readonly results: readonly {
      readonly ruleId: string;
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region: { readonly startLine: number };
        };
      }[];
    }[];
  }[];
}

async function findingsIn(folder: string): Promise<Finding[]> {
  const files = readdirSync(folder).filter((file) => /\.circom$/.test(file));
  const analysed = files.filter((file) => !LEFT_OUT.test(file));
  const report = join(folder, "circomspect.sarif");
  rmSync(report, { force: true });
  const args = [join(PACKAGE, "cli.js"), ...analysed, "--sarif-file", "circomspect.sarif"];
  // Findings are told by the exit code, too.
  await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 1 << 26 }).catch(
    () => undefined,
  );
  const { runs } = JSON.parse(readFileSync(report, "utf8")) as Sarif;
  return runs[0]!.results.map(({ ruleId, locations }) => {
    const { artifactLocation, region } = locations[0]!.physicalLocation;
    const file = artifactLocation.uri.replace(/.*\//, "");
    const lines = readFileSync(join(folder, file), "utf8").split("\n");
    const source = lines[region.startLine - 1]!.trim();
    return { rule: ruleId, file: file.replace(/^\d+_/, ""), source };
  });
}

function hasBus(text: string): boolean {
  return /\bbus\b|^\s*((input|output) )?[A-Z]\w*\([^;]*\) \w+(\[[^;]*\])?;/m.test(text);
}

test("C6 circomspect finds nothing that was not reviewed", {
  timeout: TIMEOUT_MS,
}, async (context) => {
  for (const name of INSPECTED) {
    const { folder } = await inspectCircuit(name);
    const findings = await findingsIn(folder);
    const unreadable = new Set(
      findings.filter(({ rule }) => rule === UNREADABLE).map(({ file }) => file),
    );
    const files = readdirSync(folder).filter((file) => /\.circom$/.test(file));
    const warnings = findings.filter(({ rule }) => rule !== UNREADABLE);
    for (const file of files) {
      const text = withoutComments(readFileSync(join(folder, file), "utf8"));
      const plain = file.replace(/^\d+_/, "");
      if (!unreadable.has(plain)) continue;
      assert.ok(hasBus(text), `${plain} cannot be read, and not because of buses`);
      const hints = text.split("\n").filter((line) => /<--|-->/.test(line));
      assert.deepEqual(hints, [], `${plain} has hints that nobody analyses`);
    }
    const hinted = warnings.filter(({ rule }) => rule === "CS0005");
    assert.ok(hinted.length > 0, "it must see hints");
    const unreviewed = warnings
      .map(({ rule, file, source }) => `${rule} ${file}: ${source}`)
      .filter((text) => !isReviewedFinding(text));
    assert.deepEqual(unreviewed, []);
    context.diagnostic(
      `C6: ${name}: circomspect read ${files.length - unreadable.size} of ${files.length} files, ` +
        `${warnings.length} warnings, all reviewed`,
    );
  }
});
