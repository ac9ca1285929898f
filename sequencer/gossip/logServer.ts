/**
 * The sequencer's end of the validator network. Every follower has a cursor of its own; when the
 * log grows, it is read from there on and sent as fast as that follower takes it. Nothing is kept
 * in memory for a slow one.
 */
import type { Libp2p } from "@libp2p/interface";
import type { Attestation, LeadDesk, Logger, LogServer, LogSource, Refusal } from "../ports.ts";
import { sendFrames } from "./frames.ts";
import { createLeadDesk } from "./leadDesk.ts";
import { createPeerNode } from "./peerNode.ts";
import { sendRecords } from "./recordStream.ts";
import { createReportDesk } from "./reportDesk.ts";
import { readRequest, type Session, sessionHandler } from "./session.ts";
import {
  ATTEST_PROTOCOL,
  encodeMessage,
  LOG_PROTOCOL,
  PROOFS_PROTOCOL,
  parseAttestMessage,
  parseStart,
} from "./wire.ts";

export interface LogServerOptions {
  /** Multiaddr; loopback and a free port by default. */
  readonly listen?: string;
  /** Identity seed, 32 bytes in hex; a new identity each time without it. */
  readonly seed?: string;
  readonly source: LogSource;
  /** Peer id of the member of the validator set whose sequencer this is, if it is one's. */
  readonly member?: string | undefined;
  /** A node to use instead of an own one; it is stopped with the server. */
  readonly node?: Libp2p;
  readonly logger: Logger;
}

const LISTEN_DEFAULT = "/ip4/127.0.0.1/tcp/0";
/** Streams that one peer may hold open of a kind. */
const STREAMS_PER_PEER_MAX = 8;
/** Counts announcements, so that none is missed between looking and waiting. */
interface Announcements {
  count: number;
  readonly waiting: Set<() => void>;
}

export async function createLogServer(
  options: LogServerOptions,
): Promise<LogServer & { readonly leadDesk: LeadDesk | undefined }> {
  const { listen = LISTEN_DEFAULT, seed, source, logger } = options;
  const records: Announcements = { count: 0, waiting: new Set() };
  const proofs: Announcements = { count: 0, waiting: new Set() };
  const attestationHandlers = new Set<(attestation: Attestation) => void>();
  const refusalHandlers = new Set<(refusal: Refusal) => void>();
  const stopping = new AbortController();
  const identity = seed === undefined ? {} : { seed };
  const node = options.node ?? (await createPeerNode({ listen: [listen], ...identity }));

  const serve = (protocol: string, run: (session: Session) => Promise<void>): Promise<void> =>
    node.handle(protocol, sessionHandler(run, stopping.signal, logger), {
      maxInboundStreams: STREAMS_PER_PEER_MAX,
    });

  const receive = (bytes: Uint8Array): void => {
    const message = parseAttestMessage(bytes);
    if (message.kind === "attestation") {
      for (const handler of attestationHandlers) handler(message.attestation);
    } else {
      for (const handler of refusalHandlers) handler(message.refusal);
    }
  };

  await serve(LOG_PROTOCOL, (session) => sendLog(session, source, records));
  await serve(PROOFS_PROTOCOL, (session) => sendProofs(session, source, proofs));
  await serve(ATTEST_PROTOCOL, (session) => receiveOne(session, receive));
  const reports = await createReportDesk(node, stopping.signal, logger);
  const { member } = options;
  const leadDesk =
    member === undefined ? undefined : await createLeadDesk(node, member, stopping.signal, logger);
  logger.info("log server started", { addresses: addressesOf(node) });

  return {
    addresses: () => addressesOf(node),
    peers: () => node.getPeers().map(String),
    onAttestation: (handler) => void attestationHandlers.add(handler),
    onRefusal: (handler) => void refusalHandlers.add(handler),
    onReport: reports.onReport,
    leadDesk,
    announce: () => announce(records),
    announceProof: () => announce(proofs),
    stop: async () => {
      stopping.abort();
      await node.stop();
    },
  };
}

function addressesOf(node: Libp2p): string[] {
  return node.getMultiaddrs().map(String);
}

async function sendLog(
  session: Session,
  source: LogSource,
  announcements: Announcements,
): Promise<void> {
  const { stream, signal } = session;
  let cursor = parseStart(await readRequest(session));
  const next = announcementsOf(announcements, signal);
  for (;;) {
    const seen = announcements.count;
    cursor += await sendRecords(stream, source.record(cursor), signal);
    await next(seen);
  }
}

async function sendProofs(
  session: Session,
  source: LogSource,
  announcements: Announcements,
): Promise<void> {
  const { stream, signal } = session;
  let number = parseStart(await readRequest(session));
  const next = announcementsOf(announcements, signal);
  for (;;) {
    signal.throwIfAborted();
    const seen = announcements.count;
    const proven = await source.proofOf(number);
    if (proven === undefined) {
      await next(seen);
      continue;
    }
    const { words, proof } = proven;
    await sendFrames(stream, [encodeMessage({ number, words, proof })], signal);
    number += 1;
  }
}

async function receiveOne(session: Session, receive: (bytes: Uint8Array) => void): Promise<void> {
  receive(await readRequest(session));
  await sendFrames(session.stream, [encodeMessage({ received: true })], session.signal);
}

function announce(announcements: Announcements): void {
  announcements.count += 1;
  const woken = [...announcements.waiting];
  announcements.waiting.clear();
  for (const wake of woken) wake();
}

/** Resolves once there are more announcements than were `seen`. Throws when `signal` aborts. */
function announcementsOf(announcements: Announcements, signal: AbortSignal) {
  let wake = (): void => undefined;
  signal.addEventListener("abort", () => wake(), { once: true });
  return async (seen: number): Promise<void> => {
    while (announcements.count === seen) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        wake = resolve;
        announcements.waiting.add(wake);
      });
    }
  };
}
