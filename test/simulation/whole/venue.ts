/** A whole venue in virtual time: all its machines, connected; nothing happens before time runs. */

import { publicKeyOf } from "../../../sequencer/protocol/eddsa.ts";
import { createTrader, START, type TestTrader } from "../../unit/roles/market.ts";
import { createNetwork, type Network, TWIN, type Weather } from "../consensus/network.ts";
import type { Chance } from "../random.ts";
import { type Client, startClient } from "./client.ts";
import {
  DOMAIN,
  GENESIS_ROOT,
  isSignedAttestation,
  layerOneValidators,
  MEMBERS,
} from "./deployment.ts";
import { createDisk, type DiskFaults } from "./disk.ts";
import { createLayerOne, type LayerOne } from "./layerOne.ts";
import type { Seat } from "./memberMesh.ts";
import { createLogger, type Node } from "./node.ts";
import { startOracles } from "./oracleNode.ts";
import { startProver } from "./proverNode.ts";
import { createSequencerNode, type SequencerNode } from "./sequencerNode.ts";
import { createSettlement } from "./settlement.ts";
import { createValidatorNode, type ValidatorNode } from "./validatorNode.ts";
import type { Machine, VirtualTime } from "./virtualTime.ts";
import { createWatcher, type Watcher } from "./watcher.ts";
import { createWire, type Wire } from "./wire.ts";

export interface VenueOptions {
  readonly chance: Chance;
  readonly weather: Weather;
  readonly disks: DiskFaults;
  /** Members of which two nodes have the key. */
  readonly twins: readonly number[];
  /** Times that clients send each command. */
  readonly copies: number;
  readonly clients: number;
  /** Where nodes write what they do, for people. */
  readonly lines?: string[] | undefined;
}

export interface Venue {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly wire: Wire;
  readonly watcher: Watcher;
  readonly sequencer: SequencerNode;
  readonly validators: readonly ValidatorNode[];
  readonly clients: readonly Client[];
  readonly traders: readonly TestTrader[];
  readonly layerOne: LayerOne;
  /** Machines that stop and start again. */
  readonly nodes: readonly Node[];
  /** Everybody whose clock may be wrong. */
  readonly clocks: readonly Machine[];
  readonly oracles: Machine;
  readonly chain: Machine;
}

/** Numbers in the network: members and their twins have those below 8 and above 16. */
const [SEQUENCER, LAYER_ONE, ORACLES, PROVER, FIRST_CLIENT] = [8, 9, 10, 11, 12] as const;
const FIRST_ACCOUNT = 3;
const DEPOSIT = 2_000_000_000;
const KEY_EXPIRY = START / 1000 + 1_000_000;

export function createVenue(time: VirtualTime, options: VenueOptions): Venue {
  const { chance, twins, lines, copies } = options;
  const network = createNetwork(time.schedule, chance, options.weather);
  const wire = createWire(network);
  const machine = (name: string, place: number): Machine => time.createMachine(name, place);
  const [chain, oracles] = [machine("layer one", LAYER_ONE), machine("oracles", ORACLES)];
  const [prover, sequencerMachine] = [machine("prover", PROVER), machine("sequencer", SEQUENCER)];
  const seats = seatsOf(machine, twins);
  const parts: { sequencer?: SequencerNode; validators: ValidatorNode[] } = { validators: [] };
  const watcher = createWatcher({
    now: () => time.schedule.now(),
    corrupted: new Set(twins),
    sequencer: () => parts.sequencer!,
    validators: () => parts.validators,
  });
  const layerOne = createLayerOne({
    ...{ machine: chain, wire, chance, rootOfGenesis: GENESIS_ROOT, isSigned: isSignedAttestation },
  });
  const settlementOf = (of: Machine) =>
    createSettlement({
      ...{ machine: of, layerOne: chain, wire, domain: DOMAIN, validators: layerOneValidators },
    });
  const sequencer = createSequencerNode({
    ...{ machine: sequencerMachine, wire, oracles, settlement: settlementOf(sequencerMachine) },
    disk: createDisk(sequencerMachine, chance, options.disks),
    logger: createLogger("sequencer", lines),
    onEnd: watcher.sequencerEnded,
    onRefusal: ({ validator, reason }) => watcher.violate(`${validator} accuses: ${reason}`),
  });
  parts.sequencer = sequencer;
  const validators = seats.map((seat) =>
    createValidatorNode({
      ...{ seat, seats, wire, watcher, sequencer: sequencerMachine },
      disk: createDisk(seat.machine, chance, { ...options.disks, liesMs: 0 }),
      settlement: settlementOf(seat.machine),
      logger: createLogger(seat.machine.name, lines),
    }),
  );
  parts.validators = validators;
  const traders = Array.from({ length: options.clients }, (_, index) =>
    createTrader(FIRST_ACCOUNT + index),
  );
  for (const trader of traders) layerOne.order(openingOf(trader));
  startOracles({ machine: oracles, wire, chance });
  const provers = { wire, chance, sequencer: sequencerMachine };
  startProver({ ...provers, machine: prover, logger: createLogger("prover", lines) });
  for (const node of [sequencer, ...validators]) node.start();
  const clientMachines = traders.map(({ account }, index) =>
    machine(`client ${account}`, FIRST_CLIENT + index),
  );
  const clients = traders.map((trader, index) =>
    startClient({
      ...{ machine: clientMachines[index]!, sequencer: sequencerMachine, wire, chance, trader },
      ...{ copies, moment: watcher.moment },
      onAcknowledged: watcher.acknowledged,
      onFault: watcher.violate,
    }),
  );
  const clocks = [sequencerMachine, ...seats.map((seat) => seat.machine), oracles];
  return {
    ...{ time, network, wire, watcher, sequencer, validators, clients, traders, layerOne },
    ...{ nodes: [sequencer, ...validators], clocks, oracles, chain },
  };
}

function seatsOf(
  machine: (name: string, place: number) => Machine,
  twins: readonly number[],
): Seat[] {
  const first = Array.from({ length: MEMBERS }, (_, member) => ({
    ...{ member, machine: machine(`validator ${member}`, member) },
  }));
  const second = twins.map((member) => ({
    ...{ member, machine: machine(`twin of ${member}`, member + TWIN) },
  }));
  return [...first, ...second];
}

function openingOf({ account, owner, secret }: TestTrader) {
  const key = publicKeyOf(secret);
  const amount = DEPOSIT;
  return {
    kind: "deposit",
    account,
    owner,
    amount,
    key,
    keyIndex: 0,
    keyExpiry: KEY_EXPIRY,
  } as const;
}
