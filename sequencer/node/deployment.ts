/** What of a deployment file goes to executors. */

import { CLOSE_CONFIRMATIONS } from "../l1/queueReader.ts";
import { isDevelopmentChain } from "../protocol/developmentChain.ts";
import type { Deployment } from "../roles/nodeState.ts";
import {
  ConfigError,
  type DeploymentFile,
  type SequencerFile,
  sizesOf,
  type ValidatorFile,
} from "./config.ts";

/** How a node that follows layer one reaches it. */
export function layerOneAccess(file: SequencerFile | ValidatorFile) {
  const { deployment, rpcUrl, witnessUrl, confirmations, headLagMax, headAgeMsMax } = file;
  const { chainId, rollup, block } = deployment;
  const checks = { confirmations, headLagMax, headAgeMsMax };
  return { rpcUrl, witnessUrl, chainId, rollup, firstBlock: BigInt(block), ...checks };
}

/**
 * Blocks on top of a close before it is served. A local chain has no reorgs, and may mine only when
 * somebody sends: nothing would ever be deep there.
 */
export function closeConfirmationsOf({
  deployment,
  closeConfirmations,
}: Pick<SequencerFile, "deployment" | "closeConfirmations">): number {
  const { chainId } = deployment;
  return closeConfirmations ?? (isDevelopmentChain(chainId) ? 0 : CLOSE_CONFIRMATIONS);
}

/** Throws {@link ConfigError} where the file contradicts the sizes of its instance. */
export function executorDeployment(
  file: Pick<DeploymentFile, "instance" | "oracles" | "domain" | "fairOrder">,
): Deployment {
  const sizes = sizesOf(file);
  const { slots, depth, accountLevels, bookLevels, unit, quorum } = sizes.trade;
  if (file.oracles.length !== sizes.trade.oracles) {
    const message = `\`${file.instance}\` has ${sizes.trade.oracles} oracles`;
    throw new ConfigError(`${message}; the deployment names \`${file.oracles.length}\``);
  }
  const shape = { slots, depth, accountLevels, bookLevels, unit };
  const { domain, oracles, fairOrder } = file;
  return { sizes, shape, domain, oracles, quorum, fairOrder };
}
