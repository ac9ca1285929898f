/** A libp2p node for direct streams: TCP, Noise, Yamux; no discovery, no routing, no pubsub. */
import { generateKeyPair, generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import { identify } from "@libp2p/identify";
import type { Libp2p } from "@libp2p/interface";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import { corkedNoise } from "./corkedNoise.ts";

/** Peers of one server: validators and their spares. */
export const CONNECTIONS_MAX = 128;
/** New connections a second from one host: a test network lives on a single one. */
const CONNECTIONS_PER_SECOND_MAX = 64;
/** Below libp2p's read buffer of 4 MiB, which a paused stream must be able to take in. */
const STREAM_WINDOW_BYTES = 2 ** 20;

export interface PeerNodeOptions {
  /** Multiaddrs to listen on; none for a node that only dials. */
  readonly listen: readonly string[];
  /** 32 bytes in hex from which the identity is derived; without it, a new identity each time. */
  readonly seed?: string;
  /** Whether to talk to a peer at all, asked as soon as it has proven its id; everybody without. */
  accepts?(peer: string): boolean;
}

export async function createPeerNode(options: PeerNodeOptions): Promise<Libp2p> {
  const { listen, seed, accepts } = options;
  const privateKey =
    seed === undefined
      ? await generateKeyPair("Ed25519")
      : await generateKeyPairFromSeed("Ed25519", parseSeed(seed));
  return createLibp2p({
    privateKey,
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [corkedNoise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES } })],
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: CONNECTIONS_PER_SECOND_MAX,
      maxIncomingPendingConnections: CONNECTIONS_PER_SECOND_MAX,
    },
    // It aborts a connection when a ping is late, and so tears down good ones whenever an event
    // loop is busy. Streams with heartbeats of their own notice who is gone; TCP does for others.
    connectionMonitor: { abortConnectionOnPingFailure: false },
    connectionGater: {
      denyInboundEncryptedConnection: (peer) => accepts?.(String(peer)) === false,
      // The default forbids addresses of private networks to browsers; nodes need them.
      denyDialMultiaddr: () => false,
    },
    services: { identify: identify(), ping: ping() },
  });
}

/** The peer id of whoever has the seed. */
export async function peerIdOf(seed: string): Promise<string> {
  const privateKey = await generateKeyPairFromSeed("Ed25519", parseSeed(seed));
  return String(peerIdFromPrivateKey(privateKey));
}

function parseSeed(seed: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(seed)) throw new RangeError("`seed` must be 64 hex digits");
  return Buffer.from(seed, "hex");
}
