/** Plays prepared chain snapshots as if they happened now, interpolating between them. */
import { type Feed, readModel } from "./feed.ts";
import { sampleIndex } from "./indexHistory.ts";

/** Recorded times; expiries in unix seconds. */
export interface RecordedTerms {
  readonly isCall: boolean;
  readonly strikeTicks: number;
  readonly expiry: number;
}

/** One chain: forwards in ticks by expiry, volatilities by series; null where nothing was seen. */
export interface RecordedSnapshot {
  readonly time: number;
  readonly forwards: readonly (number | null)[];
  readonly ivs: readonly (number | null)[];
}

/** `snapshots` in ascending time; their vectors are in the order of `expiries` and `series`. */
export interface Recording {
  readonly expiries: readonly number[];
  readonly series: readonly RecordedTerms[];
  readonly snapshots: readonly RecordedSnapshot[];
}

/**
 * `startMs`: the time on the running clock at which the first snapshot plays. `speed`: recorded
 * milliseconds for one of the clock. Expiries move by a constant, whatever the speed.
 */
export interface PlaybackConfig {
  readonly startMs: number;
  readonly speed: number;
}

/** What is added to recorded times; whole seconds, so that expiries stay whole. */
export function shiftMs(recording: Recording, startMs: number): number {
  const first = recording.snapshots[0];
  if (first === undefined) throw new Error("The recording has no snapshots.");
  return Math.floor((startMs - first.time) / 1000) * 1000;
}

/**
 * A feed for series whose expiries were shifted by {@link shiftMs}. A series or expiry that was
 * not recorded gets the data of the nearest one that was. An expiry that has no data any more at
 * the time played follows the nearest one that has. The index is the forward of the expiry that is
 * next at the time played: the recordings hold no usable index.
 */
export function createRecordedFeed(recording: Recording, config: PlaybackConfig): Feed {
  const { startMs, speed } = config;
  if (!(speed > 0)) throw new RangeError(`\`speed\` must be above 0. Got \`${speed}\`.`);
  const shiftSeconds = shiftMs(recording, startMs) / 1000;
  const times = recording.snapshots.map(({ time }) => time);
  const forwards = fillForwards(recording);
  const ivs = fillInTime(recording.snapshots.map((snapshot) => snapshot.ivs));
  const recordedTime = (nowMs: number) =>
    (times[0] as number) + Math.floor((nowMs - startMs) * speed);
  const forward = (expiry: number, nowMs: number): number => {
    const recorded = expiry - shiftSeconds;
    const column = nearest(recording.expiries, (other) => Math.abs(other - recorded));
    return interpolate(times, forwards, column, recordedTime(nowMs));
  };
  const index = (nowMs: number): number => {
    const expiries = recording.expiries.map((expiry) => expiry + shiftSeconds);
    const next = expiries.filter((expiry) => expiry * 1000 >= nowMs).sort((a, b) => a - b)[0];
    return forward(next ?? Math.max(...expiries), nowMs);
  };
  const iv = (terms: Terms, nowMs: number): number => {
    const recorded = { ...terms, expiry: terms.expiry - shiftSeconds };
    const column = nearest(recording.series, (other) => distance(recorded, other));
    return interpolate(times, ivs, column, recordedTime(nowMs));
  };
  return {
    name: "recorded",
    read: (nowMs, table) => readModel({ index, forward, iv }, nowMs, table),
    history: (fromMs, toMs) => sampleIndex(index, fromMs, toMs),
  };
}

type Terms = { readonly isCall: boolean; readonly strike: number; readonly expiry: number };

/** First by expiry, then by strike, then by kind: each outweighs all that follow. */
function distance(terms: Terms, other: RecordedTerms): number {
  const kind = terms.isCall === other.isCall ? 0 : 0.5;
  const strike = Math.abs(terms.strike - other.strikeTicks);
  return Math.abs(terms.expiry - other.expiry) * 2 ** 21 + Math.min(strike, 2 ** 21 - 1) + kind;
}

function nearest<T>(items: readonly T[], far: (item: T) => number): number {
  if (items.length === 0) throw new Error("The recording has no series.");
  let best = 0;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const [index, item] of items.entries()) {
    const here = far(item);
    if (here >= bestDistance) continue;
    best = index;
    bestDistance = here;
  }
  return best;
}

function fillForwards(recording: Recording): number[][] {
  const rows = recording.snapshots.map(({ forwards }) =>
    recording.expiries.map((expiry, column) => {
      const own = forwards[column];
      if (own !== undefined && own !== null) return own;
      const seen = recording.expiries
        .map((other, index) => ({ gap: Math.abs(other - expiry), value: forwards[index] ?? null }))
        .filter(({ value }) => value !== null);
      return seen.sort((a, b) => a.gap - b.gap)[0]?.value ?? null;
    }),
  );
  return fillInTime(rows);
}

/** Missing values take the last one before, or else the first one after. */
function fillInTime(rows: readonly (readonly (number | null)[])[]): number[][] {
  const columns = rows[0]?.length ?? 0;
  const last = Array.from({ length: columns }, (_, column) => {
    const first = rows.find((row) => (row[column] ?? null) !== null)?.[column] ?? null;
    if (first === null) throw new Error(`Column \`${column}\` of the recording has no values.`);
    return first;
  });
  return rows.map((row) =>
    last.map((value, column) => {
      const filled = row[column] ?? value;
      last[column] = filled;
      return filled;
    }),
  );
}

/** Linear, rounded to an integer; constant before the first and after the last time. */
function interpolate(
  times: readonly number[],
  rows: readonly (readonly number[])[],
  column: number,
  time: number,
): number {
  const after = times.findIndex((other) => other > time);
  if (after <= 0) return at(rows, after === 0 ? 0 : rows.length - 1, column);
  const [from, to] = [times[after - 1] as number, times[after] as number];
  const [low, high] = [at(rows, after - 1, column), at(rows, after, column)];
  return low + Math.round(((high - low) * (time - from)) / (to - from));
}

function at(rows: readonly (readonly number[])[], row: number, column: number): number {
  return rows[row]?.[column] as number;
}
