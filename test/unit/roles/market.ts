/** A small market for tests of the roles: oracles, traders with keys, and a sequencer on fakes. */
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import type { ProofWords } from "../../../sequencer/batch/sealedBatch.ts";
import type { ExchangeEvent, Receipt, SubmitResult } from "../../../sequencer/exchangeService.ts";
import { executorDeployment } from "../../../sequencer/node/deployment.ts";
import { realScheduler } from "../../../sequencer/node/systemClock.ts";
import { withAnnounced } from "../../../sequencer/oracle/feed.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { publicKeyOf, type Signature, sign } from "../../../sequencer/protocol/eddsa.ts";
import { FIRST_COME } from "../../../sequencer/protocol/fairOrder.ts";
import {
  firstHead,
  type Message,
  messageWord,
  nextHead,
} from "../../../sequencer/protocol/messages.ts";
import {
  NO_TERMS,
  type Snapshot,
  snapshotHash,
  type Terms,
} from "../../../sequencer/protocol/snapshot.ts";
import type { ProofHandlers } from "../../../sequencer/roles/proofDesk.ts";
import { createSequencer, type Sequencer } from "../../../sequencer/roles/sequencer.ts";
import type { SequencerConfig, SequencerPorts } from "../../../sequencer/roles/sequencerConfig.ts";
import {
  createAccounts,
  createBatches,
  createCheckpoints,
  createClock,
  createLog,
  createNetwork,
  createSettlement,
  type FakeClock,
  type FakeNetwork,
  type FakeSettlement,
  type MemoryBatchStore,
  type MemoryLog,
  silent,
} from "./ports.ts";

export const DOMAIN = 123456789n;
export const START = 1_800_000_000_000;
const HOUR_SECONDS = 3600;
export const EXPIRY = START / 1000 + 24 * HOUR_SECONDS;

const oracleSecrets = [11n, 22n, 33n];
export const deployment = executorDeployment({
  ...{ instance: "tiny", domain: DOMAIN, oracles: oracleSecrets.map(publicKeyOf) },
  fairOrder: FIRST_COME,
});
const { quorum, shape, sizes } = deployment;

/** A limit order; its deadline is still to be said. */
export const PLACE = {
  kind: "place",
  book: 0,
  isSell: false,
  price: 500,
  lots: 1,
  timeInForce: "gtc",
  postOnly: false,
  reduceOnly: false,
} as const;

/** What snapshots say: marks and the size of changes in ticks, by slot where they differ. */
export interface SnapshotOptions {
  readonly finalSlots?: readonly number[];
  readonly marks?: readonly number[];
  readonly moves?: readonly number[];
  /** What no oracle prices, even if it is listed. */
  readonly blindSlots?: readonly number[];
}

/** All slots alike: mark 500 ticks, every scenario 100 ticks up or down; of what `table` lists. */
export function snapshotAt(
  time: number,
  options: SnapshotOptions = {},
  table: readonly Terms[] = [],
): Snapshot {
  const { finalSlots = [], marks = [], moves = [], blindSlots = [] } = options;
  const body = {
    time,
    slots: Array.from({ length: shape.slots }, (_, slot) => {
      const isFinal = finalSlots.includes(slot);
      const move = isFinal ? 0 : (moves[slot] ?? 100);
      const mark = marks[slot] ?? 500;
      const changes = Array.from({ length: SCENARIOS }, (_unused, row) =>
        row % 2 === 0 ? move : Math.max(-move, -mark),
      );
      const terms = blindSlots.includes(slot) ? undefined : table[slot];
      const { isCall, strike, expiry } = terms ?? NO_TERMS;
      return { terms: { isCall, strike, expiry }, mark, isFinal, changes };
    }),
  };
  const hash = snapshotHash(DOMAIN, body);
  const signatures = oracleSecrets
    .slice(0, quorum)
    .map((secret, signer) => ({ signer, ...sign(secret, hash) }));
  return { ...body, signatures };
}

export interface TestTrader {
  readonly account: number;
  /** The message's word with its signature on the chain so far. */
  next(message: Message): { word: bigint; signature: Signature };
  /** As `next`, but the chain does not move. */
  peek(message: Message): { word: bigint; signature: Signature };
  /** The chain's head after all that `next` has signed. */
  head(): bigint;
  readonly owner: bigint;
  readonly secret: bigint;
}

export function createTrader(account: number): TestTrader {
  const secret = 1000n + BigInt(account);
  let head = firstHead({ domain: DOMAIN, account, keyIndex: 0, version: 1 });
  const peek = (message: Message) => {
    const word = messageWord(message);
    return { word, signature: sign(secret, nextHead(head, word)) };
  };
  return {
    account,
    owner: 0xa000n + BigInt(account),
    secret,
    head: () => head,
    peek,
    next: (message) => {
      const signed = peek(message);
      head = nextHead(head, signed.word);
      return signed;
    },
  };
}

