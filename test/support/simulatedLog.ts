/**
 * The `simulated` engine of the order log: a medium in memory whose faults come from a seed, and
 * writers on it. Several writers may be open on one medium: each that opens takes the next epoch.
 */
import {
  assertContinues,
  decodeRecord,
  emptyHead,
  encodeJson,
  encodeRecord,
  headAfter,
  LogCorruptionError,
  type LogHead,
  type LogRecord,
} from "../../sequencer/batch/log.ts";
import {
  createLogWriter,
  LogFencedError,
  LogStoppedError,
} from "../../sequencer/batch/logWriter.ts";
import type { Log } from "../../sequencer/ports.ts";
import type { LogPolicy } from "../../sequencer/protocol/status.ts";
import type { Chance } from "../simulation/random.ts";

/** What can go wrong, drawn anew for each write. */
export interface MediumFaults {
  /** Turns of the event loop that a write takes, at most. */
  readonly turnsMax: number;
  /** A sync fails; some records of the write may have reached the medium. */
  readonly syncErrorPercent: number;
}

export interface SimulatedMedium {
  /** Opens the log as its next writer. Throws LogCorruptionError. */
  open(): Promise<Log>;
  /**
   * The machine stops: writes under way are lost, torn or whole, as the seed says, and nobody
   * hears of them. Writers that were open never answer again.
   */
  crash(): void;
  /** From now on syncs fail. */
  failSyncs(): void;
  /** Puts other contents on the medium, as if they had been written and synced. */
  forge(texts: readonly string[]): void;
  readonly texts: readonly string[];
  /** Writes that were synced. */
  readonly writes: number;
}

const POLICY: LogPolicy = {
  engine: "simulated",
  durability: "synced to a medium in memory, whose faults come from a seed",
  ...{ lossWindowMs: 0, lossWindow: "none by a crash" },
};

interface Medium {
  readonly chance: Chance;
  readonly origin: string;
  readonly faults: MediumFaults;
  texts: string[];
  /** Records that a sync has confirmed: what lies above may be torn. */
  synced: number;
  epoch: number;
  /** Counts crashes: a writer of another life is dead. */
  life: number;
  writes: number;
  isBroken: boolean;
  underWay: readonly LogRecord[];
}

export function createSimulatedMedium(options: {
  readonly origin: string;
  readonly chance: Chance;
  readonly faults?: Partial<MediumFaults>;
}): SimulatedMedium {
  const { origin, chance, faults } = options;
  const medium: Medium = {
    ...{ chance, origin, faults: { turnsMax: 3, syncErrorPercent: 0, ...faults } },
    ...{ texts: [], synced: 0, epoch: 0, life: 0, writes: 0, isBroken: false, underWay: [] },
  };
  return {
    open: () => openLog(medium),
    crash: () => crash(medium),
    failSyncs: () => {
      medium.isBroken = true;
    },
    forge: (texts) => {
      medium.texts = [...texts];
      medium.synced = texts.length;
    },
    get texts() {
      return medium.texts;
    },
    get writes() {
      return medium.writes;
    },
  };
}

async function openLog(medium: Medium): Promise<Log> {
  const head = recover(medium);
  const epoch = Math.max(medium.epoch, head.epoch) + 1;
  medium.epoch = epoch;
  const { life } = medium;
  const writer = createLogWriter({
    ...{ head, epoch },
    write: (records) => write(medium, { epoch, life }, records),
  });
  return {
    ...writer,
    policy: () => POLICY,
    read: (from) => read(medium, from, writer.head()),
  };
}

/** Cuts a torn tail, which no sync has confirmed; anything else that is wrong is damage. */
function recover(medium: Medium): LogHead {
  let head = emptyHead(medium.origin);
  for (const [position, text] of medium.texts.entries()) {
    const record = parse(text);
    if (record === undefined && position >= medium.synced) {
      medium.texts.length = position;
      break;
    }
    head = following(head, record);
  }
  medium.synced = medium.texts.length;
  return head;
}

function following(head: LogHead, record: LogRecord | undefined): LogHead {
  if (record === undefined) throw new LogCorruptionError(head.position, "it is not JSON");
  assertContinues(record, head);
  return headAfter(record);
}

async function* read(medium: Medium, from: number, end: LogHead): AsyncGenerator<LogRecord> {
  const before = from === 0 ? undefined : parse(medium.texts[from - 1] ?? "");
  let head = before === undefined ? emptyHead(medium.origin) : headAfter(before);
  while (head.position < end.position) {
    const record = parse(medium.texts[head.position] ?? "");
    head = following(head, record);
    yield record!;
  }
}

function parse(text: string): LogRecord | undefined {
  try {
    return decodeRecord(text);
  } catch {
    return undefined;
  }
}

async function write(
  medium: Medium,
  writer: { readonly epoch: number; readonly life: number },
  records: readonly LogRecord[],
): Promise<void> {
  medium.underWay = records;
  await turns(medium.chance.pick(medium.faults.turnsMax + 1));
  // The dead neither write nor hear.
  if (writer.life !== medium.life) await new Promise(() => undefined);
  if (writer.epoch !== medium.epoch) throw new LogFencedError(writer.epoch, medium.epoch);
  medium.underWay = [];
  if (medium.isBroken || medium.chance.happens(medium.faults.syncErrorPercent)) {
    leave(medium, records);
    throw new LogStoppedError("a sync of the simulated medium failed");
  }
  medium.texts.push(...records.map(encodeRecord));
  medium.synced = medium.texts.length;
  medium.writes += 1;
}

function crash(medium: Medium): void {
  medium.life += 1;
  leave(medium, medium.underWay);
  medium.underWay = [];
}

/** What an unsynced write leaves: a number of whole records, and perhaps a part of the next. */
function leave(medium: Medium, records: readonly LogRecord[]): void {
  const { chance, texts } = medium;
  const whole = chance.pick(records.length + 1);
  texts.push(...records.slice(0, whole).map(encodeJson));
  const next = records[whole];
  if (next === undefined || chance.happens(50)) return;
  const text = encodeJson(next);
  texts.push(text.slice(0, 1 + chance.pick(text.length - 1)));
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
