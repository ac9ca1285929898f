/** The timelock before a rollup's birth, and its validators after it. */
import { type Address, isAddressEqual } from "viem";
import { VALIDATORS_MAX } from "../sequencer/consensus/validatorSet.ts";
import type { Deploy, Sender } from "./deploy/deployer.ts";
import { DeployError, readArtifact } from "./deployVerifiers.ts";

export const DAY_SECONDS = 86_400;
/** A change waits so much longer than a forced operation and an exit take (seconds). */
const NOTICE_MARGIN = 7 * DAY_SECONDS;
/** What each bonds: 10,000 USDC. */
const STAKE = 10_000_000_000n;
const EVIDENCE_WINDOW = 14 * DAY_SECONDS;
const UNBONDING_DELAY = 21 * DAY_SECONDS;
/** The most that a call takes, with the longest list of members. */
const GAS_MAX = { token: 100_000n, bond: 400_000n } as const;

/** Who may change what; without it the rollup's settings are final. */
export interface GovernanceOptions {
  /** Proposes changes. */
  readonly proposer: Address;
  /** Cancels proposals and pauses deposits and batches; another address than the proposer. */
  readonly guardian: Address;
  /** Seconds that every proposal waits (default: a week more than a forced exit takes). */
  readonly delay?: number | undefined;
}

export interface ValidatorOptions {
  /** Keys that attest batches, at most 16. */
  readonly signers: readonly Address[];
  /** Who bonds for them and gets the stakes back (default: the account that deploys). */
  readonly owner?: Address | undefined;
}

/** Throws {@link DeployError} on what the contracts would refuse, before anything is paid for. */
export function checkGovernance(
  { proposer, guardian, delay }: GovernanceOptions,
  notice: number,
): void {
  if (isAddressEqual(proposer, guardian)) {
    throw new DeployError(`proposer and guardian are two. Got \`${proposer}\` twice.`);
  }
  if (delay !== undefined && delay <= notice) {
    throw new DeployError(`the governance delay is more than ${notice} s. Got \`${delay}\`.`);
  }
}

/** The timelock's address; `notice` is forced deadline and claim window together, seconds. */
export async function deployGovernance(
  deploy: Deploy,
  options: GovernanceOptions,
  notice: number,
): Promise<Address> {
  const delay = BigInt(options.delay ?? notice + NOTICE_MARGIN);
  const artifact = readArtifact("Governance.sol/Governance.json");
  return (await deploy("Governance", artifact, [delay, options.proposer, options.guardian]))
    .address;
}

/** The registry's part of a rollup's configuration. */
export function validatorConfig(
  options: ValidatorOptions | undefined,
  deployer: Address,
  insurance: Address,
) {
  const { signers = [], owner = deployer } = options ?? {};
  if (signers.length > VALIDATORS_MAX) {
    throw new DeployError(`at most ${VALIDATORS_MAX} validators. Got \`${signers.length}\`.`);
  }
  if (signers.length > 0 && isAddressEqual(owner, insurance)) {
    const got = `Got \`${owner}\` for both.`;
    throw new DeployError(`slashed stakes go to the insurance fund's owner: not back. ${got}`);
  }
  return {
    candidates: signers.map((signer) => ({ signer, owner })),
    stake: STAKE,
    evidenceWindow: BigInt(EVIDENCE_WINDOW),
    unbondingDelay: BigInt(UNBONDING_DELAY),
  };
}

export interface Bonding extends ValidatorOptions {
  /** Pays for the stakes, and owns the validators. */
  readonly deployer: Address;
  readonly registry: Address;
  readonly token: Address;
}

/** Bonds for all validators with test tokens; elsewhere their owners do. */
export async function bondValidators({ call }: Sender, bonding: Bonding): Promise<void> {
  const { deployer, registry, token, signers } = bonding;
  const total = STAKE * BigInt(signers.length);
  const testToken = readArtifact("mocks/TestToken.sol/TestToken.json");
  const ofToken = { address: token, artifact: testToken, gasMax: GAS_MAX.token };
  await call({ ...ofToken, functionName: "mint", args: [deployer, total] });
  await call({ ...ofToken, functionName: "approve", args: [registry, total] });
  const artifact = readArtifact("ValidatorRegistry.sol/ValidatorRegistry.json");
  const ofRegistry = { address: registry, artifact, gasMax: GAS_MAX.bond };
  for (const signer of signers) {
    await call({ ...ofRegistry, functionName: "bond", args: [signer] });
  }
}
