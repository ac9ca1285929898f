/** A venue in which each member has a sequencer of its own, and the leader's writes. */
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import { createNetwork } from "../consensus/network.ts";
import type { Chance } from "../random.ts";
import {
  DOMAIN,
  GENESIS_ROOT,
  isSignedAttestation,
  layerOneValidators,
  members,
} from "./deployment.ts";
import { createDisk } from "./disk.ts";
import { createLayerOne } from "./layerOne.ts";
import type { Seat } from "./memberMesh.ts";
import { createMovingSequencerNode } from "./movingSequencerNode.ts";
import { createMovingValidatorNode } from "./movingValidatorNode.ts";
import { createLogger, type Node } from "./node.ts";
import { startOracles } from "./oracleNode.ts";
import { recordOn, type SequencerNode } from "./sequencerNode.ts";
import { createSettlement } from "./settlement.ts";
import { createStreams } from "./streams.ts";
import type { ValidatorNode } from "./validatorNode.ts";
import {
  type AnyVenue,
  LAYER_ONE,
  ORACLES,
  seatsOf,
  startTrading,
  type VenueOptions,
} from "./venue.ts";
import type { Machine, VirtualTime } from "./virtualTime.ts";
import { createWatcher, type Watcher } from "./watcher.ts";
import { createWire } from "./wire.ts";

export interface MovingVenue extends AnyVenue {
  /** In the order of the validators: a member and its own sequencer are one machine. */
  readonly sequencers: readonly SequencerNode[];
}

const memberAddress = (member: number): string => `/memory/${1 + member}`;
const sequencerAddress = (member: number): string => `/memory/${101 + member}`;

export function createMovingVenue(time: VirtualTime, options: VenueOptions): MovingVenue {
  const { chance, twins, lines, disks, isHasty = false } = options;
  const network = createNetwork(time.schedule, chance, options.weather);
  const wire = createWire(network);
  const streams = createStreams(wire);
  const machine = (name: string, place: number): Machine => time.createMachine(name, place);
  const [chain, oracles] = [machine("layer one", LAYER_ONE), machine("oracles", ORACLES)];
  const seats = seatsOf(machine, twins);
  const parts: { validators: ValidatorNode[] } = { validators: [] };
  const watcher = createWatcher({
    now: () => time.schedule.now(),
    corrupted: new Set(twins),
    validators: () => parts.validators,
  });
  const layerOne = createLayerOne({
    ...{ machine: chain, wire, chance, rootOfGenesis: GENESIS_ROOT, isSigned: isSignedAttestation },
  });
  const settlementOf = (of: Machine) =>
    createSettlement({
      ...{ machine: of, layerOne: chain, wire, domain: DOMAIN, validators: layerOneValidators },
    });
  const servers = members.map((_, member) => sequencerAddress(member));
  const peers = members.map((_, member) => memberAddress(member));
  const diskOf = (of: Machine) => createDisk(of, chance, { ...disks, liesMs: 0 });
  const validators = seats.map((seat) =>
    createMovingValidatorNode({
      ...{ seat, seats, wire, streams, watcher, servers, disk: diskOf(seat.machine) },
      address: memberAddress(seat.member),
      settlement: settlementOf(seat.machine),
      logger: createLogger(seat.machine.name, lines),
    }),
  );
  parts.validators = validators;
  const sequencers = seats.map(({ member, machine: { name, place } }: Seat) => {
    const own = machine(`sequencer of ${name}`, place);
    return createMovingSequencerNode({
      ...{ machine: own, wire, streams, oracles, peers, isHasty, disk: diskOf(own) },
      ...{ address: sequencerAddress(member), member: memberAddress(member) },
      settlement: settlementOf(own),
      logger: createLogger(own.name, lines),
      onEnd: watcher.sequencerEnded,
      onRefusal: ({ validator, reason }) => watcher.violate(`${validator} accuses: ${reason}`),
    });
  });
  startOracles({ machine: oracles, wire, chance });
  const nodes: Node[] = [...sequencers, ...validators];
  const trading = startTrading(options, {
    ...{ time, wire, watcher, layerOne, servers: sequencers.map((node) => node.machine) },
    begin: () => {
      for (const node of nodes) node.start();
    },
  });
  const pairs = validators.map((node, index) => [node.machine, sequencers[index]!.machine]);
  return {
    ...{ time, network, wire, watcher, sequencers, validators, layerOne, ...trading },
    ...{ nodes, clocks: [...pairs, [oracles]], oracles, chain, isMoving: true },
    records: () => finalRecords(watcher, validators),
    victims: (by) => victims({ sequencers, validators }, by),
  };
}

/** A sequencer, its member, or both; the one that writes as often as all others. */
function victims(
  { sequencers, validators }: Pick<MovingVenue, "sequencers" | "validators">,
  chance: Chance,
): readonly Node[] {
  const serving = sequencers.findIndex((node) => node.machine.isUp() && node.service());
  const any = chance.pick(sequencers.length);
  const index = chance.happens(50) && serving >= 0 ? serving : any;
  const pair: Node[] = [sequencers[index]!, validators[index]!];
  const which = chance.pick(3);
  return which === 2 ? pair : [pair[which]!];
}

/** The log up to the newest final block, from a member that has it. */
function finalRecords({ finals }: Watcher, validators: readonly ValidatorNode[]): LogRecord[] {
  const newest = finals.reduce((last, block) => (block.to > last.to ? block : last), {
    to: 0,
    logHash: "",
  });
  const { to, logHash } = newest;
  if (to === 0) return [];
  const holder = validators.find(({ disk }) => recordOn(disk, to - 1)?.hash === logHash);
  if (holder === undefined) throw new Error(`nobody has the final record ${to - 1}`);
  return Array.from({ length: to }, (_, at) => recordOn(holder.disk, at)!);
}
