/** Which validators certify a deployment's log, and where they begin: the same for every node. */
import { logOrigin } from "../batch/log.ts";
import { type Block, genesisBlock } from "../consensus/block.ts";
import type { Beginning } from "../consensus/handover.ts";
import {
  createValidatorSet,
  type SittingOptions,
  type ValidatorSet,
} from "../consensus/validatorSet.ts";
import { genesisRoot } from "../state/genesis.ts";
import type { Deployment } from "./nodeState.ts";

export interface Sitting {
  readonly validators: ValidatorSet;
  readonly genesis: Block;
}

/** `members`: addresses in the registry's order, any case. */
export type SittingMembers = Omit<SittingOptions, "domain">;

/** Throws RangeError on a set that cannot vote. */
export function sittingValidators(
  domain: bigint,
  { epoch, members }: SittingMembers,
): ValidatorSet {
  const addresses = members.map((address) => address.toLowerCase());
  return createValidatorSet({ domain, epoch, members: addresses });
}

/**
 * Without a beginning a sitting certifies the log from its first record: who joins has executed all
 * of it anyway. Throws RangeError on a set that cannot vote.
 */
export function createSitting(
  deployment: Deployment,
  sitting: SittingMembers,
  beginning?: Beginning,
): Sitting {
  const { domain } = deployment;
  const validators = sittingValidators(domain, sitting);
  if (beginning !== undefined) {
    const { term } = beginning;
    return { validators, genesis: genesisBlock(validators.session, beginning, term) };
  }
  const origin = logOrigin(domain);
  const place = { to: 0, logHash: origin, root: genesisRoot(deployment.shape) };
  return { validators, genesis: genesisBlock(validators.session, place) };
}
