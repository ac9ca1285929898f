// The house style as a test: dependency direction, package homes, file names and sizes.
// To change a rule, change its table here; nothing else knows the rules.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { impurityAt } from "./support/purity.ts";

const linesMax = 400;
const columnsMax = 100;
const headerLinesMax = 5;

const core = ["protocol", "engine"];
const adapter = [...core, "type market", "batch", "consensus", "ports", "exchangeService"];

/**
 * Which zones of sequencer/ each zone may import besides itself. A zone is a folder, or a file
 * beside the folders without its extension. A name after "type " may only be a type import.
 */
const zones: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  engine: ["protocol"],
  state: core,
  batch: [...core, "state"],
  consensus: ["protocol", "batch"],
  market: [...core, "pricing"],
  ports: [
    ...["protocol", "type batch", "type consensus", "type engine", "type exchangeService"],
    "type state",
  ],
  exchangeService: [
    ...["protocol", "type engine", "type market", "type accountPolicy", "type packageTrading"],
  ],
  accountPolicy: ["protocol"],
  packageTrading: ["protocol", "type market"],
  store: [...adapter, "state"],
  jetstream: adapter,
  l1: adapter,
  gossip: adapter,
  prover: adapter,
  threads: adapter,
  api: [...adapter, "type accountPolicy", "type packageTrading", "market"],
  oracle: [...adapter, "pricing"],
  metrics: adapter,
  pricing: ["protocol"],
  roles: [
    ...[...core, "state", "batch", "consensus", "ports", "exchangeService", "pricing", "market"],
    ...["type accountPolicy", "type packageTrading"],
  ],
  node: [
    ...[...core, "state", "batch", "consensus", "ports", "exchangeService", "pricing", "roles"],
    ...["store", "jetstream", "l1", "gossip", "prover", "threads", "api", "oracle", "metrics"],
  ],
  client: [...core, "pricing", "market", "exchangeService"],
  cli: ["client", "market", "protocol", "consensus", "node", "l1", "exchangeService"],
  bots: ["client", "market", "exchangeService", "pricing", "engine", "protocol"],
  ccxt: ["client", "protocol", "market"],
  // What the client itself uses, and `batch`: the page computes a proof's public inputs by itself.
  adversary: [],
  web: ["client", "exchangeService", "protocol", "engine", "pricing", "market", "batch"],
};

/** Zones that must run anywhere: the only packages (Node's own included) that they may import. */
const zonePackages: Readonly<Record<string, readonly string[]>> = {
  protocol: ["@noble/*"],
  engine: [],
  state: [],
  batch: ["@noble/*", "node:crypto"],
  consensus: ["@noble/*", "node:crypto"],
  pricing: [],
  market: [],
  // A package of its own: whoever attacks a circuit needs Node, and circom2 beside it.
  adversary: [
    ...["node:child_process", "node:crypto", "node:fs", "node:module", "node:os", "node:path"],
    "node:util",
  ],
};

/** Zones whose code is a function of what it is given, the same one everywhere. */
const pureZones = ["protocol", "engine", "state", "batch", "consensus"];
/** In them what is another language, or decides nothing: it brings records to a medium. */
const impureParts = ["sequencer/protocol/assembly/", "sequencer/batch/logWriter.ts"];

/** Packages that may be imported in these folders only. */
const packageHomes: Readonly<Record<string, readonly string[]>> = {
  level: ["sequencer/store/"],
  "@nats-io/*": ["sequencer/jetstream/", "scripts/", "test/"],
  libp2p: ["sequencer/gossip/"],
  "@libp2p/*": ["sequencer/gossip/"],
  snarkjs: ["sequencer/prover/", "scripts/", "test/"],
  ws: ["sequencer/api/", "sequencer/client/", "sequencer/cli/", "scripts/", "test/"],
  viem: [
    ...["sequencer/l1/", "sequencer/client/", "sequencer/cli/", "sequencer/web/"],
    ...["scripts/", "test/"],
  ],
  react: ["sequencer/web/"],
  "react-dom": ["sequencer/web/"],
  uplot: ["sequencer/web/"],
  "playwright-core": ["test/"],
  circomlibjs: ["scripts/", "test/"],
  ccxt: ["sequencer/ccxt/", "test/"],
  "prom-client": ["sequencer/metrics/"],
};

