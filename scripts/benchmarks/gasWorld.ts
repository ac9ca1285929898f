/**
 * A simulated chain with a rollup whose verifiers are real ones, and batches to feed it. Their
 * words are made up, so their proofs are forged with the development keys' secrets: they hold, and
 * verifying them costs what verifying any proof costs.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { network } from "hardhat";
import { type Address, type Hash, type HDAccount, type Hex, zeroAddress } from "viem";
import { challenge, evaluate, wordsHash } from "../../sequencer/batch/publicInputs.ts";
import type { ProofWords } from "../../sequencer/batch/sealedBatch.ts";
import { type AttestationDomain, attesterOf } from "../../sequencer/l1/attestation.ts";
import { encodeCertificate } from "../../sequencer/l1/certificate.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import { quorumOf } from "../../sequencer/protocol/certification.ts";
import { pack } from "../../sequencer/protocol/codec.ts";
import {
  BATCH_KINDS,
  LEDGER_KINDS,
  LEDGER_OP_WORDS,
  MARK_BITS,
  MARKS_PER_WORD,
} from "../../sequencer/protocol/constants.ts";
import { FILL, HEADER, LEDGER_OP } from "../../sequencer/protocol/layout.ts";
import { instanceSizes } from "../deploy.ts";
import { forgeDevProof } from "../keys/forgeDevProof.ts";

/** As many as the devnet's: their certificate is in every figure for a batch. */
export const VALIDATORS = 4;
export const DEADLINE_SECONDS = 7 * 86_400;
export const WINDOW_SECONDS = 28 * 86_400;
export const DEPOSIT = 1_000_000n;
/** The first account that layer one opens for a trader: 1 and 2 are the venue's. */
export const TRADER = 3;
/** A trading key: the base point of Baby Jubjub. */
export const KEY = {
  index: 0,
  expiry: 2_000_000_000,
  x: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  y: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
};
export const NO_KEY = { index: 0, expiry: 0, x: 0n, y: 0n };

/** As long as a hash is, since calldata is paid by its bytes. */
const HASH_LIKE = 2n ** 253n / 3n;
const ORACLE_SET = HASH_LIKE - 1n;
/** Development accounts that attest, from this one on. */
const FIRST_VALIDATOR = 100;
const STAKE = 1_000_000_000n;
/** As in contracts/libraries/Accounts.sol. */
const FREE_OPERATIONS = 8;
const VERIFIERS = join(import.meta.dirname, "../../contracts/generated/verifiers");
const NO_PROOF: ProofWords = [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n];

type Chain = Awaited<ReturnType<typeof network.create>>;
export type World = Awaited<ReturnType<typeof createWorld>>;
type Circuit = "Trade" | "Ledger" | "Exit";

export async function createWorld(instance: string, validators = VALIDATORS) {
  const chain: Chain = await network.create();
  const { viem } = chain;
  const { trade, ledger } = instanceSizes(instance);
  const clients = await viem.getWalletClients();
  const publicClient = await viem.getPublicClient();
  const token = await viem.deployContract("TestToken");
  const chainId = await publicClient.getChainId();
  const operator = clients[0]!.account.address;
  const attesters = Array.from({ length: validators }, (_, index) =>
    developmentAccount(FIRST_VALIDATOR + index, chainId),
  );
  const verifier = async (circuit: Circuit): Promise<Address> =>
    (await viem.deployContract(verifierName(circuit) ?? "AcceptingVerifier")).address;
  const rollup = await viem.deployContract("Rollup", [
    {
      token: token.address,
      tradeVerifier: await verifier("Trade"),
      ledgerVerifier: await verifier("Ledger"),
      exitVerifier: await verifier("Exit"),
      genesisRoot: 1n,
      oracleSetHash: ORACLE_SET,
      operator,
      treasury: clients[7]!.account.address,
      insurance: clients[8]!.account.address,
      sizes: {
        slots: trade.slots,
        tradeFills: trade.fills,
        ledgerSteps: ledger.steps,
        accountLevels: trade.accountLevels,
      },
      forcedDeadline: BigInt(DEADLINE_SECONDS),
      claimWindow: BigInt(WINDOW_SECONDS),
      minimumDeposit: 1n,
      governance: zeroAddress,
      validators: {
        candidates: attesters.map(({ address }) => ({ signer: address, owner: operator })),
        stake: STAKE,
        evidenceWindow: 1n,
        unbondingDelay: 2n,
      },
    },
  ]);
  const registry = await viem.getContractAt("ValidatorRegistry", await rollup.read.validators());
  await token.write.mint([operator, STAKE * BigInt(validators)]);
  await token.write.approve([registry.address, STAKE * BigInt(validators)]);
  for (const { address } of attesters) await registry.write.bond([address]);
  const certify = (words: readonly bigint[]) =>
    certificateOf(attesters, { chainId, rollup: rollup.address }, words);
  return { certify, chain, clients, publicClient, token, rollup, registry, trade, ledger };
}

