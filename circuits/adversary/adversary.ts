/** `circom-adversary`: attacks one circuit and prints what was found. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { attackCircuit, type Finding } from "./attack.ts";
import type { SignalValues } from "./calculator.ts";
import { loadTarget } from "./target.ts";

const HELP = `Attacks a circom circuit: what else than the honest witness do its constraints take?

  node circuits/adversary/adversary.ts --circuit main.circom --input input.json [options]

  --circuit <file>    with a main component
  --input <file>      inputs that it takes, as for a witness; may be given several times
  --library <folder>  where includes are looked for (circom's -l); may be given several times
  --allow <regexp>    findings on signals that it matches are reviewed and harmless; several times
  --calls <n>         hints of one site that are replaced, over all components (default: 16)
  --deletion          also deletes every constraint and lists what nobody misses (slower)
  --seed <n>          of random values (default: 1)
  --cache <folder>    keep compiled circuits here
  --help              this text

Exit code 1 if there are findings that are not allowed, 2 if the command is not understood.
`;

class UsageError extends Error {
  override name = "UsageError";
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        circuit: { type: "string" },
        input: { type: "string", multiple: true, default: [] },
        library: { type: "string", multiple: true, default: ["node_modules"] },
        allow: { type: "string", multiple: true, default: [] },
        calls: { type: "string", default: "16" },
        deletion: { type: "boolean", default: false },
        seed: { type: "string", default: "1" },
        cache: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`\`--${name}\` takes a whole number of at least 1. Got \`${text}\`.`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  const values = readArguments();
  if (values.help) {
    print(HELP);
    return 0;
  }
  const { circuit, input, library } = values;
  if (circuit === undefined || input.length === 0) {
    throw new UsageError("`--circuit` and at least one `--input` are needed; see `--help`");
  }
  const [callsMax, seed] = [wholeNumber("calls", values.calls), wholeNumber("seed", values.seed)];
  const target = await loadTarget(circuit, {
    libraries: library,
    ...(values.cache === undefined ? {} : { cacheFolder: values.cache }),
  });
  const cases = input.map((file) => JSON.parse(readFileSync(file, "utf8")) as SignalValues);
  const report = attackCircuit(target, cases, { callsMax, seed, deletion: values.deletion });
  const allowed = values.allow.map((text) => new RegExp(text));
  const isAllowed = ({ signal }: Finding) => allowed.some((expression) => expression.test(signal));
  const findings = report.findings.filter((finding) => !isAllowed(finding));
  print(`${report.constraints} constraints, ${report.wires} wires, ${cases.length} witnesses`);
  for (const [site, count] of report.hints) print(`hint ${site}: ${count} values tried`);
  for (const { attack, kind, signal, detail } of findings) {
    print(`${kind.toUpperCase()} by ${attack}: ${signal}: ${detail}`);
  }
  for (const constraint of report.survivors ?? []) print(`not missed: ${constraint}`);
  const reviewed = report.findings.length - findings.length;
  print(`${findings.length} findings, ${reviewed} more are allowed`);
  return findings.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