export const PROOF: ProofWords = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];

export interface World {
  readonly clock: FakeClock;
  readonly log: MemoryLog;
  readonly batches: MemoryBatchStore;
  readonly checkpoints: ReturnType<typeof createCheckpoints>;
  readonly settlement: FakeSettlement;
  readonly accounts: ReturnType<typeof createAccounts>;
  readonly network: FakeNetwork;
  readonly sequencer: Sequencer;
  readonly events: ExchangeEvent[];
  snapshotOptions: SnapshotOptions;
  isOracleAway: boolean;
  isChainAway: boolean;
  /** Time passes, snapshots come, loops turn. */
  step(ms?: number): Promise<void>;
  /** Proves every stored batch, as a prover would. */
  prove(): Promise<void>;
  /** Time passes until every batch is sealed, proven and anchored. */
  finish(): Promise<void>;
  submit(trader: TestTrader, message: Message): Promise<SubmitResult>;
  place(trader: TestTrader, order: Partial<Message & { kind: "place" }>): Promise<Receipt>;
  /** Registers the trader's key; a further one would begin the key's chain anew. */
  open(trader: TestTrader, amount: number): void;
  /** Money only. */
  deposit(trader: TestTrader, amount: number): void;
  /** A new process on what the old one had made durable. */
  restart(records?: readonly LogRecord[]): Promise<World>;
  /** The same with another configuration. */
  restartWith(change: Partial<SequencerConfig>): Promise<World>;
}

export const VALIDATORS = ["0x01", "0x02", "0x03"].map(
  (end) => `0x${end.slice(2).padStart(40, "0")}` as const,
);

const NEVER_MS = 1e15;
/** Trading does not wait for validators. */
export const UNCERTIFIED = {
  certification: { floorMs: NEVER_MS, ceilingMs: NEVER_MS, factor: 1 },
} satisfies SequencerConfig["breakers"];
/** Nor for the oracles: what else stops where marks are too old is to be seen. */
export const PATIENT = { ...UNCERTIFIED, oracleStaleMs: NEVER_MS };

export const CONFIG: Omit<SequencerConfig, "info"> = {
  deployment,
  plan: {
    series: [
      { slot: 0, isCall: true, strike: 20_000, expiry: EXPIRY },
      { slot: 1, isCall: false, strike: 20_000, expiry: EXPIRY },
    ],
    books: [
      { book: 0, legs: [[0, 1]] },
      { book: 1, legs: [[1, 1]] },
    ],
  },
  limits: {
    batchAgeMs: 1000,
    batchAgeMsMax: 10_000,
    ledgerDelayMs: 500,
    snapshotRenewMs: 5000,
    idleBacklog: 1,
  },
  rate: { perSecond: 100, burst: 1000 },
  backlogMax: 1000,
  unanchoredMax: 1000,
  // Nobody attests here unless a test does.
  breakers: UNCERTIFIED,
  checkpointEvery: 4,
  certificationWaitMs: 60_000,
  tickMs: 10,
  pollMs: 10,
};

export type Disk = Pick<World, "clock" | "batches" | "checkpoints" | "settlement"> & {
  readonly accounts?: World["accounts"];
  readonly records: readonly LogRecord[];
};

