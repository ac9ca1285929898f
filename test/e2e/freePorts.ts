/** Ports for a devnet that a test starts beside whatever else runs on the machine. */
import { assertFree, PortInUseError, portsFrom } from "../../scripts/devnet/ports.ts";

const ORACLES = 3;
const TRIES_MAX = 50;
const LOWEST = 20_000;
const RANGE = 10_000;
const STEP = 100;

/** The base of a block of free ports, below those that systems hand out by themselves. */
export async function freePortBase(): Promise<number> {
  for (let tried = 0; tried < TRIES_MAX; tried++) {
    const base = LOWEST + Math.floor((Math.random() * RANGE) / STEP) * STEP;
    try {
      await assertFree(portsFrom(base, ORACLES));
      return base;
    } catch (error) {
      if (!(error instanceof PortInUseError)) throw error;
    }
  }
  throw new Error("no free block of ports was found");
}

export async function portsAreFree(base: number): Promise<boolean> {
  return assertFree(portsFrom(base, ORACLES)).then(
    () => true,
    () => false,
  );
}
