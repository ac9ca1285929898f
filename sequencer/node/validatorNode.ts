/** Puts a validator together: its own store and keys, layer one, the line to the sequencer. */
import { hexToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../exchangeService.ts";
import { createLogFollower } from "../gossip/logFollower.ts";
import { createAttester } from "../l1/attestation.ts";
import { createSettlementLayer } from "../l1/settlementLayer.ts";
import type { Logger } from "../ports.ts";
import { createProver } from "../prover/prover.ts";
import { createValidator, type Validator, type ValidatorPorts } from "../roles/validator.ts";
import { createSitting } from "../roles/validatorSitting.ts";
import { openStore, type Store } from "../store/store.ts";
import { ConfigError, type ValidatorFile } from "./config.ts";
import { executorDeployment, layerOneAccess } from "./deployment.ts";
import { createHandoverWriter, readHandover } from "./handoverFile.ts";
import { loadPrivateKey } from "./keys.ts";
import { createLeaderFollowing, type LeaderFollowing } from "./leaderFollowing.ts";
import { type Member, openMember } from "./member.ts";
import { enterSitting } from "./sittingOfLog.ts";
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
  const { deployment, vkeys } = file;
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
  const follower = member?.follower ?? (await followOne(file, logger));
  const settlement = createSettlementLayer({
    ...layerOneAccess(file),
    ...{ values: store.values, clock: systemClock, logger },
  });
  const { queueWaitMs, clockSkewMs, checkpointEvery, pollMs } = file;
  const moving = member?.moving;
  // A sequencer that has just begun its turn has heard nothing of what was attested to another.
  const resendMs = moving === undefined ? file.resendMs : Math.min(file.resendMs, RESEND_MS_MOVING);
  const open = (mayRefuse?: ValidatorPorts["mayRefuse"]): Promise<Validator> =>
    createValidator(
      {
        ...{ clock: systemClock, logger, settlement, follower, prover, attester },
        ...{ log: store.log, checkpoints: store.checkpoints, batches: store.batches },
        ...(moving && { isFinal: moving.isFinal }),
        ...(mayRefuse && { mayRefuse }),
      },
      {
        deployment: executorDeployment(deployment),
        ...{ queueWaitMs, clockSkewMs, checkpointEvery, resendMs, pollMs },
      },
    );
  try {
    logger.info("validator starts", { address: attester.address });
    const reason = await runParts({ open, store, member, signal });
    if (reason !== undefined) throw new ValidatorRefusedError(reason);
  } finally {
    await (member ?? follower).stop();
    await prover.stop();
    await store.close();
  }
}

const RESEND_MS_MOVING = 3_000;

async function followOne({ sequencer, seed }: ValidatorFile, logger: Logger) {
  if (typeof sequencer === "string") return createLogFollower({ server: sequencer, seed, logger });
  throw new ConfigError("several of `sequencer` need `certification`: its leader is followed");
}

/** Its part in the validator set, where it has one. */
async function openCertification(
  { certification, deployment, dataDir, seed, sequencer }: ValidatorFile,
  store: Store,
  privateKey: Hex,
  logger: Logger,
): Promise<Member | undefined> {
  if (certification === undefined) return undefined;
  const { epoch, listen, peers, patienceMs, termMs, heartbeatMs, resendMs } = certification;
  const { handover, until: end, validators: members } = certification;
  if (typeof sequencer !== "string" && sequencer.length !== peers.length) {
    throw new ConfigError("`sequencer` must name as many as `certification.peers`, or one");
  }
  const common = executorDeployment(deployment);
  const keys = openVoteKeys(logger);
  const { verify } = keys;
  const { domain } = deployment;
  const isMoving = typeof sequencer !== "string";
  const beginning = readHandover(handover, { domain, epoch, verify });
  const sitting = createSitting(common, { epoch, members }, beginning);
  const { session, members: addresses } = sitting.validators;
  if (isMoving) await enterSitting(store, { session, beginning });
  const ending =
    end === undefined ? undefined : { end, log: store.log, directory: dataDir, logger };
  const onFinal =
    ending && createHandoverWriter({ sitting: { epoch, members: addresses }, ...ending });
  return openMember({
    ...{ ...sitting, keys, store, sequencer, seed, listen, patienceMs, logger },
    ...{ end, onFinal },
    timing: { termMs, heartbeatMs, resendMs },
    signer: keys.signer(hexToBytes(privateKey.slice(2))),
    peers: peers.map((address) => address.slice(address.lastIndexOf("/") + 1)),
    addressOf: (place) => peers[place],
  });
}

interface RunningParts {
  open(mayRefuse?: ValidatorPorts["mayRefuse"]): Promise<Validator>;
  readonly store: Store;
  readonly member: Member | undefined;
  readonly signal: AbortSignal;
}

/** Whoever refuses attests and certifies nothing more; the other part then ends too. */
async function runParts(parts: RunningParts): Promise<string | undefined> {
  const { open, store, member, signal } = parts;
  if (member === undefined) return (await open()).run(signal);
  const { moving } = member;
  const following: LeaderFollowing | undefined =
    moving &&
    createLeaderFollowing({ open: () => open(following?.mayRefuse), store, member, moving });
  const validator = await open(following?.mayRefuse);
  const ending = new AbortController();
  const until = AbortSignal.any([signal, ending.signal]);
  const place = validator.place();
  validator.onExecuted(member.executed);
  const validating = following?.run(validator, until) ?? validator.run(until);
  const running = [validating, member.certify(place, until)].map((part) =>
    part.finally(() => ending.abort()),
  );
  const reasons = await Promise.all(running);
  return reasons.find((reason) => reason !== undefined);
}
