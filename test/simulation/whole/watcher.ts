/**
 * Sees every node at every moment, and remembers what must never be: two final blocks at a height,
 * a record that was acknowledged and is gone or was not durable, something final that a quorum does
 * not hold, two roots for one place of the log, an honest validator that refuses or lies.
 */
import { isDeepStrictEqual } from "node:util";
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import { type Block, blockHash } from "../../../sequencer/consensus/block.ts";
import type { Receipt } from "../../../sequencer/exchangeService.ts";
import type { FinalBlock } from "../../../sequencer/ports.ts";
import { createObserver } from "../consensus/observer.ts";
import { QUORUM, rules, sitting } from "./deployment.ts";
import type { Disk } from "./disk.ts";
import type { Moment } from "./history.ts";
import type { Seat } from "./memberMesh.ts";
import { recordOn, type SequencerNode } from "./sequencerNode.ts";
import type { ValidatorNode, ValidatorWatcher } from "./validatorNode.ts";

export interface WatcherOptions {
  now(): number;
  /** Members whose votes may contradict each other. */
  readonly corrupted: ReadonlySet<number>;
  /** Absent: the sequencer moves, and acknowledges what is final. */
  readonly sequencer?: () => SequencerNode;
  validators(): readonly ValidatorNode[];
}

export interface Watcher extends ValidatorWatcher {
  readonly violations: readonly string[];
  violate(what: string): void;
  acknowledged(receipt: Receipt): void;
  moment(): Moment;
  sequencerEnded(reason: string, disk: Disk): void;
  /** Looks whether every acknowledged record is where it was; whenever a machine has stopped. */
  checkLog(): void;
  /** Hashes of final blocks by height, and all that are known. */
  readonly blocks: ReadonlyMap<number, string>;
  readonly finals: readonly Block[];
  readonly heightMax: number;
}

export function createWatcher(options: WatcherOptions): Watcher {
  const { corrupted, now } = options;
  const violations: string[] = [];
  const blocks = new Map<number, string>();
  const finals: Block[] = [];
  const roots = new Map<number | string, { readonly hash: string; readonly root: bigint }>();
  const votes = createObserver({ rules, genesis: sitting.genesis, corrupted });
  let newest: { readonly position: number; readonly hash: string } | undefined;
  let heightMax = 0;

  function violate(what: string): void {
    violations.push(`at ${now()} ms: ${what}`);
  }

  function checkLog(): void {
    if (newest === undefined) return;
    const { position, hash } = newest;
    // All before it hangs on its hash.
    if (!isKept(position, hash)) violate(`the acknowledged record ${position} is gone`);
  }

  function isKept(position: number, hash: string): boolean {
    if (options.sequencer === undefined) return holders(position + 1, hash) >= QUORUM;
    const { disk } = options.sequencer();
    return disk.logHead().position > position && recordOn(disk, position)?.hash === hash;
  }

  function durable(): number {
    if (options.sequencer !== undefined) return options.sequencer().disk.logHead().position;
    return finals.reduce((to, block) => Math.max(to, block.to), 0);
  }

  /** Members whose disk has the log up to there. */
  function holders(to: number, logHash: string): number {
    const seats = options
      .validators()
      .filter(({ disk }) => to === 0 || recordOn(disk, to - 1)?.hash === logHash);
    return new Set(seats.map(({ seat }) => seat.member)).size;
  }

  return {
    violations,
    ...{ blocks, finals },
    violate,
    checkLog,
    get heightMax() {
      return heightMax;
    },
    moment: () => ({
      at: now(),
      acknowledged: newest === undefined ? 0 : newest.position + 1,
      durable: durable(),
    }),
    acknowledged: ({ logPosition: position, logHash: hash }) => {
      if (position > (newest?.position ?? -1)) newest = { position, hash };
      checkLog();
    },
    sequencerEnded: (reason, disk) => {
      if (!disk.isBroken()) violate(`the sequencer ended: ${reason}`);
    },
    executed: (_seat, { position, hash }: LogRecord, root) => {
      // Where the sequencer moves, what is not final may be replaced.
      const key = options.sequencer === undefined ? `${position} ${hash}` : position;
      const known = roots.get(key);
      if (known === undefined) roots.set(key, { hash, root });
      else if (!isDeepStrictEqual(known, { hash, root })) {
        violate(`two nodes have executed something else at ${position}`);
      }
    },
    final: (seat: Seat, { block }: FinalBlock) => {
      const hash = blockHash(block);
      const known = blocks.get(block.height);
      if (known !== undefined && known !== hash) {
        violate(`two blocks are final at height ${block.height}`);
      }
      if (known === undefined) finals.push(block);
      blocks.set(block.height, hash);
      heightMax = Math.max(heightMax, block.height);
      const count = holders(block.to, block.logHash);
      if (count < QUORUM && corrupted.size === 0) {
        violate(`member ${seat.member} has a final block that ${count} members hold`);
      }
    },
    sent: ({ member }, message) => {
      const before = votes.violations.length;
      votes.sent(member, message);
      for (const broken of votes.violations.slice(before)) violate(broken);
    },
    fault: (from, reason) => {
      if (!corrupted.has(from.member)) violate(`member ${from.member} is at fault: ${reason}`);
    },
    ended: (seat, reason) => {
      const { disk } = options.validators().find((node) => node.seat === seat)!;
      if (corrupted.has(seat.member) || disk.isBroken()) return;
      violate(`member ${seat.member} ended: ${reason}`);
    },
  };
}
