/** What a validator has kept of others that voted both ways, read while it does not run. */
import type { TwoVotes } from "../consensus/evidence.ts";
import { sittingValidators } from "../roles/validatorSitting.ts";
import { createCertificationStore } from "../store/certificationStore.ts";
import { createDatabase } from "../store/database.ts";
import type { ValidatorCertification } from "./certificationConfig.ts";
import type { DeploymentFile } from "./config.ts";

/** The store is not there, or another process has it open. */
export class StoreClosedError extends Error {
  override name = "StoreClosedError";
}

/** What is asked of a validator's configuration. */
export interface EvidencePlace {
  readonly dataDir: string;
  readonly deployment: Pick<DeploymentFile, "domain">;
  /** Its sitting: votes are bound to it. */
  readonly certification?: Pick<ValidatorCertification, "epoch" | "validators"> | undefined;
}

/** None where it certifies nothing. Throws {@link StoreClosedError}. */
export async function readKeptEvidence(file: EvidencePlace): Promise<readonly TwoVotes[]> {
  const { dataDir, certification, deployment } = file;
  if (certification === undefined) return [];
  const { domain } = deployment;
  const { epoch } = certification;
  const { members, session } = sittingValidators(domain, {
    epoch,
    members: certification.validators,
  });
  const database = createDatabase(dataDir);
  try {
    // Who looks changes nothing: a wrong path does not become a store.
    await database.open({ createIfMissing: false });
  } catch (error) {
    throw new StoreClosedError(whyClosed(dataDir, error), { cause: error });
  }
  try {
    const kept: TwoVotes[] = [];
    for await (const votes of createCertificationStore(database, session).accusations()) {
      kept.push({ kind: "votes", domain, sitting: { epoch, members }, ...votes });
    }
    return kept;
  } finally {
    await database.close();
  }
}

function whyClosed(dataDir: string, error: unknown): string {
  const { cause } = error as { cause?: { code?: string } };
  return cause?.code === "LEVEL_LOCKED"
    ? `the store in \`${dataDir}\` is in use: stop the validator first`
    : `there is no store in \`${dataDir}\``;
}
