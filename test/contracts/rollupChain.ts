/** A simulated chain with a rollup whose verifiers accept everything, and batches to feed it. */
import { network } from "hardhat";
import {
  type Address,
  encodeAbiParameters,
  encodePacked,
  type Hex,
  keccak256,
  zeroAddress,
} from "viem";
import { pack, packMany } from "../../sequencer/protocol/codec.ts";
import {
  BATCH_KINDS,
  FIELD_MODULUS,
  LEDGER_KINDS,
  LEDGER_OP_WORDS,
  type LedgerKind,
  MARK_BITS,
  MARKS_PER_WORD,
} from "../../sequencer/protocol/constants.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import { HEADER, type HeaderField, LEDGER_OP } from "../../sequencer/protocol/layout.ts";
import { oracleSetHash } from "../../sequencer/protocol/snapshot.ts";
import { keySecret, oracleKeys, sizesOf } from "../support/market.ts";

export const chain = await network.create();
export const { viem, networkHelpers } = chain;
export const clients = await viem.getWalletClients();
export const [operator, alice, bob, carol, eve, treasury, insurance] = clients as [
  (typeof clients)[number],
  (typeof clients)[number],
  (typeof clients)[number],
  (typeof clients)[number],
  (typeof clients)[number],
  (typeof clients)[number],
  (typeof clients)[number],
];
export const publicClient = await viem.getPublicClient();

const { trade, ledger } = sizesOf("tiny");
export const SIZES = {
  slots: trade.slots,
  tradeFills: trade.fills,
  ledgerSteps: ledger.steps,
  accountLevels: trade.accountLevels,
};
const DAY = 86_400n;
/** What a validator bonds. */
export const STAKE = 1_000_000_000n;
export const DEADLINE = 7 * 86_400;
export const WINDOW = 28 * 86_400;
export const ORACLE_SET = 77n;
export const GENESIS = 5n;
export const NO_KEY = { index: 0, expiry: 0, x: 0n, y: 0n };
/** A point of Baby Jubjub. */
export const KEY = {
  index: 1,
  expiry: 2_000_000_000,
  x: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  y: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
};
export const NO_PROOF = [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n] as const;

/** Deploys token, verifier and rollup; `overrides` replaces parts of its configuration. */
export async function deployRollup(overrides: Record<string, unknown> = {}) {
  const token = await viem.deployContract("HostileToken", [6]);
  const verifier = await viem.deployContract("AcceptingVerifier");
  const config = {
    token: token.address,
    tradeVerifier: verifier.address,
    ledgerVerifier: verifier.address,
    exitVerifier: verifier.address,
    genesisRoot: GENESIS,
    oracleSetHash: ORACLE_SET,
    operator: operator.account.address,
    treasury: treasury.account.address,
    insurance: insurance.account.address,
    sizes: SIZES,
    forcedDeadline: BigInt(DEADLINE),
    claimWindow: BigInt(WINDOW),
    minimumDeposit: 1n,
    governance: zeroAddress,
    validators: {
      candidates: [],
      stake: STAKE,
      evidenceWindow: 14n * DAY,
      unbondingDelay: 21n * DAY,
    },
    ...overrides,
  };
  const rollup = await viem.deployContract("Rollup", [config]);
  const vault = await viem.getContractAt("CollateralVault", await rollup.read.vault());
  return { token, verifier, rollup, vault };
}

/**
 * The same with the verifiers of the tiny circuits, and the oracles of every test market where
 * `genesisRoot` is a market's.
 */
export async function deployProving(genesisRoot?: bigint) {
  const deploy = (circuit: string) =>
    viem.deployContract(verifierName(circuit) as "InsecureDevTradeTinyVerifier");
  const [trade, ledger, exit] = [
    await deploy("Trade"),
    await deploy("Ledger"),
    await deploy("Exit"),
  ];
  const oracleSet = () => oracleSetHash(oracleKeys(sizesOf("tiny")));
  const world = await deployRollup({
    ...{ tradeVerifier: trade.address, ledgerVerifier: ledger.address, exitVerifier: exit.address },
    ...(genesisRoot === undefined ? {} : { genesisRoot, oracleSetHash: oracleSet() }),
  });
  return { ...world, trade, ledger };
}

export function verifierName(circuit: string): string {
  return `InsecureDev${circuit}TinyVerifier`;
}

export type World = Awaited<ReturnType<typeof deployRollup>>;
type Client = (typeof clients)[number];

/** Gives `client` tokens and deposits them. */
export async function deposit(world: World, client: Client, amount: bigint, key = NO_KEY) {
  await approve(world, client, amount);
  await world.rollup.write.deposit([amount, key], { account: client.account });
}

/** The same with key 0 of the test market's account, good until `expiry` (unix seconds). */
export function depositWithKey(
  world: World,
  client: Client,
  funding: { readonly account: number; readonly amount: number; readonly keyExpiry: number },
) {
  const { account, amount, keyExpiry: expiry } = funding;
  const key = { index: 0, expiry, ...publicKeyOf(keySecret(account)) };
  return deposit(world, client, BigInt(amount), key);
}