/** Imports forbidden between two files that share a zone. */
const forbiddenPairs: readonly (readonly [string, string])[] = [
  // A validator that runs the sequencer's code would repeat the sequencer's mistakes.
  ["sequencer/roles/validator.ts", "sequencer/roles/sequencer.ts"],
];

const forbiddenNames = ["index", "utils", "types", "helpers"];
const foldersSkipped = new Set(["node_modules", "build", "artifacts", "cache", "coverage"]);

const rules = ["imports", "packages", "names", "size", "purity", "syntax", "header"] as const;
type Rule = (typeof rules)[number];
type Violation = { rule: Rule; file: string; line: number; message: string };
type Report = (rule: Rule, line: number, message: string) => void;
type Import = { specifier: string; line: number; typeOnly: boolean };

/** Checks one file. `file` is its path from the root, with forward slashes. */
function checkFile(file: string, text: string): Violation[] {
  const violations: Violation[] = [];
  const report: Report = (rule, line, message) => {
    violations.push({ rule, file, line, message });
  };
  if (isGenerated(file)) checkHeader(text, report);
  else checkSize(text, report);
  if (/\.tsx?$/.test(file)) checkTypeScript(file, text, report);
  return violations;
}

function checkHeader(text: string, report: Report): void {
  const header = text.split("\n", headerLinesMax).join("\n");
  if (!header.includes("GENERATED")) {
    report("header", 1, `a generated file says GENERATED in its first ${headerLinesMax} lines`);
  }
}

function checkSize(text: string, report: Report): void {
  const lines = text.replace(/\n$/, "").split("\n");
  if (lines.length > linesMax) {
    report("size", linesMax + 1, `\`${lines.length}\` lines; at most ${linesMax}`);
  }
  for (const [index, line] of lines.entries()) {
    const columns = [...line.trimEnd()].length;
    if (columns > columnsMax) {
      report("size", index + 1, `\`${columns}\` columns; at most ${columnsMax}`);
    }
  }
}

