/** What contracts would refuse, or nobody can mean, is told before anything is paid for. */
import { isValidKey, type PublicKey } from "../../sequencer/protocol/eddsa.ts";
import { DAY_SECONDS } from "../deployGovernance.ts";
import { DeployError, LOCAL_CHAIN_IDS } from "../deployVerifiers.ts";

/** As in contracts/RollupState.sol. */
const DAYS = { forcedDeadline: [3, 30], claimWindow: [7, 90] } as const;
const OPTION_NAMES = { forcedDeadline: "forced-deadline", claimWindow: "claim-window" } as const;

export interface CheckedTerms {
  readonly oracles: readonly PublicKey[];
  /** Seconds. */
  readonly forcedDeadline: number;
  readonly claimWindow: number;
  readonly minimumDeposit?: bigint | undefined;
}

/** Throws {@link DeployError}. */
export function checkTerms(terms: CheckedTerms, chainId: number): void {
  checkOracles(terms.oracles);
  if (LOCAL_CHAIN_IDS.includes(chainId)) return;
  for (const name of ["forcedDeadline", "claimWindow"] as const) {
    const [least, most] = DAYS[name].map((days) => days * DAY_SECONDS) as [number, number];
    if (terms[name] >= least && terms[name] <= most) continue;
    throw new DeployError(
      `\`--${OPTION_NAMES[name]}\` is ${least} to ${most} seconds on chain \`${chainId}\`. ` +
        `Got \`${terms[name]}\`.`,
    );
  }
  if (terms.minimumDeposit === undefined) {
    throw new DeployError(
      "`--minimum-deposit` is missing: with the smallest deposit anybody fills every account of " +
        `the ledger; chain \`${chainId}\` is not local`,
    );
  }
}

/** The circuits take keys for granted: for the neutral element anybody signs. */
function checkOracles(oracles: readonly PublicKey[]): void {
  const seen = new Set<string>();
  for (const key of oracles) {
    const text = `${key.x}, ${key.y}`;
    if (!isValidKey(key)) {
      throw new DeployError(`an oracle's key is a point of large order. Got \`${text}\`.`);
    }
    if (seen.has(text)) {
      throw new DeployError(`every oracle has its own key. Got \`${text}\` twice.`);
    }
    seen.add(text);
  }
}
