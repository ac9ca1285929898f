/** Which validators certify a deployment's log, and where they begin: the same for every node. */
import { logOrigin } from "../batch/log.ts";
import { type Block, genesisBlock } from "../consensus/block.ts";
import { createValidatorSet, type ValidatorSet } from "../consensus/validatorSet.ts";
import { genesisRoot } from "../state/genesis.ts";
import type { Deployment } from "./nodeState.ts";

export interface Sitting {
  readonly validators: ValidatorSet;
  readonly genesis: Block;
}

/**
 * Every sitting certifies the log from its first record: who joins has executed all of it anyway.
 * `members`: addresses in the registry's order, any case. Throws RangeError on a set that cannot
 * vote.
 */
export function createSitting(
  deployment: Deployment,
  { epoch, members }: { readonly epoch: number; readonly members: readonly string[] },
): Sitting {
  const { domain } = deployment;
  const addresses = members.map((address) => address.toLowerCase());
  const validators = createValidatorSet({ domain, epoch, members: addresses });
  const origin = logOrigin(domain);
  const place = { to: 0, logHash: origin, root: genesisRoot(deployment.shape) };
  return { validators, genesis: genesisBlock(validators.session, place) };
}
