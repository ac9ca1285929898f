/** `straddle evidence export`: what a validator's store holds against others, as files. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { checkEvidence, encodeEvidence, type TwoVotes } from "../consensus/evidence.ts";
import { ConfigError, readConfig } from "../node/config.ts";
import { readKeptEvidence, StoreClosedError } from "../node/keptEvidence.ts";
import { EXIT_CODES, UsageError } from "./failure.ts";
import { table } from "./output.ts";
import type { Session } from "./session.ts";

interface Written {
  readonly guilty: string;
  readonly offence: string;
  readonly file: string;
}

export async function exportKept(
  { io, output }: Session,
  [config]: readonly string[],
  { out }: { readonly out: string },
): Promise<number> {
  const kept = await readKept(path.resolve(io.folder, config!), io.folder);
  const folder = path.resolve(io.folder, out);
  const written = kept.flatMap((evidence) => writtenTo(folder, evidence));
  output.result({ written }, () => {
    if (written.length === 0) return "The validator has kept nothing against the others.";
    const rows = written.map(({ guilty, offence, file }) => [guilty, offence, file]);
    return table(["guilty", "of", "file"], rows, 3);
  });
  return written.length > 0 ? 0 : EXIT_CODES.noEffect;
}

async function readKept(config: string, folder: string): Promise<readonly TwoVotes[]> {
  try {
    const file = readConfig("validator", config);
    return await readKeptEvidence({ ...file, dataDir: path.resolve(folder, file.dataDir) });
  } catch (error) {
    const isWrongPlace = error instanceof ConfigError || error instanceof StoreClosedError;
    throw isWrongPlace ? new UsageError(error.message, { cause: error }) : error;
  }
}

/** What proves nothing is not written: whoever gets a file may rely on it. */
function writtenTo(folder: string, evidence: TwoVotes): Written[] {
  const { domain, sitting } = evidence;
  const rules = { domain, sequencers: [], validators: sitting.members };
  const verdict = checkEvidence(evidence, rules);
  if (!verdict.isProven) return [];
  const { guilty, offence } = verdict;
  const name = `evidence-${sitting.epoch}-${guilty}-${offence.replaceAll(" ", "-")}.json`;
  const file = path.join(folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, encodeEvidence(evidence));
  return [{ guilty, offence, file }];
}
