/**
 * In place of the order log and the engine: a range of records is known by the hash that it leads
 * to, and the state is a function of that hash. Whoever executes needs the records.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Block, LogPlace } from "../../../sequencer/consensus/block.ts";

export interface ToyLog {
  /** Appends `count` records, different for each `salt`. */
  grow(place: LogPlace, count: number, salt: string): LogPlace;
  /** The root after the block; undefined without its records, null for wrong ones. */
  execute(parent: LogPlace, block: Block): bigint | null | undefined;
}

/** Records are at hand for everybody unless they are `withheld`. */
export const WITHHELD = "withheld";

export function createToyLog(): ToyLog {
  const links = new Map<string, { previous: string; count: number }>();
  return {
    grow: (place, count, salt) => {
      const logHash = digest(`${place.logHash} ${count} ${salt}`);
      if (!salt.startsWith(WITHHELD)) links.set(logHash, { previous: place.logHash, count });
      return { to: place.to + count, logHash, root: rootOf(logHash) };
    },
    execute: (parent, block) => {
      if (block.from === block.to) return parent.root;
      let hash = block.logHash;
      let count = 0;
      while (hash !== parent.logHash && count < block.to - block.from) {
        const link = links.get(hash);
        if (link === undefined) return undefined;
        hash = link.previous;
        count += link.count;
      }
      const isWhole = hash === parent.logHash && count === block.to - block.from;
      return isWhole ? rootOf(block.logHash) : null;
    },
  };
}

export function rootOf(logHash: string): bigint {
  return BigInt(`0x${digest(`root ${logHash}`)}`);
}

function digest(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}
