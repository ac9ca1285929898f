/** The log of whoever leads: follows one sequencer, then another, over one libp2p node. */
import type { Libp2p } from "@libp2p/interface";
import type { LogFollower, Logger } from "../ports.ts";
import { createLogFollower } from "./logFollower.ts";

export interface MovingFollowerOptions {
  readonly node: Libp2p;
  /** Multiaddrs with peer ids. */
  readonly servers: readonly string[];
  readonly logger: Logger;
}

export interface MovingFollower extends LogFollower {
  /** What is under way with the one before ends; `follow` returns, `proofs` goes on here. */
  moveTo(server: number): void;
}

export async function createMovingFollower(
  options: MovingFollowerOptions,
): Promise<MovingFollower> {
  const { node, servers, logger } = options;
  const open = (index: number) => createLogFollower({ server: servers[index]!, node, logger });
  let place = 0;
  let current = open(0);
  const follower = () => current;
  return {
    moveTo: (server) => {
      if (server === place) return;
      place = server;
      const before = current;
      current = open(server);
      void before.then((one) => one.stop());
    },
    follow: async function* (from, signal) {
      const one = await follower();
      yield* one.follow(from, signal);
    },
    proofs: async function* (from, signal) {
      let next = from;
      let one: LogFollower | undefined;
      // One that ends and has not been left was stopped.
      while (!signal.aborted && one !== (await follower())) {
        one = await follower();
        for await (const proof of one.proofs(next, signal)) {
          next = proof.number + 1;
          yield proof;
        }
      }
    },
    attest: async (attestation, signal) => (await follower()).attest(attestation, signal),
    refuse: async (refusal) => (await follower()).refuse(refusal),
    stop: async () => (await follower()).stop(),
  };
}