export async function createWorld(
  change: Partial<SequencerConfig> = {},
  disk?: Disk,
  /** In the place of those in memory. */
  real: Partial<SequencerPorts> = {},
): Promise<World> {
  const clock = disk?.clock ?? createClock(START);
  const log = createLog(DOMAIN, disk?.records);
  const batches = disk?.batches ?? createBatches();
  const checkpoints = disk?.checkpoints ?? createCheckpoints();
  const settlement = disk?.settlement ?? createSettlement(DOMAIN);
  const accounts = disk?.accounts ?? createAccounts();
  const network = createNetwork();
  const world = {
    snapshotOptions: {} as World["snapshotOptions"],
    isOracleAway: false,
    isChainAway: false,
  };
  let handlers: ProofHandlers | undefined;
  const ports: SequencerPorts = {
    ...{ clock, log, batches, checkpoints, settlement, network, accounts, logger: silent },
    scheduler: realScheduler,
    snapshots: {
      latest: async () => {
        if (world.isOracleAway) throw new Error("no oracle answers");
        const { series, announced } = await sequencer.service.chain();
        const table = withAnnounced(series, announced);
        return snapshotAt(clock.now(), world.snapshotOptions, table);
      },
    },
    prover: { verify: async () => true },
    receiptSigner: { address: "0x00", sign: () => "0x01" },
    openProofJobs: async (given) => {
      handlers = given;
      return { notify: () => undefined, stop: async () => undefined };
    },
    isSignedAttestation: async () => true,
    isSignedRefusal: async ({ signature }) => signature !== "",
    // Owners of tests sign by their number.
    isSignedScope: async (_, signature, { owner }) => BigInt(signature) === owner,
    ...real,
  };
  const sequencer = await createSequencer(ports, { ...CONFIG, info: infoOf(), ...change });
  const events: ExchangeEvent[] = [];
  sequencer.service.subscribe((event) => void events.push(event));
  const submit = (trader: TestTrader, message: Message): Promise<SubmitResult> =>
    sequencer.service.submit({ account: trader.account, keyIndex: 0, ...trader.next(message) });
  const self: World = Object.assign(world, {
    ...{ clock, log, batches, checkpoints, settlement, network, accounts },
    ...{ sequencer, events, submit },
    step: async (ms = 100) => {
      clock.advance(ms);
      await sequencer.pollOracles();
      if (!world.isChainAway) await sequencer.pollChain();
      sequencer.tick();
      await turns();
    },
    prove: async () => {
      for (const number of batches.batches.keys()) {
        if (batches.proofs.has(number)) continue;
        await batches.putProof(number, PROOF);
        handlers?.onProof(number);
      }
    },
    finish: async () => {
      await self.step(10_000);
      await self.prove();
      // Without validators, each batch waits for their attestations first.
      const isDone = (): boolean => settlement.anchoredBatches.length >= batches.batches.size;
      for (let count = 0; count < 50 && !isDone(); count++) await self.step(61_000);
    },
    place: async (trader: TestTrader, order: Partial<Message & { kind: "place" }>) => {
      const result = await submit(trader, { ...ORDER, deadline: clock.now() + 60_000, ...order });
      if (!result.accepted) throw new Error(`refused: ${result.code}`);
      return result.receipt;
    },
    open: (trader: TestTrader, amount: number) => {
      const key = publicKeyOf(trader.secret);
      settlement.enqueue({ ...depositOf(trader, amount), key, keyExpiry: KEY_EXPIRY });
    },
    deposit: (trader: TestTrader, amount: number) => settlement.enqueue(depositOf(trader, amount)),
    restart: (records: readonly LogRecord[] = log.survivors()) =>
      createWorld(change, { clock, batches, checkpoints, settlement, accounts, records }),
    restartWith: (other: Partial<SequencerConfig>) => {
      const records = log.survivors();
      return createWorld(
        { ...change, ...other },
        { clock, batches, checkpoints, settlement, accounts, records },
      );
    },
  });
  return self;
}

const ORDER = {
  kind: "place",
  book: 0,
  isSell: false,
  price: 500,
  lots: 10,
  timeInForce: "gtc",
  postOnly: false,
  reduceOnly: false,
  deadline: 0,
} as const;

const KEY_EXPIRY = EXPIRY + 100 * HOUR_SECONDS;

function depositOf({ account, owner }: TestTrader, amount: number) {
  const noKey = { key: { x: 0n, y: 0n }, keyIndex: 0, keyExpiry: 0 };
  return { kind: "deposit", account, owner, amount, ...noKey } as const;
}

/** Lets everything that waits on resolved promises happen. */
export async function turns(): Promise<void> {
  for (let count = 0; count < 5; count++) await new Promise((resolve) => setImmediate(resolve));
}

export function infoOf(): SequencerConfig["info"] {
  return {
    name: "straddle",
    version: "0",
    protocol: 1,
    chainId: 31337,
    rollup: "0x00",
    token: "0x00",
    tokenDecimals: 6,
    domain: DOMAIN,
    shape: deployment.shape,
    underlying: "ETH",
    tickSize: 100_000,
    lotsPerContract: 100,
    stepsPerBatch: sizes.trade.steps,
    fillsPerBatch: sizes.trade.fills,
    operationsPerBatch: sizes.ledger.steps,
    oracles: deployment.oracles,
    oracleQuorum: quorum,
    oracleSet: 0n,
    fairOrder: deployment.fairOrder,
    sequencer: "0x00",
    validators: VALIDATORS,
  };
}

/** A market with open books and two traders who have money. */
export async function createMarket(
  change: Partial<SequencerConfig> = {},
  real: Partial<SequencerPorts> = {},
): Promise<{
  world: World;
  maker: TestTrader;
  taker: TestTrader;
}> {
  const world = await createWorld(change, undefined, real);
  const [maker, taker] = [createTrader(3), createTrader(4)];
  world.open(maker, 1_000_000_000);
  world.open(taker, 1_000_000_000);
  for (let count = 0; count < 5; count++) await world.step(400);
  return { world, maker, taker };
}
