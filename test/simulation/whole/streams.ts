/**
 * libp2p streams between simulated machines: as much of them as gossip uses. Bytes arrive once and
 * in order as on TCP, which sends lost ones again; a link that is cut for long, or the other
 * process's end, breaks the stream, and each side learns of that by itself, sooner or later.
 */
import type { LogServerOptions } from "../../../sequencer/gossip/logServer.ts";
import type { Session } from "../../../sequencer/gossip/session.ts";
import type { Machine } from "./virtualTime.ts";
import type { Wire } from "./wire.ts";

type Libp2p = NonNullable<LogServerOptions["node"]>;
type Stream = Session["stream"];
type StreamHandler = Parameters<Libp2p["handle"]>[1];

/** Between two tries to get a chunk across, and how long it is tried (ms). */
const RESEND_MS = 250;
const SEND_MS_MAX = 3_000;
/** How often a side looks whether the other one is still there (ms). */
const PROBE_MS = 1_000;

export interface Streams {
  /** A process of the machine that can be dialled there, until it stops or the machine does. */
  join(machine: Machine, address: string): Libp2p;
}

interface Served {
  readonly handle: StreamHandler;
  readonly streamsMax: number;
}

/** A process as others find it. */
interface Peer {
  readonly machine: Machine;
  readonly life: number;
  readonly address: string;
  readonly served: Map<string, Served>;
  readonly ends: Set<End>;
  isStopped: boolean;
}

/** One side of a stream. */
interface End {
  readonly stream: Stream;
  readonly peer: Peer;
  readonly protocol: string;
  other: End;
  /** Chunks that were sent, and those that have come, by their numbers. */
  sent: number;
  taken: number;
  readonly early: Map<number, () => void>;
  /** It sends no more. */
  isClosing: boolean;
  isOver: boolean;
  emit(type: string, data?: Uint8Array): void;
}

export function createStreams(wire: Wire): Streams {
  const peers = new Map<string, Peer[]>();

  /** Of two processes with one address each dialler finds its own one, or always the same. */
  function find(address: string, from: Peer): Peer | undefined {
    const there = (peers.get(address) ?? []).filter(isThere);
    const own = there.find(({ machine }) => machine.place === from.machine.place);
    return own ?? there[from.machine.place % Math.max(1, there.length)];
  }

  return {
    join: (machine, address) => {
      const peer: Peer = {
        ...{ machine, address, life: machine.life(), served: new Map(), ends: new Set() },
        isStopped: false,
      };
      peers.set(address, [...(peers.get(address) ?? []).filter(isThere), peer]);
      return nodeOf(wire, peer, (to) => find(to, peer));
    },
  };
}

function isThere({ machine, life, isStopped }: Peer): boolean {
  return !isStopped && machine.isUp() && machine.life() === life;
}

function nodeOf(wire: Wire, peer: Peer, find: (address: string) => Peer | undefined): Libp2p {
  const node = {
    handle: async (
      protocol: string,
      handle: StreamHandler,
      { maxInboundStreams = 32 }: { maxInboundStreams?: number } = {},
    ) => void peer.served.set(protocol, { handle, streamsMax: maxInboundStreams }),
    dialProtocol: (address: unknown, protocol: string, { signal }: { signal: AbortSignal }) =>
      dial(wire, { peer, find: () => find(String(address)), protocol, signal }),
    getPeers: () => [],
    getMultiaddrs: () => [peer.address],
    getConnections: () =>
      [...peer.ends].map((end) => ({
        remotePeer: end.other.peer.address,
        abort: () => leave(wire, end),
      })),
    stop: async () => {
      peer.isStopped = true;
      for (const end of [...peer.ends]) leave(wire, end);
    },
  };
  return node as unknown as Libp2p;
}

interface Dialling {
  readonly peer: Peer;
  readonly protocol: string;
  readonly signal: AbortSignal;
  find(): Peer | undefined;
}

