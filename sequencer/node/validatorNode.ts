/** Puts a validator together: its own store and keys, layer one, the line to the sequencer. */
import { createLogFollower } from "../gossip/logFollower.ts";
import { createAttester } from "../l1/attestation.ts";
import { createSettlementLayer } from "../l1/settlementLayer.ts";
import type { Logger } from "../ports.ts";
import { createProver } from "../prover/prover.ts";
import { createValidator } from "../roles/validator.ts";
import { openStore } from "../store/store.ts";
import type { ValidatorFile } from "./config.ts";
import { executorDeployment, layerOneAccess } from "./deployment.ts";
import { loadPrivateKey } from "./keys.ts";
import { systemClock } from "./systemClock.ts";

/** The validator has refused: an operator must look before it runs again. */
export class ValidatorRefusedError extends Error {
  override name = "ValidatorRefusedError";
}

/** Throws {@link ValidatorRefusedError} when it refuses. */
export async function runValidatorNode(
  file: ValidatorFile,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { deployment, vkeys, seed } = file;
  const { chainId, rollup } = deployment;
  const attester = createAttester(await loadPrivateKey(file.key, chainId), { chainId, rollup });
  const store = await openStore(file.dataDir, deployment.domain);
  const none = { wasm: "", zkey: "" };
  const keys = {
    trade: { ...none, vkey: vkeys.trade },
    ledger: { ...none, vkey: vkeys.ledger },
  };
  const prover = createProver({ keys, singleThread: true, logger });
  const follower = await createLogFollower({ server: file.sequencer, seed, logger });
  const settlement = createSettlementLayer({
    ...layerOneAccess(file),
    ...{ values: store.values, clock: systemClock, logger },
  });
  const { queueWaitMs, clockSkewMs, checkpointEvery, resendMs, pollMs } = file;
  try {
    const validator = await createValidator(
      {
        ...{ clock: systemClock, logger, settlement, follower, prover, attester },
        ...{ log: store.log, checkpoints: store.checkpoints, batches: store.batches },
      },
      {
        deployment: executorDeployment(deployment),
        ...{ queueWaitMs, clockSkewMs, checkpointEvery, resendMs, pollMs },
      },
    );
    logger.info("validator started", { address: attester.address });
    const reason = await validator.run(signal);
    if (reason !== undefined) throw new ValidatorRefusedError(reason);
  } finally {
    await follower.stop();
    await prover.stop();
    await store.close();
  }
}
