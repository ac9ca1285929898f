/**
 * Direct streams between the members of the validator set. Each member opens one stream to each
 * other one and only writes to it. Who is at the other end is known by the peer id that the
 * connection has proven and that the configuration binds to a member: nothing else that is said
 * there is believed without a signature. Nobody but members is let in, and none is discovered.
 */
import type { Libp2p, Stream } from "@libp2p/interface";
import { peerIdFromString } from "@libp2p/peer-id";
import type { LogRecord } from "../batch/log.ts";
import {
  decodeMessage,
  encodeMessage,
  MESSAGE_BYTES_MAX,
  type Message,
} from "../consensus/message.ts";
import type { Logger, LogSource, MemberNetwork } from "../ports.ts";
import { openStream } from "./dialling.ts";
import { createFrameReader, sendFrames } from "./frames.ts";
import { createMemberLink, type MemberLink } from "./memberLink.ts";
import {
  MEMBER_LIMITS,
  MEMBER_PROTOCOL,
  type MemberLimits,
  parseRange,
  RANGE_PROTOCOL,
  type Range,
} from "./memberWire.ts";
import { createPeerNode } from "./peerNode.ts";
import { sendRecords } from "./recordStream.ts";
import { readRequest, type Session, sessionHandler } from "./session.ts";
import { createTokenBucket, type TokenBucket } from "./tokenBucket.ts";
import {
  encodeMessage as encodeRequest,
  GossipProtocolError,
  parseRecord,
  STREAM_FRAME_BYTES_MAX,
} from "./wire.ts";

export interface MemberNetworkOptions {
  /** Multiaddr to listen on. */
  readonly listen: string;
  /** Identity seed, 32 bytes in hex. */
  readonly seed: string;
  /** Peer ids in the order of the validator set, this one's included. */
  readonly peers: readonly string[];
  /** Where the others listen, by their places: multiaddrs with peer id. Asked at each dial. */
  addressOf(member: number): string | undefined;
  readonly self: number;
  /** The own copy of the log, for members who cannot get it from the sequencer. */
  readonly source: Pick<LogSource, "record">;
  readonly limits?: Partial<MemberLimits>;
  readonly logger: Logger;
}

/** With the node, which the lines to the sequencer share. */
export type MemberMesh = MemberNetwork & {
  readonly node: Libp2p;
  addresses(): readonly string[];
};

/** Range streams that one member may hold open. */
const RANGES_PER_MEMBER_MAX = 2;
/** A member that opens its stream anew, and the old one that is not yet known to be broken. */
const STREAMS_PER_MEMBER_MAX = 3;
/** What is kept of each other member. */
interface Remote {
  readonly member: number;
  link: MemberLink | undefined;
  /** The newest stream that it has opened to here. */
  inbound: Stream | undefined;
  heardAt: number;
  bannedUntil: number;
  offences: number;
  /** Of the member, not of a stream: it could open another. */
  readonly messageRate: TokenBucket;
  readonly byteRate: TokenBucket;
}

interface Mesh {
  readonly options: MemberNetworkOptions;
  readonly limits: MemberLimits;
  readonly node: Libp2p;
  readonly remotes: ReadonlyMap<number, Remote>;
  readonly stopping: AbortController;
  take: (from: number, message: Message) => string | undefined;
}

export async function createMemberNetwork(options: MemberNetworkOptions): Promise<MemberMesh> {
  const { listen, seed, peers, self, logger } = options;
  const limits = { ...MEMBER_LIMITS, ...options.limits };
  const remotes = new Map<number, Remote>();
  for (const member of peers.keys()) {
    const none = { link: undefined, inbound: undefined };
    const since = performance.now();
    if (member !== self) {
      const rates = {
        messageRate: createTokenBucket(limits.messages),
        byteRate: createTokenBucket(limits.bytes),
      };
      remotes.set(member, {
        member,
        ...none,
        heardAt: since,
        bannedUntil: 0,
        offences: 0,
        ...rates,
      });
    }
  }
  const remoteOf = (peer: string): Remote | undefined => remotes.get(peers.indexOf(peer));
  const accepts = (peer: string): boolean => {
    const remote = remoteOf(peer);
    return remote !== undefined && bannedMs(remote) === 0;
  };
  const node = await createPeerNode({ listen: [listen], seed, accepts });
  const stopping = new AbortController();
  const mesh: Mesh = { options, limits, node, remotes, stopping, take: () => undefined };

  const serve = (
    protocol: string,
    maxInboundStreams: number,
    run: (session: Session, remote: Remote) => Promise<void>,
  ): Promise<void> => {
    const checked = async (session: Session): Promise<void> => {
      const remote = remoteOf(session.peer);
      if (remote === undefined) throw new Error("the peer is no member");
      await run(session, remote);
    };
    return node.handle(protocol, sessionHandler(checked, stopping.signal, logger), {
      maxInboundStreams,
    });
  };
  await serve(MEMBER_PROTOCOL, STREAMS_PER_MEMBER_MAX, (session, remote) =>
    receive(mesh, session, remote),
  );
  await serve(RANGE_PROTOCOL, RANGES_PER_MEMBER_MAX, (session) => sendRange(mesh, session));
  for (const remote of remotes.values()) remote.link = openLink(mesh, remote);
  const watching = watchSilence(mesh);

  return {
    node,
    addresses: () => node.getMultiaddrs().map(String),
    send: (to, message) => {
      const frame = encodeMessage(message);
      for (const member of to) remotes.get(member)?.link?.send(frame);
    },
    onMessage: (take) => {
      mesh.take = take;
    },
    connected: () =>
      [...remotes.values()].filter(({ link }) => link?.isConnected()).map(({ member }) => member),
    records: (member, range, signal) => readRange(mesh, member, range, signal),
    punish: (member, reason) => punish(mesh, remotes.get(member), reason),
    stop: async () => {
      clearInterval(watching);
      stopping.abort(new Error("the node stops"));
      await Promise.all([...remotes.values()].map(({ link }) => link?.stop()));
      await node.stop();
    },
  };
}

