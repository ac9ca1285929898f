/**
 * A venue in a storm, and then in calm: the whole run follows from its seed. Whatever must never be
 * ends it at once; whatever must come to be has a time for it once the storm is over.
 */
import { createHash } from "node:crypto";
import { encodeJson, type LogRecord } from "../../../sequencer/batch/log.ts";
import { CALM, type Weather } from "../consensus/network.ts";
import { createChance } from "../random.ts";
import type { DiskFaults } from "./disk.ts";
import { type FaultRates, startFaults } from "./faults.ts";
import type { Command, History } from "./history.ts";
import { checkHistory } from "./historyCheck.ts";
import { createMovingVenue } from "./movingVenue.ts";
import { type Replay, replayLog } from "./replay.ts";
import { recordOn } from "./sequencerNode.ts";
import { type AnyVenue, createVenue } from "./venue.ts";
import { inVirtualTime } from "./virtualTime.ts";

export interface StormOptions {
  readonly seed: number;
  readonly weather: Weather;
  readonly faults: FaultRates;
  readonly stormMs: number;
  /** How long the calm may take until everything is done; 0: nobody waits for that. */
  readonly calmMs: number;
  /** Members of which two nodes have the key. */
  readonly twins?: readonly number[];
  /** Bits of the machines that are parted from the others until the storm is over. */
  readonly divided?: number;
  /** Times that clients send each command. */
  readonly copies?: number;
  readonly clients?: number;
  readonly disks?: Partial<DiskFaults>;
  /** Each member has a sequencer of its own, and the leader's writes. */
  readonly isMoving?: boolean;
  readonly isHasty?: boolean;
  /** Where nodes write what they do, for people. */
  readonly lines?: string[];
}

export interface StormResult {
  readonly violations: readonly string[];
  /** Virtual ms of calm until all was done; undefined: not within `calmMs`. */
  readonly recoveryMs: number | undefined;
  /** What was not. */
  readonly undone: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly history: History;
  readonly replay: Replay;
  readonly records: readonly LogRecord[];
  /** Everything that came of the run, to compare two by. */
  readonly digest: string;
}

export const DISKS: DiskFaults = { syncMsMax: 4, slowMsMax: 900, liesMs: 0 };
/** The market opens before the storm begins. */
export const OPENING_MS = 3_500;
const LOOK_MS = 250;

export function runStorm(options: StormOptions): Promise<StormResult> {
  return inVirtualTime(async (time) => {
    const { twins = [], copies = 1, clients = 3, lines, isHasty = false } = options;
    const chance = createChance(options.seed);
    const disks = { ...DISKS, ...options.disks };
    const create = options.isMoving === true ? createMovingVenue : createVenue;
    const venue: AnyVenue = create(time, {
      ...{ chance, weather: CALM, disks, twins, copies, clients, lines, isHasty },
    });
    const { watcher, network } = venue;
    network.divide(options.divided);
    const isOver = (): boolean => watcher.violations.length > 0;
    await time.runTo(OPENING_MS, isOver);
    network.change(options.weather);
    const faults = startFaults(venue, chance, options.faults);
    await time.runTo(OPENING_MS + options.stormMs, isOver);
    faults.end();
    const began = time.schedule.now();
    for (const client of venue.clients) client.finish();
    let undone = unfinished(venue);
    while (undone.length > 0 && time.schedule.now() < began + options.calmMs && !isOver()) {
      await time.runTo(time.schedule.now() + LOOK_MS, isOver);
      undone = unfinished(venue);
    }
    const recoveryMs = undone.length === 0 ? time.schedule.now() - began : undefined;
    return report(venue, { recoveryMs, undone, crashes: faults.crashes });
  });
}

