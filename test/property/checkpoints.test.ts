// What the store gives back is what the state was at that checkpoint, whatever was edited, taken
// back, sealed, saved, cut off, damaged and opened again: the newest one whose rows are whole.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Checkpoint } from "../../sequencer/ports.ts";
import {
  type ExportedChange,
  type ExportedState,
  type Row,
  withChange,
} from "../../sequencer/state/exportedState.ts";
import type { MemoryState } from "../../sequencer/state/memoryState.ts";
import { createCheckpointStore } from "../../sequencer/store/checkpointStore.ts";
import { createDatabase, type Database } from "../../sequencer/store/database.ts";
import { KEY_PREFIXES, numberedKey } from "../../sequencer/store/keys.ts";
import { changesWithCut } from "../../sequencer/store/truncation.ts";
import { beginFrom, changeAt, editAtRandom, placeAt } from "../unit/store/sampleStates.ts";
import { runs } from "./runs.ts";

const seed = fc.nat({ max: 2 ** 31 - 1 });
const edits = fc.record({ kind: fc.constant("edit" as const), seed });
const plain = (kind: "seal" | "save" | "reopen") => fc.record({ kind: fc.constant(kind), seed });
const what = fc.constantFrom("newest", "newer", "older", "base");
const damages = fc.record({ kind: fc.constant("damage" as const), what, seed });
const cuts = fc.record({ kind: fc.constant("cut" as const), back: fc.nat({ max: 2 }), seed });
const event = fc.oneof(
  { arbitrary: edits, weight: 6 },
  { arbitrary: plain("seal"), weight: 4 },
  { arbitrary: plain("save"), weight: 6 },
  { arbitrary: plain("reopen"), weight: 1 },
  { arbitrary: damages, weight: 1 },
  { arbitrary: cuts, weight: 1 },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;
type What = typeof what extends fc.Arbitrary<infer T> ? T : never;

/** A node on its store, and what should be in that. */
interface World {
  readonly folder: string;
  database: Database;
  state: MemoryState;
  /** Position of the checkpoint that the state goes on from. */
  since: number;
  /** At most two, ascending. */
  kept: Checkpoint[];
  isNewestDamaged: boolean;
  /** Its record: what is in the newest has nothing to do with it. */
  isOlderDamaged: boolean;
  isBaseDamaged: boolean;
}

/** What a role keeps in rows: for some accounts, which also come and go. */
function ownRows(accounts: ExportedChange["accounts"]): Row<unknown>[] {
  return accounts.map(([id, row]) => [id, row === null || row.cash % 3 === 0 ? null : [row.cash]]);
}

function wholeAt(position: number, state: ExportedState): Checkpoint {
  const own = ownRows(state.accounts).filter(([, row]) => row !== null);
  return { ...placeAt(position), state, ...(own.length > 0 && { ownRows: own }) };
}

const seen = { saves: 0, fallbacks: 0, lost: 0, cuts: 0 };

function expected(world: World): Checkpoint | undefined {
  const { kept, isNewestDamaged, isOlderDamaged, isBaseDamaged } = world;
  if (isBaseDamaged) return undefined;
  if (!isNewestDamaged) return kept.at(-1);
  return isOlderDamaged ? undefined : kept.at(-2);
}

async function check(world: World): Promise<Checkpoint | undefined> {
  const found = await createCheckpointStore(world.database).latest();
  assert.deepEqual(found, expected(world));
  return found;
}

async function reopen(world: World): Promise<void> {
  await world.database.close();
  world.database = createDatabase(world.folder);
  const found = await check(world);
  world.state = beginFrom(found?.state);
  world.since = found?.position ?? 0;
}

async function save(world: World, step: number): Promise<void> {
  const { state, since, database } = world;
  const position = since + 1 + (step % 3);
  const whole = wholeAt(position, state.exportState());
  const change = changeAt(state, since, position);
  const own = ownRows(change.change.accounts);
  await createCheckpointStore(database).save({ ...change, ownRows: own });
  const before = world.kept.filter((kept) => since > 0 && kept.position <= since).slice(-1);
  Object.assign(world, { kept: [...before, whole], since: position });
  const undamaged = { isNewestDamaged: false, isOlderDamaged: false, isBaseDamaged: false };
  Object.assign(world, undamaged);
  seen.saves += 1;
}

/** A node finds damage when it begins: until then its memory is right. */
async function damage(world: World, which: What, place: number): Promise<void> {
  const key = await damagedKey(world, which, place);
  if (key === undefined) return;
  const text = (await world.database.get(key)) as string;
  const at = place % text.length;
  const other = text[at] === "7" ? "8" : "7";
  await world.database.put(key, text.slice(0, at) + other + text.slice(at + 1));
  const isNewest = which === "newest" || which === "newer";
  if (isNewest) world.isNewestDamaged = true;
  else if (which === "older") world.isOlderDamaged = true;
  else world.isBaseDamaged = true;
  if (world.isBaseDamaged) seen.lost += 1;
  else if (world.kept.length === 2) seen.fallbacks += 1;
  await reopen(world);
}

async function damagedKey(
  { database, kept }: World,
  which: What,
  place: number,
): Promise<string | undefined> {
  const checkpoint = which === "newest" ? kept.at(-1) : which === "older" ? kept.at(-2) : undefined;
  if (checkpoint !== undefined) return numberedKey("checkpoint", checkpoint.position);
  if (which === "newest" || which === "older") return undefined;
  const gt = `checkpoint-${which}/`;
  const rows = await database.keys({ gt, lt: KEY_PREFIXES.checkpoint }).all();
  const own = rows.filter((key) => key.startsWith(gt));
  return own[place % Math.max(1, own.length)];
}

/** The log is cut off where the newest checkpoint is, or one before it. */
async function cut(world: World, back: number): Promise<void> {
  const last = world.kept.at(-1);
  if (last === undefined) return;
  const to = back === 0 ? last.position : (world.kept.at(-1 - back)?.position ?? 1) - (back - 1);
  const log = { read: async function* () {} };
  await world.database.batch(await changesWithCut(world.database, log, to), { sync: true });
  const left = world.kept.filter(({ position }) => position <= to);
  if (left.length < world.kept.length) {
    // What is left was the older one.
    Object.assign(world, { isNewestDamaged: world.isOlderDamaged, isOlderDamaged: false });
    seen.cuts += 1;
  }
  if (left.length === 0) Object.assign(world, { isNewestDamaged: false, isBaseDamaged: false });
  world.kept = left;
  await reopen(world);
}

async function happen(world: World, event: Event): Promise<void> {
  if (event.kind === "edit") editAtRandom(world.state, event.seed);
  else if (event.kind === "seal") world.state.clearTouched();
  else if (event.kind === "save") await save(world, event.seed);
  else if (event.kind === "reopen") await reopen(world);
  else if (event.kind === "damage") await damage(world, event.what, event.seed);
  else if (event.kind === "cut") await cut(world, event.back);
}

test("the newest whole checkpoint is the state that was, through damage and cuts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 50 }), async (events) => {
      const folder = await mkdtemp(path.join(tmpdir(), "straddle-checkpoints-"));
      const world: World = {
        ...{ folder, database: createDatabase(folder), state: beginFrom(undefined), since: 0 },
        ...{ kept: [], isNewestDamaged: false, isOlderDamaged: false, isBaseDamaged: false },
      };
      try {
        for (const each of events) {
          await happen(world, each);
          await check(world);
        }
      } finally {
        await world.database.close();
        await rm(folder, { recursive: true, force: true });
      }
    }),
    runs(40),
  );
  // Otherwise nothing has been shown.
  assert.ok(
    Object.values(seen).every((count) => count > 0),
    JSON.stringify(seen),
  );
});

test("changes upon each other make the state that was exported as a whole", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(seed, fc.boolean()), { maxLength: 20 }), (steps) => {
      const state = beginFrom(undefined);
      let whole: ExportedState | undefined;
      for (const [edit, isSealed] of steps) {
        editAtRandom(state, edit);
        if (isSealed) state.clearTouched();
        whole = withChange(whole, state.exportChange());
        assert.deepEqual(whole, state.exportState());
      }
    }),
    runs(100),
  );
});