/** Two thirds of the validators' signatures on the batch: no more than are needed. */
async function certificateOf(
  attesters: readonly HDAccount[],
  domain: AttestationDomain,
  words: readonly bigint[],
): Promise<Hex> {
  const number = Number(words[HEADER.indexOf("number")]);
  const rootAfter = words[HEADER.indexOf("rootAfter")]!;
  const logHash = "5a".repeat(32);
  const content = { number, root: rootAfter, wordsHash: wordsHash(words), logHash };
  const signers = attesters.slice(0, quorumOf(attesters.length));
  const attestations = await Promise.all(
    signers.map((account) => attesterOf(account, domain).attest(content)),
  );
  const members = attesters.map(({ address }) => address);
  return encodeCertificate(members, { number, rootAfter, words }, attestations);
}

/**
 * The generated verifier, of the smallest instance: all of a circuit have the same public inputs,
 * so all verifiers of a circuit cost the same.
 */
function verifierName(circuit: Circuit): string | undefined {
  const name = `InsecureDev${circuit}TinyVerifier`;
  return existsSync(join(VERIFIERS, `${name}.sol`)) ? name : undefined;
}

/** Without generated verifiers every figure leaves the proof out. */
export function hasVerifiers(): boolean {
  return verifierName("Trade") !== undefined;
}

function prove(circuit: Circuit, signals: readonly bigint[]): ProofWords {
  const name = verifierName(circuit);
  if (name === undefined) return NO_PROOF;
  return forgeDevProof(readFileSync(join(VERIFIERS, `${name}.sol`), "utf8"), signals);
}

/** `ahead`: batches that are to be anchored before it. */
async function header({ chain, rollup }: World, kind: number, ahead = 0): Promise<bigint[]> {
  const now = BigInt(await chain.networkHelpers.time.latest()) * 1000n;
  const last = await rollup.read.lastBatchTime();
  const time = now > last ? now : last + 1n;
  const number = (await rollup.read.batchCount()) + 1n + BigInt(ahead);
  const fields: Record<(typeof HEADER)[number], bigint> = {
    kind: BigInt(kind),
    number,
    time: time + BigInt(ahead),
    rootBefore: ahead === 0 ? await rollup.read.stateRoot() : HASH_LIKE + number - 1n,
    rootAfter: HASH_LIKE + number,
    oracleSet: ORACLE_SET,
    domain: await rollup.read.domain(),
    snapshotTime: time,
    privateRoot: HASH_LIKE,
  };
  return HEADER.map((name) => fields[name]);
}

function markWords(slots: number): bigint[] {
  const word = (1n << BigInt(MARK_BITS * MARKS_PER_WORD)) / 3n;
  return Array<bigint>(Math.ceil(slots / MARKS_PER_WORD)).fill(word);
}

/** Fields of a fill as a young venue has them, and as large as they can be: every byte is set. */
const FILLS = {
  usual: { taker: 200, maker: 199, book: 11, price: 2 ** 23 + 12_345, lots: 4_321 },
  largest: { taker: 1_000_001, maker: 900_001, book: 3_001, price: 16_000_001, lots: 4_000_001 },
} as const;

