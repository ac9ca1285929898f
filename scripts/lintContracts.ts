/**
 * Lints the contracts with solhint: its recommended rules and more, as errors. What is deliberate
 * is listed here with its reason and its number, so that one more of the same is found again.
 */
import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

interface Deliberate {
  readonly file: string;
  readonly rule: string;
  readonly count: number;
  readonly why: string;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CONTRACTS = "contracts/**/*.sol";
/** Mocks misbehave for a living; what is generated has its own source. */
const LEFT_OUT = /\/(mocks|generated)\//;

const CONFIG = {
  extends: "solhint:recommended",
  rules: {
    // Interfaces are open to other compilers of the same line; contracts name one.
    "compiler-version": ["error", "^0.8.28"],
    "code-complexity": ["error", 12],
    "multiple-sends": "error",
    reentrancy: "error",
    "func-visibility": ["error", { ignoreConstructors: true }],
    // They are read through getters of these names, which the interfaces state.
    "immutable-vars-naming": ["error", { immutablesAsConstants: false }],
    // Interfaces are documented in full; comments elsewhere say why, where that is not plain.
    "use-natspec": "off",
    // Gas is measured by `npm run bench -- gas`, not guessed.
    "gas-increment-by-one": "off",
    "gas-indexed-events": "off",
    "gas-small-strings": "off",
    "gas-strict-inequalities": "off",
    "gas-struct-packing": "off",
  },
} as const;

const DELIBERATE: readonly Deliberate[] = [
  {
    file: "contracts/Rollup.sol",
    rule: "no-empty-blocks",
    count: 1,
    why: "a payment that succeeds needs nothing more; one that fails is credited",
  },
  {
    file: "contracts/libraries/PublicData.sol",
    rule: "no-inline-assembly",
    count: 3,
    why: "evaluates every word of a batch, which is most of what a batch costs",
  },
  {
    file: "contracts/libraries/BatchedGroth16.sol",
    rule: "no-inline-assembly",
    count: 13,
    why: "calls precompiles on points where they stand, in few bytes of code",
  },
  {
    file: "contracts/RollupBatches.sol",
    rule: "no-inline-assembly",
    count: 1,
    why: "hands the proof to its verifier as it came",
  },
  {
    file: "contracts/libraries/MemberSet.sol",
    rule: "no-inline-assembly",
    count: 3,
    why: "keeps the members as code, which only opcodes write and read",
  },
  {
    file: "contracts/ValidatorRegistry.sol",
    rule: "no-inline-assembly",
    count: 1,
    why: "reads a word of a certificate where it stands",
  },
];

interface Solhint {
  processStr(
    source: string,
    config: object,
    file: string,
  ): {
    readonly reports: readonly {
      readonly line: number;
      readonly ruleId: string;
      readonly message: string;
    }[];
  };
}

const { processStr } = createRequire(import.meta.url)("solhint") as Solhint;

/** What the rules find in one file, deliberate or not. */
export function findingsIn(file: string, source: string): Finding[] {
  return processStr(source, CONFIG, file).reports.map(({ line, ruleId, message }) => {
    return { file, line, rule: ruleId || "parser", message };
  });
}

/** What is left once the deliberate is taken out, and what is deliberate no longer. */
export function remaining(
  findings: readonly Finding[],
  deliberate: readonly Deliberate[] = DELIBERATE,
): Finding[] {
  const isOf = (entry: Deliberate) => (found: Finding) =>
    found.file === entry.file && found.rule === entry.rule;
  const stale = deliberate.flatMap((entry) => {
    const { file, rule, count } = entry;
    const found = findings.filter(isOf(entry)).length;
    if (found === count) return [];
    return [{ file, line: 0, rule, message: `\`${count}\` are deliberate. Found \`${found}\`.` }];
  });
  const open = findings.filter((found) => !deliberate.some((entry) => isOf(entry)(found)));
  return [...open, ...stale];
}

export function lintContracts(): Finding[] {
  const files = globSync(CONTRACTS, { cwd: ROOT })
    .map((file) => file.split(path.sep).join("/"))
    .filter((file) => !LEFT_OUT.test(file))
    .sort();
  return remaining(
    files.flatMap((file) => findingsIn(file, readFileSync(path.join(ROOT, file), "utf8"))),
  );
}

if (import.meta.main) {
  const found = lintContracts();
  for (const { file, line, rule, message } of found) {
    console.log(`${file}:${line}: ${rule}: ${message}`);
  }
  console.log(found.length === 0 ? "the contracts are clean" : `${found.length} findings`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