function checkTypeScript(file: string, text: string, report: Report): void {
  const name = path.posix.basename(file).replace(/(\.d)?\.tsx?$/, "");
  if (forbiddenNames.includes(name)) {
    report("names", 1, `\`${name}\` says nothing; name the file after what it exports`);
  }
  const zone = zoneOf(file);
  if (zone !== undefined && zones[zone] === undefined) {
    report("imports", 1, `\`${zone}\` is not in the table of zones`);
  }
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineOf = (node: ts.Node) =>
    source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  const visit = (node: ts.Node): void => {
    const imported = importAt(node, lineOf);
    if (imported) checkImport(file, imported, report);
    const construct = forbiddenConstruct(node);
    if (construct) report("syntax", lineOf(node), `\`${construct}\` does not erase to JavaScript`);
    const impurity = isPure(file, zone) ? impurityAt(node) : undefined;
    if (impurity) report("purity", lineOf(node), `\`${zone}\` is pure: no \`${impurity}\``);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

/** The import that `node` makes: static, re-export, dynamic, `require` or in a type. */
function importAt(node: ts.Node, lineOf: (node: ts.Node) => number): Import | undefined {
  let target: ts.Node | undefined;
  let typeOnly = false;
  if (ts.isImportDeclaration(node)) {
    target = node.moduleSpecifier;
    typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  } else if (ts.isExportDeclaration(node)) {
    target = node.moduleSpecifier;
    typeOnly = node.isTypeOnly;
  } else if (ts.isImportTypeNode(node)) {
    target = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
    typeOnly = true;
  } else if (ts.isCallExpression(node)) {
    const callee = node.expression;
    const isDynamic = callee.kind === ts.SyntaxKind.ImportKeyword;
    if (isDynamic || (ts.isIdentifier(callee) && callee.text === "require")) {
      target = node.arguments[0];
    }
  }
  if (!target || !ts.isStringLiteralLike(target)) return undefined;
  return { specifier: target.text, line: lineOf(node), typeOnly };
}

function checkImport(file: string, imported: Import, report: Report): void {
  const { specifier, line } = imported;
  if (!specifier.startsWith(".")) {
    checkPackage(file, specifier, (message) => report("packages", line, message));
    return;
  }
  const target = path.posix.join(path.posix.dirname(file), specifier);
  const zone = zoneOf(file);
  if (zone === undefined) return;
  const targetZone = zoneOf(target);
  if (targetZone === undefined) {
    if (/^(scripts|test)\//.test(target)) {
      report("imports", line, `nothing in sequencer/ imports \`${target}\``);
    }
    return;
  }
  if (forbiddenPairs.some(([from, to]) => from === file && to === target)) {
    report("imports", line, `\`${file}\` must not import \`${target}\``);
  }
  if (zone === targetZone || zones[zone] === undefined) return;
  if (zones[zone].includes(targetZone)) return;
  if (zones[zone].includes(`type ${targetZone}`)) {
    if (imported.typeOnly) return;
    report("imports", line, `\`${zone}\` may import \`${targetZone}\` by \`import type\` only`);
    return;
  }
  const allowed = zones[zone].join(", ") || "nothing but itself";
  report("imports", line, `\`${zone}\` imports \`${targetZone}\`; allowed: ${allowed}`);
}

function checkPackage(file: string, specifier: string, report: (message: string) => void): void {
  const [first = "", second = ""] = specifier.split("/");
  const scoped = first.startsWith("@");
  const keys = scoped ? [`${first}/${second}`, `${first}/*`] : [first];
  const homes = keys.flatMap((key) => packageHomes[key] ?? []);
  if (homes.length > 0 && !homes.some((home) => file.startsWith(home))) {
    report(`\`${specifier}\` belongs to ${homes.join(", ")}`);
  }
  const zone = zoneOf(file);
  const allowed = zone === undefined ? undefined : zonePackages[zone];
  if (allowed && !keys.some((key) => allowed.includes(key))) {
    report(`\`${zone}\` imports \`${specifier}\`; allowed: ${allowed.join(", ") || "none"}`);
  }
}

function forbiddenConstruct(node: ts.Node): string | undefined {
  if (ts.isEnumDeclaration(node)) return "enum";
  // `declare module "x"` and `declare global` are not namespaces.
  const isNamespace = ts.isModuleDeclaration(node) && (node.flags & ts.NodeFlags.Namespace) !== 0;
  return isNamespace ? "namespace" : undefined;
}

/** Whether the file's code must be a function of what it is given. */
function isPure(file: string, zone: string | undefined): boolean {
  if (zone === undefined || !pureZones.includes(zone) || isGenerated(file)) return false;
  return !impureParts.some((part) => file.startsWith(part));
}

/** `sequencer/engine/book/book.ts` is in `engine`, `sequencer/ports.ts` is in `ports`. */
function zoneOf(file: string): string | undefined {
  const [top, name] = file.split("/");
  if (file.startsWith("circuits/adversary/")) return "adversary";
  return top === "sequencer" ? name?.replace(/\.tsx?$/, "") : undefined;
}

function isGenerated(file: string): boolean {
  return file.split("/").slice(0, -1).includes("generated");
}

function* sources(root: string, folder = ""): Generator<string> {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!entry.name.startsWith(".") && !foldersSkipped.has(entry.name)) {
        yield* sources(root, file);
      }
    } else if (/\.(tsx?|circom|sol)$/.test(entry.name)) {
      yield file;
    }
  }
}

const root = fileURLToPath(new URL("..", import.meta.url));
const found = [...sources(root)].flatMap((file) =>
  checkFile(file, readFileSync(path.join(root, file), "utf8")),
);