export async function approve({ token, vault }: World, client: Client, amount: bigint) {
  await token.write.mint([client.account.address, amount]);
  await token.write.approve([vault.address, amount], { account: client.account });
}

export interface Operation {
  readonly kind: LedgerKind;
  readonly executed?: boolean;
  readonly account?: number;
  readonly owner?: Address;
  readonly amount?: bigint;
  readonly to?: number;
  readonly slot?: number;
  readonly lots?: number;
  readonly key?: typeof NO_KEY;
}

/** The four public words of an operation. */
export function operationWords(operation: Operation): bigint[] {
  const { kind, executed = true, account = 0, owner = zeroAddress, amount = 0n } = operation;
  const { to = 0, slot = 0, lots = 0, key = NO_KEY } = operation;
  const first = pack(LEDGER_OP, {
    kind: LEDGER_KINDS[kind],
    executed: executed ? 1 : 0,
    account,
    to,
    slot,
    book: 0,
    keyIndex: key.index,
    amount: Number(amount),
    keyExpiry: key.expiry,
    lots,
    isSubsidy: 0,
    isLong: 0,
  });
  return [first, BigInt(owner), key.x, key.y];
}

type Header = Record<HeaderField, bigint>;

async function header({ rollup }: World, kind: keyof typeof BATCH_KINDS): Promise<Header> {
  const now = BigInt(await networkHelpers.time.latest()) * 1000n;
  const last = await rollup.read.lastBatchTime();
  const time = now > last ? now : last + 1n;
  const rootBefore = await rollup.read.stateRoot();
  return {
    kind: BigInt(BATCH_KINDS[kind]),
    number: (await rollup.read.batchCount()) + 1n,
    time,
    rootBefore,
    rootAfter: rootBefore + 1n,
    oracleSet: ORACLE_SET,
    domain: await rollup.read.domain(),
    snapshotTime: time,
    privateRoot: 12n,
  };
}

function marks(slots: number): bigint[] {
  const values = Array.from({ length: slots }, (_, slot) => 1000 + slot);
  return packMany(values, MARK_BITS, MARKS_PER_WORD);
}

/** Words of a trade batch; steps that are not given are idle. */
export async function tradeBatch(
  world: World,
  steps: readonly bigint[] = [],
  overrides: Partial<Header> = {},
): Promise<bigint[]> {
  const { slots, tradeFills } = await world.rollup.read.sizes();
  const fields = { ...(await header(world, "trade")), ...overrides };
  const idle = Array<bigint>(tradeFills - steps.length).fill(0n);
  return [...HEADER.map((name) => fields[name]), ...marks(slots), ...steps, ...idle];
}

/** Words of a ledger batch; operations that are not given are idle. */
export async function ledgerBatch(
  world: World,
  operations: readonly Operation[] = [],
  overrides: Partial<Header> = {},
): Promise<bigint[]> {
  const { slots, ledgerSteps } = await world.rollup.read.sizes();
  const fields = { ...(await header(world, "ledger")), ...overrides };
  const stated = operations.flatMap(operationWords);
  const idle = Array<bigint>(ledgerSteps * LEDGER_OP_WORDS - stated.length).fill(0n);
  return [...HEADER.map((name) => fields[name]), ...marks(slots), ...stated, ...idle];
}

export function submit(
  { rollup }: World,
  words: readonly bigint[],
  commitment = 9n,
  certificate: Hex = "0x",
) {
  return rollup.write.submitBatch([words, commitment, NO_PROOF, certificate]);
}

/** Anchors a ledger batch of these operations. */
export async function serve(world: World, operations: readonly Operation[]) {
  return submit(world, await ledgerBatch(world, operations));
}

/** What the circuit is asked to prove, computed the slow way. */
export function publicSignals(words: readonly bigint[], commitment: bigint) {
  const hash = keccak256(encodePacked(["uint256[]"], [words]));
  const seed = encodeAbiParameters([{ type: "uint256" }, { type: "bytes32" }], [commitment, hash]);
  const gamma = BigInt(keccak256(seed)) % FIELD_MODULUS;
  let power = 1n;
  let evaluation = 0n;
  for (const word of words) {
    power = (power * gamma) % FIELD_MODULUS;
    evaluation = (evaluation + word * power) % FIELD_MODULUS;
  }
  return { hash, signals: [commitment, gamma, evaluation] as const };
}

/** Makes the verifier accept proofs of these public signals only. */
export function acceptOnly({ verifier }: World, signals: readonly bigint[]) {
  const hash = keccak256(
    encodePacked(
      signals.map(() => "uint256" as const),
      [...signals],
    ),
  );
  return verifier.write.setOnlySignals([hash]);
}

/** Asserts that a call is refused with this error and these values. */
export async function refused(
  { rollup }: Pick<World, "rollup">,
  call: Promise<unknown>,
  error: string,
  args: readonly unknown[],
) {
  // biome-ignore lint/suspicious/noExplicitAny: the assertion types names by the whole ABI
  const assertions = viem.assertions as any;
  await assertions.revertWithCustomErrorWithArgs(call, rollup, error, args);
}

/** Sets the clock of the next block. */
export function nextBlockAt(seconds: number | bigint) {
  return networkHelpers.time.setNextBlockTimestamp(seconds);
}
