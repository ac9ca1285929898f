/**
 * `npm run mutate`: breaks the contracts in small ways, one at a time, and asks the contract tests
 * whether they notice. Works in temporary copies; the checkout stays as it is.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { openCampaign, type Result } from "./campaign.ts";
import { describe, type Mutant, sample } from "./mutants.ts";
import { type Judged, scoreOf, writeDocument } from "./score.ts";

const HELP = `Mutation testing of the contracts. What survives is listed by id.

  npm run mutate -- [options]

  --only <contract>   mutants of this source only, as \`Rollup\` or \`ExitMode\`
  --count <number>    how many, drawn by the seed; \`all\` for every one (default: 200)
  --seed <text>       which ones (default: 1)
  --id <id>           this mutant only; may be given several times
  --lanes <number>    how many at a time (default: the number of cores)
  --fresh             judge again what is known for these sources and tests
  --write             write the survivors into contracts/MUTANTS.md
  --help              this text

Interrupted, the same command goes on where it stopped: verdicts are in build/mutation.
`;
export const DEFAULT_COUNT = 200;
export const DEFAULT_SEED = "1";

export interface Request {
  readonly only?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly seed: string;
  readonly count: number;
  readonly lanes: number;
  readonly fresh: boolean;
}

function drawn(all: readonly Mutant[], { only, ids, seed, count }: Request): Mutant[] {
  if (ids !== undefined) return all.filter(({ id }) => ids.includes(id));
  const eligible = only === undefined ? all : all.filter(({ contract }) => contract === only);
  if (eligible.length === 0) throw new Error(`\`${only}\` is no contract with mutants`);
  return sample(eligible, seed, count);
}

/** Judges what the request draws; `say` hears of each verdict. */
export async function mutate(request: Request, say: (line: string) => void): Promise<Judged[]> {
  const campaign = openCampaign();
  try {
    const mutants = drawn(campaign.mutants, request);
    const results = new Map<string, Result>(request.fresh ? [] : campaign.known);
    const waiting = mutants.filter(({ id }) => !results.has(id));
    const from = `${mutants.length} of ${campaign.mutants.length} mutants, seed ${request.seed}`;
    say(`${from}, ${mutants.length - waiting.length} of them known`);
    let done = mutants.length - waiting.length;
    await campaign.judge(waiting, request.lanes, (mutant, result) => {
      results.set(mutant.id, result);
      done++;
      const { outcome, by, seconds } = result;
      say(`${done}/${mutants.length} ${mutant.id} ${outcome}, ${seconds} s: ${describe(mutant)}`);
      if (outcome !== "survived") say(`    ${by}`);
    });
    return mutants.map((mutant) => [mutant, results.get(mutant.id)!]);
  } finally {
    campaign.close();
  }
}

export function report(judged: readonly Judged[], say: (line: string) => void): void {
  const { killed, survivors, uncounted, unexplained, ofAll, withoutEquivalents } = scoreOf(judged);
  for (const [mutant] of unexplained)
    say(`survived, unexplained: ${mutant.id} ${describe(mutant)}`);
  const counted = killed + survivors.length;
  say(`killed ${killed} of ${counted}: ${ofAll.toFixed(1)} % (${uncounted} not counted)`);
  say(`without those explained as equivalent: ${withoutEquivalents.toFixed(1)} %`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      count: { type: "string", default: String(DEFAULT_COUNT) },
      seed: { type: "string", default: DEFAULT_SEED },
      id: { type: "string", multiple: true },
      lanes: { type: "string", default: String(availableParallelism()) },
      fresh: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  if (values.write && (values.only !== undefined || values.id !== undefined)) {
    throw new Error("--write lists all survivors: without --only and --id");
  }
  const count =
    values.count === "all" ? Number.POSITIVE_INFINITY : wholeNumber("count", values.count);
  const { only, id: ids, seed, fresh } = values;
  const lanes = wholeNumber("lanes", values.lanes);
  const judged = await mutate({ only, ids, seed, count, lanes, fresh }, console.log);
  report(judged, console.log);
  const command = [
    "npm run mutate --",
    ...process.argv.slice(2).filter((arg) => arg !== "--write"),
  ];
  if (values.write) writeDocument(judged, command.join(" "));
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} is \`${text}\`; a whole number above 0 is allowed`);
}

if (import.meta.main) await main();
