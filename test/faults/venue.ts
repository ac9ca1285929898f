/**
 * A sequencer on a real store whose process can end at any durable step. Layer one, oracles and
 * validators are those of the role tests; what traders were told is remembered outside of it.
 */
import path from "node:path";
import { logOrigin } from "../../sequencer/batch/log.ts";
import type { Receipt } from "../../sequencer/exchangeService.ts";
import type { Log } from "../../sequencer/ports.ts";
import { publicKeyOf, type Signature, sign } from "../../sequencer/protocol/eddsa.ts";
import { type Message, messageWord, nextHead } from "../../sequencer/protocol/messages.ts";
import type { ProofHandlers } from "../../sequencer/roles/proofDesk.ts";
import type { SequencerPorts } from "../../sequencer/roles/sequencerConfig.ts";
import { createBatchStore } from "../../sequencer/store/batchStore.ts";
import { createCheckpointStore } from "../../sequencer/store/checkpointStore.ts";
import { createDatabase } from "../../sequencer/store/database.ts";
import { openHeadFile } from "../../sequencer/store/headFile.ts";
import { openLevelLog } from "../../sequencer/store/levelLog.ts";
import { createChance } from "../simulation/random.ts";
import { createWorld, DOMAIN, PLACE, PROOF, START, type World } from "../unit/roles/market.ts";
import {
  createBatches,
  createCheckpoints,
  createClock,
  createSettlement,
  type FakeClock,
  type FakeSettlement,
} from "../unit/roles/ports.ts";
import { type Crash, headFileWithSteps, withSteps } from "./faultyDatabase.ts";

/** What outlives every process: the disk, layer one, and what traders know. */
export interface Surroundings {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly settlement: FakeSettlement;
  readonly receipts: Receipt[];
  /** Signed and sent, in order, whether or not an answer came. */
  readonly sent: Sent[];
}

export interface Sent {
  readonly account: number;
  readonly keyIndex: number;
  readonly word: bigint;
  readonly signature: Signature;
}

export interface Process extends Pick<World, "sequencer" | "step"> {
  /** Gives every stored batch a proof, as a prover would. */
  prove(): Promise<void>;
  readonly log: Log;
  close(): Promise<void>;
}

const ACCOUNTS = [3, 4] as const;
const secretOf = (account: number): bigint => 1000n + BigInt(account);
const KEY_SECONDS = 1_000_000;

export function createSurroundings(folder: string): Surroundings {
  const settlement = createSettlement(DOMAIN);
  for (const account of ACCOUNTS) {
    const key = publicKeyOf(secretOf(account));
    const money = { account, owner: 0xa000n + BigInt(account), amount: 1_000_000_000 };
    const keyExpiry = START / 1000 + KEY_SECONDS;
    settlement.enqueue({ kind: "deposit", ...money, key, keyIndex: 0, keyExpiry });
  }
  return { folder, clock: createClock(START), settlement, receipts: [], sent: [] };
}

/**
 * Starts a process on what the last one has left. `openLog` is given the log of the store; `other`
 * ports stand in the place of the tests'.
 */
export async function startProcess(
  around: Surroundings,
  step: Crash["step"],
  openLog = async (own: Log): Promise<Log> => own,
  other: Partial<SequencerPorts> = {},
): Promise<Process> {
  const raw = createDatabase(around.folder);
  await raw.open();
  const rawHead = await openHeadFile(path.join(around.folder, "log-head"));
  const close = async () => {
    await rawHead.close();
    await raw.close();
  };
  try {
    const database = withSteps(raw, step);
    const headFile = headFileWithSteps(rawHead, step);
    const origin = logOrigin(DOMAIN);
    const log = await openLog(await openLevelLog({ database, headFile, origin }));
    const store = createBatchStore(database);
    let handlers: ProofHandlers | undefined;
    const real: Partial<SequencerPorts> = {
      ...other,
      ...{ log, batches: store, checkpoints: createCheckpointStore(database) },
      openProofJobs: async (given) => {
        handlers = given;
        return { notify: () => undefined, stop: async () => undefined };
      },
    };
    const { clock, settlement } = around;
    const memory = { batches: createBatches(), checkpoints: createCheckpoints(), records: [] };
    // No certificates are waited for, so that batches are anchored too; few between checkpoints.
    const config = { certificationWaitMs: 1, checkpointEvery: 2 };
    const world = await createWorld(config, { clock, settlement, ...memory }, real);
    const prove = async () => {
      for await (const { number } of store.sealedAfter(0)) {
        if ((await store.proof(number)) !== undefined) continue;
        await store.putProof(number, PROOF);
        handlers?.onProof(number);
      }
    };
    return { sequencer: world.sequencer, log, step: world.step, prove, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Sends a message from the key's present head; remembers it, and its receipt if one comes. */
export async function send(
  { sequencer }: Process,
  around: Surroundings,
  account: number,
  message: Message,
): Promise<void> {
  const key = await sequencer.service.session(account, 0);
  if (key === null) return;
  const word = messageWord(message);
  const signature = sign(secretOf(account), nextHead(key.head, word));
  const submission = { account, keyIndex: 0, word, signature };
  around.sent.push(submission);
  const result = await sequencer.service.submit(submission);
  if (result.accepted) around.receipts.push(result.receipt);
}

/** A while of trading, sealing, proving and anchoring; the same for the same seed. */
export async function trade(venue: Process, around: Surroundings, seed: number): Promise<void> {
  const chance = createChance(seed);
  for (let round = 0; round < 5; round++) await venue.step(400);
  for (let round = 0; round < 6; round++) {
    const deadline = around.clock.now() + 60_000;
    const account = chance.one(ACCOUNTS);
    const order = { isSell: account === 3, price: 500 + chance.pick(8), lots: 1 + chance.pick(5) };
    const message: Message = chance.happens(80)
      ? { ...PLACE, ...order, deadline }
      : { kind: "cancelAll", deadline };
    const sending = [send(venue, around, account, message)];
    // Sometimes two are on their way together, and share a group.
    if (chance.happens(40)) {
      const other = ACCOUNTS.find((one) => one !== account)!;
      sending.push(send(venue, around, other, { ...PLACE, lots: 1, price: 400, deadline }));
    }
    await Promise.all(sending);
    if (chance.happens(50)) await venue.step(1500);
    if (chance.happens(40)) await venue.prove();
  }
  await venue.step(2000);
  await venue.prove();
  await venue.step(1000);
}
