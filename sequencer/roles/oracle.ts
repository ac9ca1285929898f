/**
 * An oracle signer. One of them proposes market data every few seconds, the others hold it against
 * their own view and sign; whoever has gathered a quorum of signatures gives the snapshot to all.
 * Any of them may propose: those further down the list do so when the ones above are silent.
 */
import type { Clock, Logger } from "../ports.ts";
import type { PublicKey } from "../protocol/eddsa.ts";
import { isQuorumSigned, type OracleSignature, type Snapshot } from "../protocol/snapshot.ts";
import { loop, messageOf } from "./loop.ts";

export type Review =
  | { readonly signature: OracleSignature }
  /** Why the oracle does not sign. */
  | { readonly reason: string };

/** This oracle's view of the market; proposals are JSON, and `oracle/proposal.ts` knows of what. */
export interface OracleMarket {
  propose(now: number): Promise<unknown>;
  /** Holds a proposal against the own view. */
  review(proposal: unknown, now: number): Promise<Review>;
  assemble(proposal: unknown, signatures: readonly OracleSignature[]): Snapshot;
}

export interface OraclePeer {
  readonly name: string;
  sign(proposal: unknown): Promise<Review>;
  offer(snapshot: Snapshot): Promise<void>;
}

export interface OracleConfig {
  /** Place in the oracle set. */
  readonly index: number;
  readonly domain: bigint;
  readonly oracles: readonly PublicKey[];
  readonly quorum: number;
  readonly intervalMs: number;
}

export interface Oracle {
  /** Of another oracle's proposal. */
  sign(proposal: unknown): Promise<Review>;
  /** Takes a snapshot if it is newer and signed by a quorum. */
  offer(snapshot: Snapshot): void;
  latest(): Snapshot | undefined;
  /** Proposes now, whoever's turn it is. */
  round(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

/** Intervals of silence by which each oracle waits longer than the one above it. */
const TURN_INTERVALS = 2;
const POLL_MS = 100;

interface Ports {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly market: OracleMarket;
  readonly peers: readonly OraclePeer[];
}

export function createOracle(ports: Ports, config: OracleConfig): Oracle {
  const { clock, logger, market } = ports;
  const { index, domain, oracles, quorum, intervalMs } = config;
  let latest: Snapshot | undefined;
  const startedAt = clock.now();

  function offer(snapshot: Snapshot): void {
    if (snapshot.time <= (latest?.time ?? 0)) return;
    if (isQuorumSigned({ domain, snapshot, oracles, quorum })) latest = snapshot;
    else logger.warn("a snapshot is not signed by a quorum", { time: snapshot.time });
  }

  function isDue(): boolean {
    const silence = clock.now() - (latest?.time ?? startedAt);
    const isFirst = latest === undefined && index === 0;
    return isFirst || silence >= intervalMs * (1 + TURN_INTERVALS * index);
  }

  async function round(): Promise<void> {
    const proposal = await market.propose(clock.now());
    const signatures = await gather(ports, proposal, quorum);
    if (signatures.length < quorum) {
      logger.warn("no quorum for a proposal", { signatures: signatures.length, quorum });
      return;
    }
    const snapshot = market.assemble(proposal, signatures);
    offer(snapshot);
    logger.debug("snapshot signed", { time: snapshot.time, signatures: signatures.length });
    // A peer that does not hear of it asks for a snapshot of its own when its turn comes.
    for (const peer of ports.peers) peer.offer(snapshot).catch(() => undefined);
  }

  return {
    sign: (proposal) => market.review(proposal, clock.now()),
    offer,
    latest: () => latest,
    round,
    run: (signal) =>
      loop({
        everyMs: POLL_MS,
        signal,
        run: async () => {
          if (isDue()) await round();
        },
        onError: (error) => logger.warn("a proposal failed", { error: messageOf(error) }),
      }),
  };
}

/** Its own signature and those of the peers that answer first, up to a quorum. */
async function gather(
  { clock, logger, market, peers }: Ports,
  proposal: unknown,
  quorum: number,
): Promise<OracleSignature[]> {
  const signatures: OracleSignature[] = [];
  const take = (name: string, review: Review): void => {
    if ("reason" in review) logger.warn("does not sign", { name, reason: review.reason });
    else if (signatures.length < quorum) signatures.push(review.signature);
  };
  take("itself", await market.review(proposal, clock.now()));
  await new Promise<void>((resolve) => {
    const answers = peers.map(async (peer) => {
      try {
        take(peer.name, await peer.sign(proposal));
      } catch (error) {
        logger.warn("a peer does not answer", { name: peer.name, error: messageOf(error) });
      }
      if (signatures.length >= quorum) resolve();
    });
    if (signatures.length >= quorum) resolve();
    Promise.all(answers).then(() => resolve());
  });
  return [...signatures].sort((a, b) => a.signer - b.signer);
}