/** What is still to come: every client answered, every record certified, every batch anchored. */
export function unfinished({ records, validators, clients, layerOne }: AnyVenue): string[] {
  const log = records();
  const position = log.length;
  const behind = validators.filter((node) => node.certified() < position);
  const waiting = clients.filter((client) => !client.isDone());
  const last = log.at(-1)?.entry;
  // Undefined while a batch is open.
  const sealed = last?.type === "seal" ? last.number : undefined;
  const { number } = layerOne.view().anchored;
  return [
    ...behind.map((node) => `${node.machine.name} is at ${node.certified()} of ${position}`),
    ...(waiting.length === 0 ? [] : [`${waiting.length} clients wait`]),
    ...(number === sealed ? [] : [`layer one has ${number} of ${sealed ?? "?"} batches`]),
  ];
}

/** Everything that came of the run, held against everything else. */
export function report(
  venue: AnyVenue,
  end: Pick<StormResult, "recoveryMs" | "undone"> & { readonly crashes: number },
): StormResult {
  const { watcher, time, layerOne, clients, traders } = venue;
  const records = venue.records();
  const replay = replayLog(
    records,
    traders.map(({ account }) => account),
  );
  const history: History = {
    commands: clients.flatMap(({ commands }) => commands),
    reads: clients.flatMap(({ reads }) => reads),
  };
  const violations = [
    ...watcher.violations,
    ...replay.faults,
    ...checkHistory(history, replay),
    ...checkCopies(venue, records),
    ...checkAnchored(venue, replay),
    ...checkBlocks(venue, replay),
    ...(venue.isMoving ? checkEpochs(venue, records) : []),
  ];
  const { crashes, recoveryMs, undone } = end;
  const counts = {
    ...{ crashes, events: time.events, records: records.length, batches: replay.roots.length },
    ...{ anchored: layerOne.view().anchored.number, blocks: watcher.heightMax },
    ...{ reorgs: layerOne.reorgs, fills: replay.fills.length, reads: history.reads.length },
    commands: history.commands.length,
    acknowledged: history.commands.filter(isAcknowledged).length,
    unknown: history.commands.filter(({ answer }) => answer === undefined).length,
  };
  const told = { violations, recoveryMs, counts, history, head: replay.head, root: replay.root };
  const all = { ...told, blocks: [...watcher.blocks], anchored: layerOne.batches() };
  const digest = createHash("sha256").update(encodeJson(all)).digest("hex");
  return { violations, recoveryMs, undone, counts, history, replay, records, digest };
}

function isAcknowledged({ answer }: Command): boolean {
  return answer !== undefined && "receipt" in answer;
}

/** Validators hold the log that counts, as far as they have certified it, or more. */
function checkCopies({ validators, isMoving }: AnyVenue, records: readonly LogRecord[]): string[] {
  return validators.flatMap(({ machine, disk, certified }) => {
    const { position } = disk.logHead();
    const at = isMoving ? certified() : position;
    const isSame = at === 0 || records[at - 1]?.hash === recordOn(disk, at - 1)?.hash;
    return isSame ? [] : [`${machine.name} holds another log at ${at}`];
  });
}

/** Final blocks are of this log, with the roots that executing it leads to. */
function checkBlocks({ watcher }: AnyVenue, replay: Replay): string[] {
  return watcher.finals.flatMap(({ height, to, root }) =>
    to > replay.head.position || replay.rootAt(to) === root
      ? []
      : [`block ${height} has another root than its records lead to`],
  );
}

/** A record's epoch is the term of its block. */
function checkEpochs({ watcher }: AnyVenue, records: readonly LogRecord[]): string[] {
  return watcher.finals.flatMap(({ height, from, to, view, logHash }) => {
    const own = records.slice(from, to);
    if (to > 0 && records[to - 1]?.hash !== logHash) return [`block ${height} is of another log`];
    const other = own.find(({ epoch }) => epoch !== view.term);
    if (other === undefined) return [];
    return [`record ${other.position} of epoch ${other.epoch} is in a block of term ${view.term}`];
  });
}

function checkAnchored({ layerOne }: AnyVenue, { roots }: Replay): string[] {
  return layerOne.batches().flatMap(({ number, root }) => {
    return roots[number - 1] === root ? [] : [`layer one has another root for batch ${number}`];
  });
}
