// Executes a log of lines into a store, in a process of its own: `replayChild WORK`, a JSON file.
// It goes on from what the store has, by checkpoint and log, as a node does that was restarted.
import { readFileSync } from "node:fs";
import {
  decodeJson,
  decodeRecord,
  encodeJson,
  headAfter,
  type LogHead,
} from "../../sequencer/batch/log.ts";
import {
  type CheckpointDraft,
  type Deployment,
  draftCheckpoint,
  loadCheckpoint,
} from "../../sequencer/roles/nodeState.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { createReplayNode } from "../support/replayNode.ts";

/** What the child is to do. */
export interface ReplayWork {
  /** Of the deployment, as the log writes what it says. */
  readonly deployment: Deployment;
  readonly lines: readonly string[];
  readonly folder: string;
  /** Records that the store is to have in the end. */
  readonly to: number;
}

/** What it says when it is done. */
export interface ReplayDone {
  /** Of Node. */
  readonly version: string;
  readonly position: number;
  readonly head: string;
  readonly root: bigint;
  readonly roots: readonly bigint[];
  /** To see that the surroundings took effect. */
  readonly zone: string;
  readonly locale: string;
  readonly minutesWest: number;
}

const CHECKPOINT_EVERY = 7;

async function replay({ deployment, lines, folder, to }: ReplayWork): Promise<ReplayDone> {
  const { domain } = deployment;
  const { log, checkpoints, batches, close } = await openStore(folder, domain);
  const checkpoint = await loadCheckpoint(log, checkpoints);
  const node = createReplayNode(deployment, checkpoint);
  for await (const record of log.read(node.position())) node.apply(record);
  const roots: bigint[] = [];
  let draft: (CheckpointDraft & { head: LogHead }) | undefined;
  let written = Promise.resolve();
  for (const line of lines.slice(node.position(), to)) {
    const record = decodeRecord(line);
    const effect = node.apply(record);
    written = log.copy([record]);
    const { sealed, batch, hasEnded } = effect;
    if (hasEnded && batch.number % CHECKPOINT_EVERY === 0) {
      draft = { ...draftCheckpoint(node, effect), head: headAfter(record) };
    }
    if (sealed === undefined) continue;
    await written;
    roots.push(sealed.rootAfter);
    await batches.putSealed(sealed, await node.inputs.inputs(sealed.number));
    if (draft === undefined) continue;
    const { head, memory: extra, ...rest } = draft;
    draft = undefined;
    await checkpoints.save({ ...rest, ...head, root: sealed.rootAfter, extra });
  }
  await written;
  await log.verified;
  await close();
  const { timeZone, locale } = Intl.DateTimeFormat().resolvedOptions();
  return {
    ...{ version: process.versions.node, position: node.position(), head: node.hash() },
    ...{ root: node.executor.root(), roots, zone: timeZone, locale },
    minutesWest: new Date(0).getTimezoneOffset(),
  };
}

const work = decodeJson(readFileSync(process.argv[2]!, "utf8")) as ReplayWork;
process.stdout.write(encodeJson(await replay(work)));