/** Words of a trade batch of so many fills; the other units are idle. */
export async function tradeWords(
  world: World,
  fills: number,
  size: keyof typeof FILLS = "usual",
  ahead = 0,
): Promise<bigint[]> {
  const { slots, fills: units } = world.trade;
  const fill = pack(FILL, { kind: 1, takerIsSell: 1, ...FILLS[size] });
  const words = Array.from({ length: units }, (_, unit) => (unit < fills ? fill : 0n));
  return [...(await header(world, BATCH_KINDS.trade, ahead)), ...markWords(slots), ...words];
}

export function operation(
  kind: keyof typeof LEDGER_KINDS,
  amount: bigint,
  key: typeof NO_KEY,
  owner: Address,
): bigint[] {
  const first = pack(LEDGER_OP, {
    kind: LEDGER_KINDS[kind],
    executed: 1,
    account: TRADER,
    to: 0,
    slot: 0,
    book: 0,
    keyIndex: key.index,
    amount: Number(amount),
    keyExpiry: key.expiry,
    lots: 0,
    isSubsidy: 0,
    isLong: 0,
  });
  return [first, BigInt(owner), key.x, key.y];
}

/** Words of a ledger batch: these operations, then idle ones. */
export async function ledgerWords(
  world: World,
  operations: readonly bigint[],
  ahead = 0,
): Promise<bigint[]> {
  const { slots, steps } = world.ledger;
  const idle = Array<bigint>(steps * LEDGER_OP_WORDS - operations.length).fill(0n);
  const start = await header(world, BATCH_KINDS.ledger, ahead);
  return [...start, ...markWords(slots), ...operations, ...idle];
}

/** A ledger batch of deposits, as many as one account may have waiting. */
export async function ledgerGas(world: World): Promise<number> {
  const owner = world.clients[1]!.account.address;
  const count = Math.min(world.ledger.steps, FREE_OPERATIONS);
  for (let i = 0; i < count; i++) await depositGas(world, owner, KEY);
  const operations = Array.from({ length: count }, () => operation("deposit", DEPOSIT, KEY, owner));
  return submitGas(world, await ledgerWords(world, operations.flat()));
}

export async function depositGas(
  world: World,
  owner: Address,
  key: typeof NO_KEY,
): Promise<number> {
  const { token, rollup } = world;
  await token.write.mint([owner, DEPOSIT]);
  await token.write.approve([await rollup.read.vault(), DEPOSIT], { account: owner });
  return gasOf(world, rollup.write.deposit([DEPOSIT, key], { account: owner }));
}

export async function submit(world: World, words: readonly bigint[]): Promise<Hash> {
  const { commitment, proof, certificate } = await submissionOf(world, words);
  return world.rollup.write.submitBatch([words, commitment, proof, certificate]);
}

/** Consecutive batches in one transaction. */
export async function submitTogether(
  world: World,
  batches: readonly (readonly bigint[])[],
): Promise<Hash> {
  const submissions = await Promise.all(batches.map((words) => submissionOf(world, words)));
  return world.rollup.write.submitBatches([submissions]);
}

async function submissionOf(world: World, words: readonly bigint[]) {
  const isTrade = words[HEADER.indexOf("kind")] === BigInt(BATCH_KINDS.trade);
  const gamma = challenge(HASH_LIKE, words);
  const signals = [HASH_LIKE, gamma, evaluate(words, gamma)];
  const proof = prove(isTrade ? "Trade" : "Ledger", signals);
  return { words, commitment: HASH_LIKE, proof, certificate: await world.certify(words) };
}

export async function submitGas(world: World, words: readonly bigint[]): Promise<number> {
  return gasOf(world, submit(world, words));
}

export async function exitGas(world: World, owner: Address, claim: bigint): Promise<number> {
  const { rollup } = world;
  const root = await rollup.read.stateRoot();
  const proof = prove("Exit", [root, BigInt(TRADER), BigInt(owner), claim]);
  return gasOf(world, rollup.write.exit([BigInt(TRADER), owner, claim, proof]));
}

export async function gasOf({ publicClient }: World, sent: Promise<Hash>): Promise<number> {
  const receipt = await publicClient.getTransactionReceipt({ hash: await sent });
  return Number(receipt.gasUsed);
}