function openLink(mesh: Mesh, remote: Remote): MemberLink {
  const { node, limits, options } = mesh;
  const { member } = remote;
  const peer = peerIdFromString(options.peers[member]!);
  return createMemberLink({
    isPatient: options.self > member,
    hasConnection: () => node.getConnections(peer).length > 0,
    ...{ node, member, limits, logger: options.logger },
    address: () => options.addressOf(member),
    banned: () => bannedMs(remote),
  });
}

function bannedMs({ bannedUntil }: Remote): number {
  return Math.max(0, bannedUntil - performance.now());
}

/**
 * One message of a member at a time, and a turn of the event loop between two: whoever floods is
 * read no faster than its rate, its stream backs up at its own end, and others are served between.
 */
async function receive(mesh: Mesh, session: Session, remote: Remote): Promise<void> {
  const { stream, signal } = session;
  const { framesWaiting } = mesh.limits;
  const { messageRate, byteRate } = remote;
  remote.inbound?.abort(new Error("the member has opened another stream"));
  remote.inbound = stream;
  remote.heardAt = performance.now();
  const reader = createFrameReader(stream, MESSAGE_BYTES_MAX, framesWaiting);
  try {
    for (;;) {
      const frame = await reader.next(signal);
      if (frame === undefined) return;
      remote.heardAt = performance.now();
      await messageRate.take(1, signal);
      await byteRate.take(frame.length, signal);
      const fault = frame.length === 0 ? undefined : takeFrame(mesh, remote, frame);
      if (fault !== undefined) punish(mesh, remote, fault);
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    // A frame that is too long; other failures are of the connection.
    if (error instanceof GossipProtocolError) punish(mesh, remote, error.message);
    throw error;
  } finally {
    if (remote.inbound === stream) remote.inbound = undefined;
  }
}

function takeFrame(mesh: Mesh, { member }: Remote, frame: Uint8Array): string | undefined {
  let message: Message;
  try {
    message = decodeMessage(frame);
  } catch (error) {
    return (error as Error).message;
  }
  // What fails from here on is this node's own fault.
  return mesh.take(member, message);
}

/** Honest members send nothing that has a fault: they check first. */
function punish(mesh: Mesh, remote: Remote | undefined, reason: string): void {
  if (remote === undefined || mesh.stopping.signal.aborted || bannedMs(remote) > 0) return;
  const { banMsMin, banMsMax } = mesh.limits;
  const ms = Math.min(banMsMax, banMsMin * 2 ** Math.min(remote.offences, 16));
  remote.offences += 1;
  remote.bannedUntil = performance.now() + ms;
  mesh.options.logger.error("a member breaks the protocol and is cut off", {
    ...{ member: remote.member, reason, ms },
  });
  disconnect(mesh, remote, new Error(`cut off: ${reason}`));
}

function disconnect(mesh: Mesh, { member }: Remote, reason: Error): void {
  const peer = mesh.options.peers[member];
  for (const connection of mesh.node.getConnections()) {
    if (String(connection.remotePeer) === peer) connection.abort(reason);
  }
}

/** A peer that vanished without a word is noticed by this, and dialled again. */
function watchSilence(mesh: Mesh): NodeJS.Timeout {
  const { silenceMsMax } = mesh.limits;
  return setInterval(() => {
    for (const remote of mesh.remotes.values()) {
      if (performance.now() - remote.heardAt < silenceMsMax) continue;
      remote.heardAt = performance.now();
      disconnect(mesh, remote, new Error("the member says nothing"));
    }
  }, silenceMsMax / 4);
}

async function sendRange({ options }: Mesh, session: Session): Promise<void> {
  const { stream, signal } = session;
  const { from, to } = parseRange(await readRequest(session));
  if (from < to) await sendRecords(stream, options.source.record(from), signal, to);
}

async function* readRange(
  { node, options, limits }: Mesh,
  member: number,
  { from, to }: Range,
  signal: AbortSignal,
): AsyncGenerator<LogRecord> {
  const address = options.addressOf(member);
  if (address === undefined) throw new Error(`nobody knows where member \`${member}\` is`);
  const where = { address, protocol: RANGE_PROTOCOL, ms: limits.dialMsMax };
  const stream = await openStream(node, where, signal);
  try {
    const reader = createFrameReader(stream, STREAM_FRAME_BYTES_MAX);
    await sendFrames(stream, [encodeRequest({ from, to })], signal);
    for (let position = from; position < to; position++) {
      const frame = await reader.next(signal);
      if (frame === undefined) return;
      yield parseRecord(frame, position);
    }
  } finally {
    stream.abort(new Error("the range has been read"));
  }
}
