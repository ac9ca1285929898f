/** One honest validator: the state machine with its disk, its clock and its share of bad luck. */
import assert from "node:assert/strict";
import { type Block, blockHash, type LogPlace } from "../../../sequencer/consensus/block.ts";
import type { BlockCertificate } from "../../../sequencer/consensus/certificate.ts";
import type { Message } from "../../../sequencer/consensus/message.ts";
import { decodeMessage, encodeMessage } from "../../../sequencer/consensus/message.ts";
import { type Step, start, step } from "../../../sequencer/consensus/simplex.ts";
import type {
  ConsensusConfig,
  ConsensusEffect,
  ConsensusEvent,
  ConsensusState,
  Durable,
} from "../../../sequencer/consensus/state.ts";
import { faultOf, type VerificationRules } from "../../../sequencer/consensus/verification.ts";
import type { Chance } from "../random.ts";
import type { Observer } from "./observer.ts";
import type { Schedule } from "./schedule.ts";
import type { ToyLog } from "./toyLog.ts";

/** What survives a crash. */
interface Disk {
  durable?: Durable;
  delivered?: { readonly block: Block; readonly certificate: BlockCertificate };
  readonly chain: Map<string, Block>;
}

export interface ValidatorWorld {
  readonly schedule: Schedule;
  readonly chance: Chance;
  readonly log: ToyLog;
  readonly rules: VerificationRules;
  readonly observer: Observer;
  send(to: number, message: Message): void;
}

/** Ways to break the driver's duties, to see that the checks notice. */
export interface Misconduct {
  readonly sendsFirst?: boolean;
  readonly forgets?: boolean;
  /** It was told another end than the others. */
  readonly ignoresEnd?: boolean;
}

export interface HonestValidator {
  readonly index: number;
  receive(from: number, message: Message): void;
  crash(): void;
  restart(): void;
  isUp(): boolean;
  state(): ConsensusState;
  height(): number;
}

const PERSIST_MS_MAX = 3;
const SLOW_PERSIST_MS_MAX = 60;
const EXECUTE_MS_MAX = 3;
const ORDERS_EVERY_MS = 12;
/** One message in so many is written and read again. */
const ENCODED_EVERY = 40;

export function createHonestValidator(
  config: ConsensusConfig,
  world: ValidatorWorld,
  misconduct: Misconduct = {},
): HonestValidator {
  const { schedule, chance, log, observer } = world;
  const index = config.self;
  let disk: Disk = { chain: new Map() };
  let state: ConsensusState;
  let queue: ConsensusEffect[] = [];
  let isWriting = false;
  let isUp = false;
  let life = 0;
  let growth: { term: number; place: LogPlace } | undefined;

  /** Later, unless there is a crash before. */
  const later = (delay: number, action: () => void): void => {
    const scheduled = life;
    schedule.after(delay, () => {
      if (isUp && life === scheduled) action();
    });
  };

  function take(next: Step): void {
    const writes = next.effects.filter(({ type }) => type === "persist");
    assert.ok(writes.length === 0 || (writes.length === 1 && next.effects[0] === writes[0]));
    state = next.state;
    observer.stepped(index, state);
    queue.push(...next.effects);
    if (!isWriting) work();
  }

  const happen = (event: ConsensusEvent): void => take(step(state, event));

  function work(): void {
    for (let effect = queue.shift(); effect !== undefined; effect = queue.shift()) {
      if (effect.type !== "persist") {
        carryOut(effect);
        continue;
      }
      write(effect.durable);
      if (!misconduct.sendsFirst) return;
    }
  }

  function write(durable: Durable): void {
    isWriting = !misconduct.sendsFirst;
    later(chance.pick(misconduct.sendsFirst ? SLOW_PERSIST_MS_MAX : PERSIST_MS_MAX), () => {
      disk.durable = durable;
      isWriting = false;
      work();
    });
  }

  function carryOut(effect: ConsensusEffect): void {
    switch (effect.type) {
      case "broadcast":
        for (let to = 0; to < config.validators.members.length; to++) {
          if (to !== index) send(to, effect.message);
        }
        break;
      case "send":
        send(effect.to, effect.message);
        break;
      case "startTimer":
        later(effect.ms, () => happen({ type: "timer", name: effect.name, id: effect.id }));
        break;
      case "execute":
        execute(effect.block);
        break;
      case "lead":
        growth = { term: effect.term, place: effect.base };
        later(chance.pick(ORDERS_EVERY_MS), () => takeOrders(effect.term));
        break;
      case "deliver": {
        const { block, certificate } = effect;
        disk.delivered = { block, certificate };
        disk.chain.set(blockHash(block), block);
        observer.delivered(index, block);
        break;
      }
      case "answer":
        answer(effect.to, effect.block);
        break;
      case "evidence":
        observer.accused(index, effect.evidence);
        break;
      case "synchronize":
        synchronize(effect.block, effect.certificate);
        break;
      case "halt":
        observer.halted(index, effect.reason);
        break;
      case "persist":
        throw new Error("a persist effect is not carried out but written");
    }
  }

  function send(to: number, message: Message): void {
    observer.sent(index, message);
    world.send(to, message);
  }

  function execute(block: Block): void {
    later(chance.pick(EXECUTE_MS_MAX), () => {
      const parent = state.blocks.get(block.parent) ?? state.delivered;
      const root = blockHash(parent) === block.parent ? log.execute(parent, block) : undefined;
      if (root === undefined) return;
      happen({ type: "executed", block: blockHash(block), root });
    });
  }

  function takeOrders(term: number): void {
    if (growth?.term !== term || state.term !== term) return;
    if (chance.happens(60)) {
      const salt = `${index} ${life} ${schedule.now()}`;
      growth.place = log.grow(growth.place, 1 + chance.pick(5), salt);
      happen({ type: "grew", growth: { term, ...growth.place } });
    }
    later(1 + chance.pick(ORDERS_EVERY_MS), () => takeOrders(term));
  }

  function answer(to: number, target: string): void {
    const blocks: Block[] = [];
    let block = disk.chain.get(target);
    for (; block !== undefined && blocks.length < 64; block = disk.chain.get(block.parent)) {
      blocks.push(block);
    }
    if (blocks.length > 0) send(to, { type: "blocks", blocks });
  }

  function synchronize(block: Block, certificate: BlockCertificate): void {
    later(20, () => {
      if (block.height <= state.delivered.height) return;
      disk.delivered = { block, certificate };
      disk.chain.set(blockHash(block), block);
      observer.adopted(index, block);
      happen({ type: "adopted", block, certificate });
    });
  }

  function receive(from: number, message: Message): void {
    if (!isUp) return;
    if (chance.pick(ENCODED_EVERY) === 0) {
      assert.deepEqual(decodeMessage(encodeMessage(message)), message);
    }
    if (faultOf(world.rules, message) === undefined) happen({ type: "received", from, message });
  }

  function restart(): void {
    if (isUp) return;
    isUp = true;
    if (misconduct.forgets) disk = { chain: new Map() };
    const { durable, delivered } = disk;
    take(start(config, { ...(durable && { durable }), ...(delivered && { delivered }) }));
  }

  function crash(): void {
    isUp = false;
    isWriting = false;
    life += 1;
    queue = [];
    growth = undefined;
  }

  restart();
  return {
    index,
    receive,
    crash,
    restart,
    isUp: () => isUp,
    state: () => state,
    height: () => disk.delivered?.block.height ?? 0,
  };
}