function dial(wire: Wire, { peer, find, protocol, signal }: Dialling): Promise<Stream> {
  return new Promise((resolve, reject) => {
    let [isOver, isOpening] = [false, false];
    const end = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const attempt = (): void => {
      if (isOver || isOpening) return;
      const to = find();
      if (to === undefined) {
        // Whoever else lives at the address refuses at once.
        peer.machine.after(1, () => end(() => reject(new Error("nobody listens"))));
        return;
      }
      tellPeer(wire, peer, to, () => {
        if (isOver) return;
        const served = to.served.get(protocol);
        const open = [...to.ends].filter(
          (each) => each.protocol === protocol && each.other.peer === peer,
        );
        if (served === undefined || open.length >= served.streamsMax) {
          const refuse = (): void => end(() => reject(new Error("the stream is refused")));
          return tellPeer(wire, to, peer, refuse);
        }
        if (isOpening) return;
        isOpening = true;
        const [here, there] = pair(wire, peer, to, protocol);
        const fail = (): void => end(() => reject(new Error("the stream broke while it opened")));
        here.stream.addEventListener("close", fail);
        signal.addEventListener("abort", () => isOver || leave(wire, here), { once: true });
        const connection = { remotePeer: peer.address };
        void served.handle(there.stream, connection as unknown as Parameters<StreamHandler>[1]);
        // The answer that it is open comes with whatever comes first.
        deliver(wire, there, () => end(() => resolve(here.stream)));
      });
      setTimeout(attempt, RESEND_MS);
    };
    attempt();
  });
}

function tellPeer(wire: Wire, from: Peer, to: Peer, action: () => void): void {
  if (!isThere(from)) return;
  wire.tell(from.machine, to.machine, () => {
    if (isThere(to)) action();
  });
}

function pair(wire: Wire, first: Peer, second: Peer, protocol: string): [End, End] {
  const here = createEnd(wire, first, protocol);
  const there = createEnd(wire, second, protocol);
  [here.other, there.other] = [there, here];
  for (const end of [here, there]) {
    end.peer.ends.add(end);
    probe(wire, end);
  }
  return [here, there];
}

function createEnd(wire: Wire, peer: Peer, protocol: string): End {
  const target = new EventTarget();
  const state = { status: "open", readableEnded: false, writableNeedsDrain: false };
  const stream = Object.assign(target, state, {
    send: (bytes: Uint8Array): boolean => {
      if (end.isOver) throw new Error("the stream is closed");
      const chunk = new Uint8Array(bytes);
      deliver(wire, end, () => end.other.emit("message", chunk));
      return true;
    },
    pause: () => undefined,
    resume: () => undefined,
    close: async () => {
      if (end.isOver || end.isClosing) return;
      end.isClosing = true;
      deliver(wire, end, () => {
        Object.assign(end.other.stream, { readableEnded: true });
        end.other.emit("end");
        if (end.other.isClosing) leave(wire, end.other);
      });
    },
    abort: () => leave(wire, end),
  });
  const end: End = {
    ...{ stream: stream as unknown as Stream, peer, protocol, sent: 0, taken: 0 },
    ...{ other: undefined as unknown as End, early: new Map(), isClosing: false, isOver: false },
    emit: (type, data) => target.dispatchEvent(Object.assign(new Event(type), { data })),
  };
  return end;
}

/** Has the action done at the other end, after those before it; or breaks the stream. */
function deliver(wire: Wire, end: End, action: () => void): void {
  const { other, peer } = end;
  const number = end.sent;
  end.sent += 1;
  let isThereNow = false;
  const attempt = (waited: number): void => {
    if (isThereNow || end.isOver) return;
    if (waited >= SEND_MS_MAX) {
      leave(wire, end);
      return;
    }
    tellPeer(wire, peer, other.peer, () => {
      if (isThereNow || other.isOver) return;
      isThereNow = true;
      other.early.set(number, action);
      for (let next = other.early.get(other.taken); next !== undefined; ) {
        other.early.delete(other.taken);
        other.taken += 1;
        next();
        next = other.isOver ? undefined : other.early.get(other.taken);
      }
    });
    peer.machine.after(RESEND_MS, () => attempt(waited + RESEND_MS));
  };
  attempt(0);
}

/** Ends this side, and tells the other if that can be done. */
function leave(wire: Wire, end: End): void {
  if (end.isOver) return;
  finish(end);
  tellPeer(wire, end.peer, end.other.peer, () => finish(end.other));
}

function finish(end: End): void {
  if (end.isOver) return;
  end.isOver = true;
  end.peer.ends.delete(end);
  Object.assign(end.stream, { status: "aborted", readableEnded: true });
  end.emit("close");
}

/** Whoever only listens learns so that the other side has gone. */
function probe(wire: Wire, end: End): void {
  end.peer.machine.after(PROBE_MS, () => {
    if (end.isOver) return;
    const { other } = end;
    if (!isThere(other.peer)) return finish(end);
    if (other.isOver) tellPeer(wire, end.peer, other.peer, () => leave(wire, end));
    probe(wire, end);
  });
}
