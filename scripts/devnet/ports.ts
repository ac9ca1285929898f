/** The ports of a devnet, all on the loopback interface. */
import { isFree } from "../ownPorts.ts";

export interface Ports {
  readonly api: number;
  readonly jobs: number;
  readonly gossip: number;
  readonly rpc: number;
  readonly oracles: readonly number[];
  /** Where validators talk to one another. */
  readonly members: readonly number[];
}

/** Where one sequencer listens. */
export type SequencerPorts = Pick<Ports, "api" | "jobs" | "gossip">;

/** Where layer one listens from the API's port on: 8600 has it at 8545, where tools expect it. */
const RPC_OFFSET = -55;
const ORACLES_OFFSET = 10;
const MEMBERS_OFFSET = 20;
const SEQUENCERS_OFFSET = 40;
/** Validators of a devnet. */
export const VALIDATORS = 4;
export const PORT_BASE = 8600;

/** A port that something else uses. */
export class PortInUseError extends Error {
  override name = "PortInUseError";
}

export function portsFrom(base: number, oracles: number): Ports {
  return {
    api: base,
    jobs: base + 1,
    gossip: base + 2,
    rpc: base + RPC_OFFSET,
    oracles: Array.from({ length: oracles }, (_, index) => base + ORACLES_OFFSET + index),
    members: Array.from({ length: VALIDATORS }, (_, index) => base + MEMBERS_OFFSET + index),
  };
}

/** Of each validator's own sequencer; the first one has the ports of the only one. */
export function sequencerPortsFrom({ api, jobs, gossip }: Ports): SequencerPorts[] {
  return Array.from({ length: VALIDATORS }, (_, index) => {
    const base = api + SEQUENCERS_OFFSET + 3 * index;
    return index === 0 ? { api, jobs, gossip } : { api: base, jobs: base + 1, gossip: base + 2 };
  });
}

/** Throws {@link PortInUseError}: better now than when half of the network runs. */
export async function assertFree(
  { oracles, members, ...ports }: Ports,
  more: readonly number[] = [],
): Promise<void> {
  for (const port of [...Object.values(ports), ...oracles, ...members, ...more]) {
    if (await isFree(port)) continue;
    throw new PortInUseError(`port ${port} is in use; choose others with --port-base`);
  }
}