for (const rule of rules) {
  test(`the repository keeps the rule on ${rule}`, () => {
    const lines = found
      .filter((violation) => violation.rule === rule)
      .map(({ file, line, message }) => `${file}:${line}: ${message}`);
    assert.ok(lines.length === 0, `\n${lines.join("\n")}`);
  });
}

// The checker checked: [file, its text, the rules it breaks as `rule:line`].
const samples: readonly (readonly [string, string, ...string[]])[] = [
  ["sequencer/protocol/hash.ts", 'import { poseidon2 } from "poseidon-lite";', "packages:1"],
  ["sequencer/protocol/hash.ts", 'import { sha256 } from "@noble/hashes/sha2.js";'],
  ["sequencer/protocol/hash.ts", '\nimport fs from "node:fs";', "packages:2"],
  ["sequencer/protocol/hash.ts", 'import "../engine/book/book.ts";', "imports:1"],
  ["sequencer/engine/book/book.ts", 'import type { A } from "../../protocol/layout.ts";'],
  ["sequencer/engine/margin.ts", 'import type { A } from "../state/treeState.ts";', "imports:1"],
  ["sequencer/engine/margin.ts", 'type A = import("../batch/witness.ts").A;', "imports:1"],
  ["sequencer/engine/margin.ts", 'import { z } from "zod";', "packages:1"],
  ["sequencer/state/treeState.ts", 'import type { A } from "../engine/stateView.ts";'],
  ["sequencer/ports.ts", 'import type { A } from "./batch/executeBatch.ts";'],
  ["sequencer/ports.ts", 'import { A } from "./batch/executeBatch.ts";', "imports:1"],
  ["sequencer/store/a.ts", 'import { Level } from "level"; import "../ports.ts";'],
  ["sequencer/store/a.ts", 'export { a } from "../l1/a.ts";', "imports:1"],
  ["sequencer/api/a.ts", 'await import("../roles/sequencer.ts");', "imports:1"],
  ["sequencer/api/a.ts", 'import "../pricing/black.ts"; import "ws";', "imports:1"],
  ["sequencer/pricing/black.ts", 'import "../engine/margin.ts";', "imports:1"],
  ["sequencer/roles/prover.ts", 'import "../state/treeState.ts"; import "../ports.ts";'],
  ["sequencer/roles/prover.ts", '\n\nimport "../prover/groth16.ts";', "imports:3"],
  ["sequencer/roles/validator.ts", 'import "./sequencer.ts";', "imports:1"],
  ["sequencer/roles/validator.ts", 'import "./follow.ts";'],
  ["sequencer/node.ts", 'import "./store/a.ts"; import "./roles/prover.ts";'],
  ["sequencer/node.ts", 'import "./client/a.ts"; import "./cli/b.ts";', "imports:1", "imports:1"],
  ["sequencer/client/a.ts", 'import "../engine/margin.ts"; import "viem/accounts";'],
  ["sequencer/client/a.ts", 'import "../batch/witness.ts";', "imports:1"],
  ["sequencer/cli/a.ts", 'import "../node.ts"; import "../engine/margin.ts";', "imports:1"],
  ["sequencer/web/app.ts", 'import "../client/a.ts"; import "../roles/sequencer.ts";', "imports:1"],
  ["sequencer/batch/a.ts", 'import "../../scripts/setup.ts";', "imports:1"],
  ["sequencer/l1/a.ts", 'import "../../test/support/chain.ts";', "imports:1"],
  ["sequencer/extras/a.ts", "export {};", "imports:1"],
  ["sequencer/roles/prover.ts", 'import { Level } from "level";', "packages:1"],
  ["sequencer/l1/a.ts", 'import { tcp } from "@libp2p/tcp";', "packages:1"],
  ["sequencer/l1/a.ts", 'const viem = require("viem"); require("libp2p");', "packages:1"],
  ["sequencer/roles/a.ts", 'import * as snarkjs from "snarkjs";', "packages:1"],
  ["sequencer/gossip/a.ts", 'import "libp2p"; import "@libp2p/tcp"; import "ws";', "packages:1"],
  ["sequencer/api/a.ts", 'import { toHex } from "viem/utils";', "packages:1"],
  ["scripts/setup.ts", 'import "snarkjs"; import "viem"; import "../sequencer/l1/a.ts";'],
  ["sequencer/l1/index.ts", "export {};", "names:1"],
  ["test/support/utils.ts", "export {};", "names:1"],
  ["scripts/types.d.ts", "export {};", "names:1"],
  ["contracts/A.sol", "\n".repeat(400)],
  ["contracts/A.sol", "\n".repeat(401), "size:401"],
  ["circuits/a.circom", `\n${"x".repeat(100)}\n${"x".repeat(101)}`, "size:3"],
  ["contracts/generated/A.sol", `// GENERATED\n${"x".repeat(101)}${"\n".repeat(500)}`],
  ["circuits/generated/a.circom", "pragma circom 2.2.3;", "header:1"],
  ["sequencer/engine/a.ts", "const a = Date.now();\nconst b = Math.random();", "purity:1/2"],
  ["sequencer/engine/a.ts", "async function f() {\n  await g();\n}", "purity:1/2"],
  ["sequencer/engine/a.ts", "console.log(1);\nprocess.exit();", "purity:1/2"],
  ["sequencer/consensus/a.ts", "const a = Date.now();\nawait f();", "purity:1/2"],
  ["sequencer/batch/a.ts", "const a = performance.now();\nawait f();", "purity:1/2"],
  ["sequencer/batch/logWriter.ts", "await new Promise((then) => setImmediate(then));"],
  ["sequencer/batch/a.ts", 'import { hash } from "node:crypto";'],
  ["sequencer/batch/a.ts", 'import { hash, randomBytes } from "node:crypto";', "purity:1"],
  ["sequencer/batch/a.ts", 'import os from "node:os";', "packages:1"],
  [
    "sequencer/state/a.ts",
    "const { random } = Math;\nMath.sqrt(2);\nMath.log2(8);",
    "purity:1/2/3",
  ],
  [
    "sequencer/state/a.ts",
    'a.sort((b, c) => b.localeCompare(c));\na["toLocaleString"]();',
    "purity:1/2",
  ],
  ["sequencer/state/a.ts", "new Intl.Collator();\nnew Float64Array(1);", "purity:1/2"],
  ["sequencer/engine/a.ts", "a = 0.5;\nb = 1e-3;\nc = c / 2;\nc /= 2;", "purity:1/2/3/4"],
  ["sequencer/engine/a.ts", "a = Math.floor(b / 2) + 1e3;\nc = d / 2n;"],
  ["sequencer/protocol/a.ts", "a = b.toFixed(2);\nparseFloat(a);", "purity:1/2"],
  ["sequencer/protocol/assembly/a.ts", "a = b / c;"],
  ["sequencer/roles/a.ts", "a = 0.5 / Math.random();"],
  ["sequencer/consensus/a.ts", 'import "../batch/log.ts"; import "../ports.ts";', "imports:1"],
  ["sequencer/consensus/a.ts", 'import "@noble/hashes/sha2.js"; import "zod";', "packages:1"],
  ["sequencer/batch/a.ts", 'import type { A } from "../consensus/block.ts";', "imports:1"],
  ["sequencer/engine/a.ts", "// no Date\nconst a = { process: event.process, b: Math.max(1, 2) };"],
  ["sequencer/roles/prover.ts", "await Promise.resolve(Date.now());"],
  ["sequencer/state/a.ts", "enum A { B }\nnamespace C { export const d = 1; }", "syntax:1/2"],
  ["scripts/ambient.d.ts", 'declare module "wasmcurves";'],
];

test("the checker finds what it should, where it is", () => {
  for (const [file, text, ...expected] of samples) {
    const actual = checkFile(file, text).map(({ rule, line }) => `${rule}:${line}`);
    const wanted = expected.flatMap((entry) => {
      const [rule, lines = ""] = entry.split(":");
      return lines.split("/").map((line) => `${rule}:${line}`);
    });
    assert.deepEqual(actual, wanted, `${file}: ${text.slice(0, columnsMax)}`);
  }
});
