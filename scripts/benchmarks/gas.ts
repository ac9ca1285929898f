/**
 * What layer one costs: whole transactions on a simulated chain, base fee and calldata included.
 * With the verifiers of contracts/generated/verifiers their gas is measured too, by lending the
 * rollup a verifier that calls the real one and ignores its verdict: made-up batches have no proof.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { network } from "hardhat";
import { type Address, type Hash, type HDAccount, type Hex, zeroAddress } from "viem";
import { type AttestationDomain, attesterOf } from "../../sequencer/l1/attestation.ts";
import { encodeCertificate } from "../../sequencer/l1/certificate.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
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
import type { BenchLine } from "./benchLine.ts";

const INSTANCES = ["tiny", "medium", "large"] as const;
const DEADLINE_SECONDS = 7 * 86_400;
const WINDOW_SECONDS = 28 * 86_400;
const DEPOSIT = 1_000_000n;
/** As long as a hash is, since calldata is paid by its bytes. */
const HASH_LIKE = 2n ** 253n / 3n;
/** Development accounts that attest, from this one on. */
const FIRST_VALIDATOR = 100;
/** As many as the devnet's: their certificate is in every figure for a batch. */
const VALIDATORS = 4;
const VALIDATORS_MAX = 16;
const STAKE = 1_000_000_000n;
/** What each fill may add to what a batch may cost anyway. */
const FILL_ALLOWANCE = 700;
/** The first account that layer one opens for a trader: 1 and 2 are the venue's. */
const TRADER = 3;
/** As in contracts/libraries/Accounts.sol. */
const OPEN_OPERATIONS_MAX = 8;
const MOCK_NOTE = "verifier left out: none is generated";
const VERIFIERS = join(import.meta.dirname, "../../contracts/generated/verifiers");
/** The generators of both groups: well-formed points, so that the verifier does all its work. */
const PROOF = [
  1n,
  2n,
  11559732032986387107991004021392285783925812861821192530917403151452391805634n,
  10857046999023057135944570762232829481370756359578518086990519993285655852781n,
  4082367875863433681332203403145435568316851327593401208105741076214120093531n,
  8495653923123431417604973247489272438418190587263600148770280649306958101930n,
  1n,
  2n,
] as const;
/** A trading key: the base point of Baby Jubjub. */
const KEY = {
  index: 0,
  expiry: 2_000_000_000,
  x: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  y: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
};
const NO_KEY = { index: 0, expiry: 0, x: 0n, y: 0n };

type Chain = Awaited<ReturnType<typeof network.create>>;
type World = Awaited<ReturnType<typeof createWorld>>;

/** Gas of batches for every instance and of every call that a trader makes. */
export async function gasBenchmarks(): Promise<BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const instance of INSTANCES) lines.push(...(await batchLines(instance)));
  lines.push(...(await certificateLines()));
  lines.push(...(await traderLines()));
  return lines;
}

function line(name: string, gas: number, details: Partial<BenchLine>): BenchLine {
  return { name, value: gas, unit: "gas", better: "lower", ...details };
}

async function batchLines(instance: (typeof INSTANCES)[number]): Promise<BenchLine[]> {
  const { trade } = instanceSizes(instance);
  const world = await createWorld(instance);
  // The first batch fills storage that was empty; every later one costs what the second does.
  await submit(world, await tradeWords(world, trade.steps));
  const empty = await submit(world, await tradeWords(world, 0));
  const full = await submit(world, await tradeWords(world, trade.steps));
  const ledger = await ledgerGas(world);
  const note = noteOf(world);
  const marginal = Math.round((full - empty) / trade.steps);
  return [
    line(`gas.batch.${instance}`, full, { ...note, target: 600_000 }),
    line(`gas.perFill.${instance}`, Math.round(full / trade.steps), {
      note: `${marginal} of it for the fill itself${note.note ? `; ${note.note}` : ""}`,
    }),
    line(`gas.ledgerBatch.${instance}`, ledger, note),
  ];
}

