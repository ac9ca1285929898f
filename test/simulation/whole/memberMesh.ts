/** The streams between validators: messages as they are written on the wire, ranges by question. */
import { decodeRecord, encodeRecord, type LogRecord } from "../../../sequencer/batch/log.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
} from "../../../sequencer/consensus/message.ts";
import type { LogSource, MemberNetwork } from "../../../sequencer/ports.ts";
import type { Machine } from "./virtualTime.ts";
import type { Wire } from "./wire.ts";

/** A node that votes as this member; two of them where it has a twin. */
export interface Seat {
  readonly member: number;
  readonly machine: Machine;
}

export interface MemberMeshOptions {
  readonly seat: Seat;
  readonly seats: readonly Seat[];
  readonly wire: Wire;
  readonly source: Pick<LogSource, "record">;
  /** A fault that this node has found in what another sent it. */
  onFault(from: Seat, reason: string): void;
  onSent(message: Message): void;
}

const ANSWER_MS = 1_500;

type Take = (from: number, message: Message) => string | undefined;

/** What each node does with what comes, by its machine; a new life begins with nothing. */
const takers = new WeakMap<Machine, { readonly life: number; readonly take: Take }>();

export function createMemberMesh(options: MemberMeshOptions) {
  const { seat, seats, wire, source } = options;
  const { machine, member } = seat;
  const network: MemberNetwork = {
    send: (to, message) => {
      options.onSent(message);
      const frame = encodeMessage(message);
      for (const other of seats.filter((each) => to.includes(each.member))) {
        wire.tell(machine, other.machine, () => receive(seat, other, frame));
      }
    },
    onMessage: (take) => void takers.set(machine, { life: machine.life(), take }),
    connected: () => [...new Set(seats.map((each) => each.member))].filter((at) => at !== member),
    records: (other, range) => readRange(options, other, range),
    punish: (other, reason) =>
      options.onFault(seats.find((each) => each.member === other)!, reason),
    stop: async () => undefined,
  };
  const receive = (from: Seat, to: Seat, frame: Uint8Array): void => {
    const taker = takers.get(to.machine);
    if (taker?.life !== to.machine.life()) return;
    const reason = taker.take(from.member, decodeMessage(frame));
    if (reason !== undefined) options.onFault(from, reason);
  };
  const served = {
    range: async (wanted: unknown) => {
      const { from, to } = wanted as { from: number; to: number };
      const texts: string[] = [];
      if (from === to) return texts;
      for await (const record of source.record(from)) {
        texts.push(encodeRecord(record));
        if (record.position >= to - 1) break;
      }
      return texts;
    },
  };
  return { network, served };
}

async function* readRange(
  { seat, seats, wire }: MemberMeshOptions,
  member: number,
  range: { readonly from: number; readonly to: number },
): AsyncGenerator<LogRecord> {
  const { machine } = seats.find((each) => each.member === member)!;
  const request = { method: "range", content: range, timeoutMs: ANSWER_MS };
  for (const text of await wire.call<string[]>(seat.machine, machine, request)) {
    yield decodeRecord(text);
  }
}
