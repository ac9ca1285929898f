/** Batches of made-up words that follow one another, before any of them is on layer one. */
import { type Address, getAddress, type Hex, zeroAddress } from "viem";
import { wordsHash } from "../../sequencer/batch/publicInputs.ts";
import { createAttester } from "../../sequencer/l1/attestation.ts";
import { encodeCertificate } from "../../sequencer/l1/certificate.ts";
import { HEADER, type HeaderField } from "../../sequencer/protocol/layout.ts";
import {
  alice,
  deployRollup,
  ledgerBatch,
  NO_PROOF,
  networkHelpers,
  type Operation,
  STAKE,
  tradeBatch,
  viem,
  type World,
} from "./rollupChain.ts";

const LOG = "ab".repeat(32);
/** Any four secrets. */
const SECRETS = [1, 2, 3, 4].map((secret): Hex => `0x${`${secret}`.padStart(64, "0")}`);
const DAY = 86_400n;

export type Submission = {
  readonly words: readonly bigint[];
  readonly commitment: bigint;
  readonly proof: Proof;
  readonly certificate: Hex;
};
export type Proof = readonly [
  ...[bigint, bigint, bigint, bigint],
  ...[bigint, bigint, bigint, bigint],
];

/** A batch that is to follow so many others: its steps or operations, and who signs it. */
export interface Plan {
  readonly kind: "trade" | "ledger";
  readonly operations?: readonly Operation[];
  readonly isCertified?: boolean;
  readonly header?: Partial<Record<HeaderField, bigint>> | undefined;
}

/** A rollup whose batches four validators certify, `overrides` as of any rollup. */
export async function deployCertified(overrides: Record<string, unknown> = {}) {
  const owner = getAddress(alice.account.address);
  const attesterAt = (secret: Hex, rollup: Address) =>
    createAttester(secret, { chainId: 31337, rollup });
  const signers = SECRETS.map((secret) => attesterAt(secret, zeroAddress).address);
  const candidates = signers.map((signer) => ({ signer, owner }));
  const it = await deployRollup({
    validators: {
      ...{ candidates, stake: STAKE, evidenceWindow: 14n * DAY, unbondingDelay: 21n * DAY },
    },
    ...overrides,
  });
  const registry = await viem.getContractAt("ValidatorRegistry", await it.rollup.read.validators());
  const total = STAKE * BigInt(signers.length);
  await it.token.write.mint([owner, total]);
  await it.token.write.approve([registry.address, total], { account: alice.account });
  for (const signer of signers) await registry.write.bond([signer], { account: alice.account });
  const attesters = SECRETS.map((secret) => attesterAt(secret, it.rollup.address));
  return { ...it, registry, attesters };
}

export type Certified = Awaited<ReturnType<typeof deployCertified>>;

export async function certify(it: Certified, words: readonly bigint[]): Promise<Hex> {
  const number = Number(words[HEADER.indexOf("number")]);
  const rootAfter = words[HEADER.indexOf("rootAfter")]!;
  const content = { number, root: rootAfter, wordsHash: wordsHash(words), logHash: LOG };
  const attestations = await Promise.all(
    it.attesters.slice(0, 3).map((attester) => attester.attest(content)),
  );
  const batch = { number, rootAfter, words };
  return encodeCertificate(await it.registry.read.members(), batch, attestations);
}

/** The planned batches, one after the other on top of what is anchored. */
export async function planned(
  it: World | Certified,
  plans: readonly Plan[],
): Promise<Submission[]> {
  const [count, root, last] = await Promise.all([
    it.rollup.read.batchCount(),
    it.rollup.read.stateRoot(),
    it.rollup.read.lastBatchTime(),
  ]);
  const now = BigInt(await networkHelpers.time.latest()) * 1000n;
  const start = now > last ? now : last;
  const submissions: Submission[] = [];
  for (const [ahead, { kind, operations = [], isCertified = false, header }] of plans.entries()) {
    const next = BigInt(ahead) + 1n;
    const fields = {
      ...{ number: count + next, rootBefore: root + next - 1n, rootAfter: root + next },
      ...{ time: start + next, snapshotTime: start + next, ...header },
    };
    const words =
      kind === "trade"
        ? await tradeBatch(it, [], fields)
        : await ledgerBatch(it, operations, fields);
    const certificate = isCertified ? await certify(it as Certified, words) : "0x";
    submissions.push({ words, commitment: 9n + next, proof: NO_PROOF, certificate });
  }
  return submissions;
}
