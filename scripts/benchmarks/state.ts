/**
 * `npm run bench -- state`: what a block's changes cost the trees, beside the same tree that is
 * hashed by circomlibjs one update after the other, and sealing as a node does it.
 */
import { hashVector } from "../../sequencer/protocol/hash.ts";
import { emptyKey, type Shape } from "../../sequencer/protocol/state.ts";
import { createMemoryState, type MemoryState } from "../../sequencer/state/memoryState.ts";
import { createMerkleTree, type MerkleTree } from "../../sequencer/state/merkleTree.ts";
import { createStateTrees } from "../../sequencer/state/stateTrees.ts";
import { openRowHelper } from "../../sequencer/threads/rowHelper.ts";
import { createChance } from "../../test/simulation/random.ts";
import type { BenchLine } from "./benchLine.ts";
import { percentile } from "./percentile.ts";
import { type Contestant, cpuClock, itemsPerSecond } from "./risk/throughput.ts";

const PEER = "circomlibjs@0.1.7, one update at a time";
const ARITY = 4;
/** Accounts that are there: all leaves of the tree, or the first of a larger one. */
const ACCOUNTS = 65_536;
const LEVELS = 8;
const UPDATES = 1024;
const UPDATES_PEER = 24;
const UPDATE_TARGET = 10;
const CURVE = [1000, ACCOUNTS, 1_000_000];
const CURVE_LEVELS = 10;
const TOUCHED = 1000;
const BOOKS = 100;
const SEALS = 7;
const SEAL_TARGET_MS = 100;
const SHAPE: Shape = { slots: 64, depth: 32, accountLevels: 10, bookLevels: 5, unit: 1000 };

/** circomlibjs ships no types. */
interface Poseidon {
  (inputs: readonly (bigint | Uint8Array)[]): Uint8Array;
  readonly F: { e(value: bigint): Uint8Array; toObject(element: Uint8Array): bigint };
}

export async function stateBenchmarks(): Promise<BenchLine[]> {
  const name = "circomlibjs";
  const { buildPoseidon } = (await import(name)) as { buildPoseidon(): Promise<Poseidon> };
  return [updateLine(await buildPoseidon()), ...CURVE.map(curveLine), ...(await sealLines())];
}

/** Which leaves a block changes, and to what: other ones each time. */
function createUpdates(accounts: number): (count: number) => [id: number, leaf: bigint][] {
  const chance = createChance(accounts);
  let next = 1n;
  return (count) =>
    Array.from({ length: count }, (): [number, bigint] => {
      next += 1n;
      return [chance.pick(accounts), next];
    });
}

function filledTree(levels: number, accounts: number): MerkleTree {
  const tree = createMerkleTree({ levels, emptyLeaf: 0n });
  tree.setMany(Array.from({ length: accounts }, (_, id): [number, bigint] => [id, BigInt(id + 1)]));
  return tree;
}

function updateLine(poseidon: Poseidon): BenchLine {
  const tree = createMerkleTree({ levels: LEVELS, emptyLeaf: 0n });
  const peer = createPeerTree(poseidon);
  assertAlike(tree, peer);
  const updates = createUpdates(ACCOUNTS);
  const [value = 0, peerValue = 0] = itemsPerSecond(
    [
      updating(tree, updates),
      {
        items: UPDATES_PEER,
        run: () => {
          for (const [id, leaf] of updates(UPDATES_PEER)) peer.set(id, leaf);
          return 0;
        },
      },
    ],
    cpuClock,
  );
  return {
    ...{ name: `state.update.${UPDATES}of${ACCOUNTS}`, value, unit: "updates/s" },
    ...{ better: "higher", target: UPDATE_TARGET * peerValue, peer: PEER, peerValue },
    ...{ ratio: value / peerValue, note: `${UPDATES} random leaves in a block, ${LEVELS} levels` },
  };
}

function updating(tree: MerkleTree, updates: ReturnType<typeof createUpdates>): Contestant {
  const run = (): number => {
    tree.setMany(updates(UPDATES));
    return 0;
  };
  return { items: UPDATES, run };
}