/** What certificates cost: the same full batch with and without. */
async function certificateLines(): Promise<BenchLine[]> {
  const costs: number[] = [];
  for (const validators of [0, VALIDATORS, VALIDATORS_MAX]) {
    const world = await createWorld("large", validators);
    await submit(world, await tradeWords(world, world.trade.steps));
    costs.push(await submit(world, await tradeWords(world, world.trade.steps)));
  }
  const [none, few, most] = costs as [number, number, number];
  const { trade } = instanceSizes("large");
  return [
    line("gas.batchOverhead.large", none - FILL_ALLOWANCE * trade.steps, {
      target: 260_000,
      note: `a full batch less ${FILL_ALLOWANCE} a fill, before its certificate`,
    }),
    line(`gas.certificate.${VALIDATORS}`, few - none, { note: "3 signatures" }),
    line(`gas.certificate.${VALIDATORS_MAX}`, most - none, { note: "11 signatures" }),
  ];
}

function noteOf({ usesRealVerifier }: World): Pick<BenchLine, "note"> {
  return usesRealVerifier ? {} : { note: MOCK_NOTE };
}

async function traderLines(): Promise<BenchLine[]> {
  const world = await createWorld("tiny");
  const { chain, rollup, clients } = world;
  const [, alice, bob] = clients;
  const first = await depositGas(world, alice!.account.address, KEY);
  const second = await depositGas(world, alice!.account.address, NO_KEY);
  const forced = await gasOf(world, rollup.write.forceWithdraw([5n], { account: alice!.account }));
  const key = await gasOf(world, rollup.write.registerKey([KEY], { account: alice!.account }));
  const owner = alice!.account.address;
  const operations = [
    operation("deposit", TRADER, DEPOSIT, KEY, owner),
    operation("deposit", TRADER, DEPOSIT, NO_KEY, owner),
    operation("forcedWithdraw", TRADER, 5n, NO_KEY, owner),
    operation("registerKey", TRADER, 0n, KEY, owner),
  ];
  await submit(world, await ledgerWords(world, operations.flat()));
  const withdrawal = await gasOf(world, rollup.write.withdraw([owner]));
  const unserved = await rollup.read.queueEnd();
  await depositGas(world, bob!.account.address, NO_KEY);
  await chain.networkHelpers.time.increase(DEADLINE_SECONDS + 1);
  const freeze = await gasOf(world, rollup.write.freeze());
  const exit = await gasOf(world, rollup.write.exit([BigInt(TRADER), owner, DEPOSIT, PROOF]));
  const refund = await gasOf(world, rollup.write.refundDeposit([unserved]));
  await chain.networkHelpers.time.increase(WINDOW_SECONDS);
  const payment = await gasOf(world, rollup.write.payExit([BigInt(TRADER)]));
  return [
    line("gas.deposit", first, { target: 300_000, note: "the first, with a key" }),
    line("gas.depositAgain", second, { note: "without a key" }),
    line("gas.registerKey", key, {}),
    line("gas.forcedWithdraw", forced, { target: 150_000 }),
    line("gas.withdraw", withdrawal, { target: 100_000 }),
    line("gas.freeze", freeze, { target: 100_000 }),
    line("gas.exit", exit, { ...noteOf(world), target: 500_000 }),
    line("gas.payExit", payment, {}),
    line("gas.refundDeposit", refund, {}),
  ];
}

