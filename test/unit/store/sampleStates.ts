/** States that change at random, and checkpoints of them; what is in them is of no matter. */
import type { CheckpointChange } from "../../../sequencer/ports.ts";
import type { Shape } from "../../../sequencer/protocol/state.ts";
import type { ExportedState } from "../../../sequencer/state/exportedState.ts";
import { createMemoryState, type MemoryState } from "../../../sequencer/state/memoryState.ts";
import { type Chance, createChance } from "../../simulation/random.ts";

export const SHAPE: Shape = { slots: 4, depth: 3, accountLevels: 2, bookLevels: 2, unit: 1000 };
const IDS = 16;

type Edit = (state: MemoryState, id: number, value: number) => void;

const EDITS: readonly Edit[] = [
  (state, id, value) => {
    Object.assign(state.editAccount(id), { owner: BigInt(value) ** 9n, cash: value });
  },
  (state, id, value) => state.setLots(id, value % SHAPE.slots, -value),
  (state, id, value) => state.setCash(id, value),
  (state, id, value) => {
    state.editSession(id).keys[value % 4]!.head = BigInt(value) ** 7n;
  },
  (state, id, value) => {
    const fees = { taker: 2, maker: -1 };
    const weights = [value % 5, 0, 0, 1];
    state.putBook(id, { weights, generation: value, fees, bids: [], asks: [] });
  },
  (state, id, value) => {
    const entry = { account: value % IDS, seq: value, price: value, lots: 1 };
    if (state.book(id) !== undefined) state.insertOrder(id, value % 2 === 0, 0, entry);
  },
  (state, id, value) => {
    if ((state.book(id)?.asks.length ?? 0) > 0) state.removeOrder(id, true, value % 1);
  },
  (state, id, value) => {
    state.editSeries(id % SHAPE.slots).strike = value;
  },
  (state, id) => state.addHolders(id % SHAPE.slots, 1),
  (state, _, value) => state.setNextSeq(value),
  (state, _, value) => state.setFees(value),
  (state, id, value) => {
    const ranking = { slot: 1, isLong: true, next: id, seen: 2, best: 3, bestLots: value };
    state.setRanking(value % 3 === 0 ? undefined : ranking);
  },
];

/** The same for the same seed and state. */
export function editAtRandom(state: MemoryState, seed: number): void {
  const chance = createChance(seed);
  for (let count = chance.pick(12); count >= 0; count--) {
    if (chance.pick(4) > 0) editOnce(state, chance);
    else attempt(state, chance);
  }
}

function editOnce(state: MemoryState, chance: Chance): void {
  EDITS[chance.pick(EDITS.length)]!(state, chance.pick(IDS), 1 + chance.pick(1_000_000));
}

/** Edits that stay or are taken back, as those of a message. */
function attempt(state: MemoryState, chance: Chance): void {
  const point = state.checkpoint();
  for (let count = chance.pick(4); count >= 0; count--) editOnce(state, chance);
  if (chance.pick(4) === 0) state.clearTouched();
  if (chance.pick(2) === 0) state.rollback(point);
  state.commit();
}

/** As a node begins: with nothing that has changed. */
export function beginFrom(state: ExportedState | undefined): MemoryState {
  const begun = createMemoryState(SHAPE);
  if (state !== undefined) begun.importState(state);
  begun.clearTouched();
  begun.forgetChanges();
  return begun;
}

/** What a checkpoint says besides. */
export function placeAt(position: number) {
  const made = { batchNumber: position, time: 1_700_000_000_000 + position };
  const root = 2n ** 250n + BigInt(position);
  return { ...made, position, epoch: 2, hash: `hash ${position}`, root, extra: { queue: 9n } };
}

/** Takes the change out of the state. */
export function changeAt(state: MemoryState, since: number, position: number): CheckpointChange {
  return { ...placeAt(position), since, change: state.exportChange() };
}
