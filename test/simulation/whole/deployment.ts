/** What every node of a simulated venue agrees on before it starts. */
import { logOrigin } from "../../../sequencer/batch/log.ts";
import { rulesOf } from "../../../sequencer/consensus/verification.ts";
import type { Attestation, Refusal, ValidatorSet } from "../../../sequencer/ports.ts";
import { createNodeState, type Deployment } from "../../../sequencer/roles/nodeState.ts";
import { createSitting } from "../../../sequencer/roles/validatorSitting.ts";
import { DOMAIN, deployment as firstCome } from "../../unit/roles/market.ts";
import { isToySignature, toyAddress, toySignature } from "../toySignature.ts";

export { DOMAIN };

/** With rounds, long enough that messages wait in them and are put in order. */
export const deployment: Deployment = { ...firstCome, fairOrder: { roundMs: 20, bumpMs: 30 } };
export const MEMBERS = 4;
export const QUORUM = 3;
export const ORIGIN = logOrigin(DOMAIN);
export const members = Array.from({ length: MEMBERS }, (_, index) => toyAddress(index));
export const peers = members.map((_, index) => `peer ${index}`);
export const sitting = createSitting(deployment, { epoch: 1, members });
export const rules = rulesOf(sitting.validators, sitting.genesis, isToySignature);
export const layerOneValidators: ValidatorSet = { members, quorum: QUORUM };
export const GENESIS_ROOT = createNodeState(deployment, ORIGIN, undefined).executor.root();

const RECEIPT_SIGNER = toyAddress(100);

/** The sequencer's signature on receipts. */
export const receiptSigner = {
  address: RECEIPT_SIGNER,
  sign: (digest: Uint8Array) => toySignature(RECEIPT_SIGNER, digest) as `0x${string}`,
};

export function isSignedReceipt(digest: Uint8Array, signature: string): boolean {
  return isToySignature(RECEIPT_SIGNER, digest, signature);
}

/** A validator's signature on the other things that it says, as a text that names all of them. */
export function signWords(validator: string, ...said: readonly unknown[]): string {
  return [validator, ...said].join(" ");
}

export function isSignedAttestation(attestation: Attestation): boolean {
  const { validator, number, root, wordsHash, logHash, signature } = attestation;
  return signature === signWords(validator, number, root, wordsHash, logHash);
}

export function isSignedRefusal({ signature, ...said }: Refusal): boolean {
  return signature === signWords(said.validator, said.position, said.logHash, said.reason);
}
