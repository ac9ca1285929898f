/** A whole venue in virtual time: all its machines, connected; nothing happens before time runs. */
import type { LogRecord } from "../../../sequencer/batch/log.ts";
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
import { createDialling } from "./dialling.ts";
import { createDisk, type DiskFaults } from "./disk.ts";
import { createLayerOne, type LayerOne } from "./layerOne.ts";
import type { Seat } from "./memberMesh.ts";
import { createLogger, type Node } from "./node.ts";
import { startOracles } from "./oracleNode.ts";
import { startProver } from "./proverNode.ts";
import { createSequencerNode, recordOn, type SequencerNode } from "./sequencerNode.ts";
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
  /** Sequencers that move acknowledge what is not final: the checks must see it. */
  readonly isHasty?: boolean;
  /** Where nodes write what they do, for people. */
  readonly lines?: string[] | undefined;
}

/** What every venue has, whoever writes its log. */
export interface AnyVenue {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly wire: Wire;
  readonly watcher: Watcher;
  readonly validators: readonly ValidatorNode[];
  readonly clients: readonly Client[];
  readonly traders: readonly TestTrader[];
  readonly layerOne: LayerOne;
  /** Machines that stop and start again. */
  readonly nodes: readonly Node[];
  /** Everybody whose clock may be wrong: processes that have one in common. */
  readonly clocks: readonly (readonly Machine[])[];
  readonly oracles: Machine;
  readonly chain: Machine;
  /** Each member has a sequencer of its own. */
  readonly isMoving: boolean;
  /** The log that counts. */
  records(): LogRecord[];
  /** Nodes that something happens to at once. */
  victims(chance: Chance): readonly Node[];
}

export interface Venue extends AnyVenue {
  readonly sequencer: SequencerNode;
}

/** Numbers in the network: members and their twins have those below 8 and above 16. */
export const [SEQUENCER, LAYER_ONE, ORACLES, PROVER, FIRST_CLIENT] = [8, 9, 10, 11, 12] as const;
const FIRST_ACCOUNT = 3;
const DEPOSIT = 2_000_000_000;
const KEY_EXPIRY = START / 1000 + 1_000_000;

export function createVenue(time: VirtualTime, options: VenueOptions): Venue {
  const { chance, twins, lines } = options;
  const network = createNetwork(time.schedule, chance, options.weather);
  const wire = createWire(network);
  const machine = (name: string, place: number): Machine => time.createMachine(name, place);
  const [chain, oracles] = [machine("layer one", LAYER_ONE), machine("oracles", ORACLES)];
  const sequencerMachine = machine("sequencer", SEQUENCER);
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
  startOracles({ machine: oracles, wire, chance });
  const nodes = [sequencer, ...validators];
  const trading = startTrading(options, {
    ...{ time, wire, watcher, layerOne, servers: [sequencerMachine] },
    begin: () => {
      for (const node of nodes) node.start();
    },
  });
  const clocks = [[sequencerMachine], ...seats.map((seat) => [seat.machine]), [oracles]];
  return {
    ...{ time, network, wire, watcher, sequencer, validators, layerOne, ...trading },
    ...{ nodes, clocks, oracles, chain, isMoving: false },
    records: () => {
      const { position } = sequencer.disk.logHead();
      return Array.from({ length: position }, (_, at) => recordOn(sequencer.disk, at)!);
    },
    // The sequencer as often as all validators together.
    victims: () => [chance.happens(50) ? sequencer : chance.one(nodes)],
  };
}

/** Prover and clients: whoever has business with the exchange, wherever that is. */
export function startTrading(
  { chance, lines, copies, clients: count }: VenueOptions,
  venue: Pick<AnyVenue, "time" | "wire" | "watcher" | "layerOne"> & {
    readonly servers: readonly Machine[];
    /** The nodes start. */
    begin(): void;
  },
): { clients: Client[]; traders: TestTrader[] } {
  const { time, wire, watcher, layerOne, servers } = venue;
  const traders = Array.from({ length: count }, (_, index) => createTrader(FIRST_ACCOUNT + index));
  for (const trader of traders) layerOne.order(openingOf(trader));
  const prover = time.createMachine("prover", PROVER);
  startProver({
    ...{ machine: prover, chance, logger: createLogger("prover", lines) },
    ask: createDialling({ machine: prover, servers, wire }),
  });
  venue.begin();
  const clients = traders.map((trader, index) => {
    const machine = time.createMachine(`client ${trader.account}`, FIRST_CLIENT + index);
    return startClient({
      ...{ machine, ask: createDialling({ machine, servers, wire }), chance, trader },
      ...{ copies, moment: watcher.moment },
      onAcknowledged: watcher.acknowledged,
      onFault: watcher.violate,
    });
  });
  return { clients, traders };
}

export function seatsOf(
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
