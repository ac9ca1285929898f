/** The oracles: marks that walk, in snapshots that a quorum of real keys has signed. */
import type { Snapshot, Terms } from "../../../sequencer/protocol/snapshot.ts";
import { snapshotAt } from "../../unit/roles/market.ts";
import type { Chance } from "../random.ts";
import type { Machine } from "./virtualTime.ts";
import type { Wire } from "./wire.ts";

const INTERVAL_MS = 2_000;
const MARK = 500;
const STEP_MAX = 3;

export interface OracleNodeOptions {
  readonly machine: Machine;
  readonly wire: Wire;
  readonly chance: Chance;
}

export function startOracles({ machine, wire, chance }: OracleNodeOptions): void {
  let newest: { readonly snapshot: Snapshot; readonly listed: string } | undefined;
  const marks = [MARK, MARK];
  machine.boot(() => {
    wire.serve(machine, {
      snapshot: (series) => {
        const table = series as readonly Terms[];
        const listed = table.map(({ strike, expiry }) => `${strike} ${expiry}`).join();
        const time = machine.clock.now();
        const isOld = newest === undefined || time - newest.snapshot.time >= INTERVAL_MS;
        if (newest !== undefined && !isOld && newest.listed === listed) return newest.snapshot;
        for (const [slot, mark] of marks.entries()) {
          marks[slot] = mark + chance.pick(2 * STEP_MAX + 1) - STEP_MAX;
        }
        // Never two for one time: a clock that was set back waits for itself.
        const after = (newest?.snapshot.time ?? 0) + 1;
        const snapshot = snapshotAt(Math.max(time, after), { marks }, table);
        newest = { snapshot, listed };
        return snapshot;
      },
    });
  });
}