async function createWorld(instance: string, validators = VALIDATORS) {
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
  const lend = async (circuit: string) => {
    const real = await deployVerifier(chain, circuit, instance);
    if (real === undefined) return (await viem.deployContract("AcceptingVerifier")).address;
    return (await viem.deployContract("LenientVerifier", [real])).address;
  };
  const rollup = await viem.deployContract("Rollup", [
    {
      token: token.address,
      tradeVerifier: await lend("Trade"),
      ledgerVerifier: await lend("Ledger"),
      exitVerifier: await lend("Exit"),
      genesisRoot: 1n,
      oracleSetHash: 2n,
      operator,
      treasury: clients[7]!.account.address,
      insurance: clients[8]!.account.address,
      sizes: {
        slots: trade.slots,
        tradeSteps: trade.steps,
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
  const usesRealVerifier = verifierName("Trade", instance) !== undefined;
  return { certify, chain, clients, publicClient, token, rollup, trade, ledger, usesRealVerifier };
}

/** Two thirds of the validators' signatures on the batch: no more than are needed. */
async function certificateOf(
  attesters: readonly HDAccount[],
  domain: AttestationDomain,
  words: readonly bigint[],
): Promise<Hex> {
  const number = Number(words[HEADER.indexOf("number")]);
  const rootAfter = words[HEADER.indexOf("rootAfter")]!;
  const content = { number, root: rootAfter, logHash: "5a".repeat(32) };
  const signers = attesters.slice(0, Math.ceil((attesters.length * 2) / 3));
  const attestations = await Promise.all(
    signers.map((account) => attesterOf(account, domain).attest(content)),
  );
  const members = attesters.map(({ address }) => address);
  return encodeCertificate(members, { number, rootAfter }, attestations);
}

/** The generated verifier of the instance, or one that costs the same. */
function verifierName(circuit: string, instance: string): string | undefined {
  const capital = instance.charAt(0).toUpperCase() + instance.slice(1);
  // Every instance has the same public inputs, so every verifier of a circuit costs the same.
  const names = [capital, "Tiny"].map((name) => `InsecureDev${circuit}${name}Verifier`);
  if (!existsSync(VERIFIERS)) return undefined;
  const files = readdirSync(VERIFIERS);
  return names.find((name) => files.includes(`${name}.sol`));
}

async function deployVerifier(
  { viem }: Chain,
  circuit: string,
  instance: string,
): Promise<Address | undefined> {
  const name = verifierName(circuit, instance);
  return name === undefined ? undefined : (await viem.deployContract(name)).address;
}

async function header({ chain, rollup }: World, kind: number): Promise<bigint[]> {
  const now = BigInt(await chain.networkHelpers.time.latest()) * 1000n;
  const last = await rollup.read.lastBatchTime();
  const time = now > last ? now : last + 1n;
  const number = (await rollup.read.batchCount()) + 1n;
  const fields: Record<(typeof HEADER)[number], bigint> = {
    kind: BigInt(kind),
    number,
    time,
    rootBefore: await rollup.read.stateRoot(),
    rootAfter: HASH_LIKE + number,
    oracleSet: 2n,
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

async function tradeWords(world: World, fills: number): Promise<bigint[]> {
  const { slots, steps } = world.trade;
  const fill = pack(FILL, {
    kind: 1,
    taker: 200,
    maker: 199,
    book: 11,
    takerIsSell: 1,
    price: 2 ** 23 + 12_345,
    lots: 4_321,
  });
  const words = Array.from({ length: steps }, (_, step) => (step < fills ? fill : 0n));
  return [...(await header(world, BATCH_KINDS.trade)), ...markWords(slots), ...words];
}

function operation(
  kind: keyof typeof LEDGER_KINDS,
  account: number,
  amount: bigint,
  key: typeof NO_KEY,
  owner: Address,
): bigint[] {
  const first = pack(LEDGER_OP, {
    kind: LEDGER_KINDS[kind],
    executed: 1,
    account,
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
async function ledgerWords(world: World, operations: bigint[]): Promise<bigint[]> {
  const { slots, steps } = world.ledger;
  const idle = Array<bigint>(steps * LEDGER_OP_WORDS - operations.length).fill(0n);
  const start = await header(world, BATCH_KINDS.ledger);
  return [...start, ...markWords(slots), ...operations, ...idle];
}

/** A ledger batch of deposits, as many as one account may have waiting. */
async function ledgerGas(world: World): Promise<number> {
  const owner = world.clients[1]!.account.address;
  const count = Math.min(world.ledger.steps, OPEN_OPERATIONS_MAX);
  for (let i = 0; i < count; i++) await depositGas(world, owner, KEY);
  const operations = Array.from({ length: count }, () =>
    operation("deposit", TRADER, DEPOSIT, KEY, owner),
  );
  return submit(world, await ledgerWords(world, operations.flat()));
}

async function depositGas(world: World, owner: Address, key: typeof NO_KEY): Promise<number> {
  const { token, rollup } = world;
  await token.write.mint([owner, DEPOSIT]);
  await token.write.approve([await rollup.read.vault(), DEPOSIT], { account: owner });
  return gasOf(world, rollup.write.deposit([DEPOSIT, key], { account: owner }));
}

async function submit(world: World, words: readonly bigint[]): Promise<number> {
  const certificate = await world.certify(words);
  return gasOf(world, world.rollup.write.submitBatch([words, HASH_LIKE, PROOF, certificate]));
}

async function gasOf({ publicClient }: World, sent: Promise<Hash>): Promise<number> {
  const receipt = await publicClient.getTransactionReceipt({ hash: await sent });
  return Number(receipt.gasUsed);
}

if (import.meta.main) {
  for (const { name, value, target, note } of await gasBenchmarks()) {
    const limit = target === undefined ? "" : ` (target ${target})`;
    console.log(`${name}: ${value}${limit}${note ? ` — ${note}` : ""}`);
  }
}
