/**
 * Replays the recorded rally with leveraged random portfolios on the sequencer itself, proves every
 * batch in which somebody was liquidated, and writes a report with pictures. See `--help`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type RallyOptions, runRally } from "./rally/run.ts";

const HELP = `Replays the recorded rally with leveraged random portfolios, with proofs and pictures.

  npm run rally -- DIR [--seed 1] [--traders 40] [--hours 96] [--prove N] [--out build/rally]

  DIR         directory of the recorded data, with chain/ and trades/ inside
  --seed      of everything random; the report names it
  --traders   leveraged accounts
  --hours     recorded hours to play; the recording has 96
  --prove     prove at most N of the batches with liquidations (default: all of them)
  --out       folder of report.html, report.json and the pictures
  --help      this text

A proof takes 10 to 30 seconds; Ctrl-C ends the run and leaves nothing behind.
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: "string", default: "1" },
      traders: { type: "string", default: "40" },
      hours: { type: "string", default: "96" },
      prove: { type: "string", default: "100000" },
      out: { type: "string", default: "build/rally" },
      help: { type: "boolean", default: false },
    },
  });
  const [directory] = positionals;
  if (values.help || directory === undefined) {
    process.stdout.write(HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort(new Error("interrupted")));
  const store = mkdtempSync(path.join(tmpdir(), "straddle-rally-"));
  const options: RallyOptions = {
    ...{ directory, store, out: values.out, signal: controller.signal },
    seed: wholeNumber("--seed", values.seed, 1),
    traders: wholeNumber("--traders", values.traders, 1),
    hours: wholeNumber("--hours", values.hours, 1),
    proveMax: wholeNumber("--prove", values.prove, 0),
    say: (line) => console.log(line),
  };
  try {
    const { failures } = await runRally(options);
    for (const failure of failures) console.error(`rally: ${failure}`);
    process.exitCode = failures.length === 0 ? 0 : 1;
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
}

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new Error(`\`${name}\` must be a whole number from ${min} on. Got \`${text}\`.`);
}

try {
  await main();
} catch (error) {
  console.error(`rally: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