/** The same tree, as whoever uses circomlibjs writes it first: a path for each update. */
function createPeerTree(poseidon: Poseidon) {
  const { F } = poseidon;
  const nodes = Array.from({ length: LEVELS + 1 }, () => new Map<number, Uint8Array>());
  const empty = [F.e(0n)];
  for (let level = 0; level < LEVELS; level++) {
    empty.push(poseidon(new Array<Uint8Array>(ARITY).fill(empty[level]!)));
  }
  const node = (level: number, index: number) => nodes[level]!.get(index) ?? empty[level]!;
  return {
    set(id: number, leaf: bigint): void {
      nodes[0]!.set(id, F.e(leaf));
      for (let level = 0, index = id; level < LEVELS; level++) {
        index = Math.floor(index / ARITY);
        const family = Array.from({ length: ARITY }, (_, child) =>
          node(level, index * ARITY + child),
        );
        nodes[level + 1]!.set(index, poseidon(family));
      }
    },
    root: () => F.toObject(node(LEVELS, 0)),
  };
}

/** Throws where the two do not do the same work. */
function assertAlike(tree: MerkleTree, peer: ReturnType<typeof createPeerTree>): void {
  for (const [id, leaf] of createUpdates(ACCOUNTS)(20)) {
    tree.set(id, leaf);
    peer.set(id, leaf);
  }
  if (tree.root() !== peer.root()) throw new Error("the peer's tree has another root");
}

/** A block costs the same however many accounts there are, but for what its paths share. */
function curveLine(accounts: number): BenchLine {
  const tree = filledTree(CURVE_LEVELS, accounts);
  const updates = createUpdates(accounts);
  const [value = 0] = itemsPerSecond([updating(tree, updates)], cpuClock);
  const note = `${CURVE_LEVELS} levels`;
  const name = `state.update.${UPDATES}of${accounts}.curve`;
  return { name, value, unit: "updates/s", better: "higher", note };
}

async function sealLines(): Promise<BenchLine[]> {
  const state = createMemoryState(SHAPE);
  const trees = createStateTrees(SHAPE);
  const seal = (): void => {
    trees.sync(state, state.touched());
    state.clearTouched();
    trees.root(state);
  };
  for (let id = 0; id < ACCOUNTS; id++) fillAccount(state, id);
  openBooks(state);
  seal();
  const chance = createChance(7);
  let round = 0;
  const timeOf = (clock: () => number): number => {
    const times: number[] = [];
    for (let count = 0; count <= SEALS; count++) {
      touch(state, chance, round++);
      const start = clock();
      seal();
      if (count > 0) times.push(clock() - start);
    }
    return percentile(times, 50);
  };
  const alone = timeOf(cpuClock);
  const helper = openRowHelper();
  const together = timeOf(() => performance.now());
  await helper.stop();
  const rows = `${TOUCHED} of ${ACCOUNTS} accounts with sessions, ${BOOKS} books of two sides`;
  const figure = { better: "lower", target: SEAL_TARGET_MS } as const;
  return [
    { name: "state.seal", value: together, unit: "ms", ...figure, note: `${rows}; two threads` },
    { name: "state.seal.cpu", value: alone, unit: "CPU ms", better: "lower", note: "one thread" },
  ];
}

function fillAccount(state: MemoryState, id: number): void {
  Object.assign(state.editAccount(id), { owner: BigInt(id + 1), cash: 1_000_000 });
  const head = hashVector([BigInt(id)]);
  state.editSession(id).keys[0] = { ...emptyKey(), x: 1n, y: BigInt(id), head };
}

function openBooks(state: MemoryState): void {
  for (let id = 0; id < BOOKS; id++) {
    const weights = new Array<number>(SHAPE.slots).fill(0).with(id % SHAPE.slots, 1);
    const fees = { taker: 3, maker: 0 };
    state.putBook(id, { weights, generation: 1, fees, bids: [], asks: [] });
  }
}

/** As a batch leaves it: cash, some positions, a key's head, and other orders in the books. */
function touch(state: MemoryState, chance: ReturnType<typeof createChance>, round: number): void {
  const ids = new Set<number>();
  while (ids.size < TOUCHED) ids.add(chance.pick(ACCOUNTS));
  for (const id of ids) {
    const account = state.editAccount(id);
    account.cash += 1;
    account.positions[chance.pick(SHAPE.slots)]! += 1;
    state.editSession(id).keys[0]!.head += 1n;
  }
  for (let id = 0; id < BOOKS; id++) {
    const book = state.editBook(id);
    for (const [side, price] of [
      [book.bids, 90],
      [book.asks, 110],
    ] as const) {
      const entry = { account: 1, seq: round * BOOKS + id + 1, price, lots: 5 };
      side.splice(0, side.length, ...new Array(SHAPE.depth / 2).fill(entry));
    }
  }
}
