/** Puts a validator together: its own store and keys, layer one, the line to the sequencer. */
import { hexToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../exchangeService.ts";
import { createLogFollower } from "../gossip/logFollower.ts";
import { createAttester } from "../l1/attestation.ts";
import { createSettlementLayer } from "../l1/settlementLayer.ts";
import type { Logger } from "../ports.ts";
import { createProver } from "../prover/prover.ts";
import { createValidator, type Validator } from "../roles/validator.ts";
import { createSitting } from "../roles/validatorSitting.ts";
import { openStore, type Store } from "../store/store.ts";
import type { ValidatorFile } from "./config.ts";
import { executorDeployment, layerOneAccess } from "./deployment.ts";
import { loadPrivateKey } from "./keys.ts";
import { type Member, openMember } from "./member.ts";
import { systemClock } from "./systemClock.ts";
import { openVoteKeys } from "./voteKeys.ts";

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
  const privateKey = await loadPrivateKey(file.key, chainId);
  const attester = createAttester(privateKey, { chainId, rollup });
  const store = await openStore(file.dataDir, deployment.domain);
  const none = { wasm: "", zkey: "" };
  const keys = {
    trade: { ...none, vkey: vkeys.trade },
    ledger: { ...none, vkey: vkeys.ledger },
  };
  const prover = createProver({ keys, singleThread: true, logger });
  const member = await openCertification(file, store, privateKey, logger);
  const follower =
    member?.follower ?? (await createLogFollower({ server: file.sequencer, seed, logger }));
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
    const reason = await runBoth(validator, member, signal);
    if (reason !== undefined) throw new ValidatorRefusedError(reason);
  } finally {
    await (member ?? follower).stop();
    await prover.stop();
    await store.close();
  }
}

/** Its part in the validator set, where it has one. */
async function openCertification(
  { certification, deployment, seed, sequencer }: ValidatorFile,
  store: Store,
  privateKey: Hex,
  logger: Logger,
): Promise<Member | undefined> {
  if (certification === undefined) return undefined;
  const { epoch, listen, peers, patienceMs, termMs, heartbeatMs, resendMs } = certification;
  const common = executorDeployment(deployment);
  const sitting = createSitting(common, { epoch, members: certification.validators });
  const keys = openVoteKeys(logger);
  return openMember({
    ...{ ...sitting, keys, store, sequencer, seed, listen, patienceMs, logger },
    timing: { termMs, heartbeatMs, resendMs },
    signer: keys.signer(hexToBytes(privateKey.slice(2))),
    peers: peers.map((address) => address.slice(address.lastIndexOf("/") + 1)),
    addressOf: (place) => peers[place],
  });
}

/** Whoever refuses attests and certifies nothing more; the other part then ends too. */
async function runBoth(
  validator: Validator,
  member: Member | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (member === undefined) return validator.run(signal);
  const ending = new AbortController();
  const until = AbortSignal.any([signal, ending.signal]);
  validator.onExecuted(member.executed);
  const parts = [validator.run(until), member.certify(validator.place(), until)].map((running) =>
    running.finally(() => ending.abort()),
  );
  const reasons = await Promise.all(parts);
  return reasons.find((reason) => reason !== undefined);
}
