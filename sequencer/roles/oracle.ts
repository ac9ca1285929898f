/**
 * An oracle signer. One of them proposes market data every few seconds, the others hold it against
 * their own view and sign; whoever has gathered a quorum of signatures gives the snapshot to all.
 * Any of them may propose: those further down the list do so when the ones above are silent.
 */
import type { Clock, Logger, OracleRefusal, Review } from "../ports.ts";
import { type PublicKey, verify } from "../protocol/eddsa.ts";
import {
  isQuorumSigned,
  type OracleSignature,
  type Snapshot,
  snapshotHash,
} from "../protocol/snapshot.ts";
import { loop, messageOf } from "./loop.ts";

/** This oracle's view of the market; proposals are JSON, and `oracle/proposal.ts` knows of what. */
export interface OracleMarket {
  /** `isListedOnly`: without what is announced, which others may see otherwise. */
  propose(
    now: number,
    isListedOnly: boolean,
  ): Promise<{ readonly value?: unknown; readonly refused?: OracleRefusal | undefined }>;
  /** Holds a proposal against the own view. */
  review(proposal: unknown, now: number): Promise<Review>;
  assemble(proposal: unknown, signatures: readonly OracleSignature[]): Snapshot;
  /** A quorum has signed the snapshot; the proposal is said to be what it was made of. */
  accept(proposal: unknown, snapshot: Snapshot): void;
  /** Called every `sampleMs`, whatever else happens. */
  sample(now: number): Promise<void>;
}

export interface OraclePeer {
  readonly name: string;
  sign(proposal: unknown): Promise<Review>;
  offer(snapshot: Snapshot, proposal?: unknown): Promise<void>;
}

export interface OracleConfig {
  /** Place in the oracle set. */
  readonly index: number;
  readonly domain: bigint;
  readonly oracles: readonly PublicKey[];
  readonly quorum: number;
  readonly intervalMs: number;
  /** How often the market is sampled. */
  readonly sampleMs: number;
}

export interface Oracle {
  /** Of another oracle's proposal. */
  sign(proposal: unknown): Promise<Review>;
  /** Takes a snapshot if it is newer and signed by a quorum. */
  offer(snapshot: Snapshot, proposal?: unknown): void;
  /** The last good snapshot, however old: who uses it knows how old it may be. */
  latest(): Snapshot | undefined;
  /** Proposes now, whoever's turn it is. Resolves to whether there is a new snapshot. */
  round(): Promise<boolean>;
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

/**
 * Where a round fails, be it that the own view is refused or that no quorum signs, nothing replaces
 * the last good snapshot. The oracle tries again an interval later, the next in the list when its
 * turn comes, and trading pauses by itself when the snapshot is too old for a batch.
 */
export function createOracle(ports: Ports, config: OracleConfig): Oracle {
  const { clock, logger, market } = ports;
  const { index, domain, oracles, quorum, intervalMs, sampleMs } = config;
  let latest: Snapshot | undefined;
  const startedAt = clock.now();
  let failedAt = Number.NEGATIVE_INFINITY;
  /** What is only announced must not keep what is listed from its prices. */
  let hasFailed = false;

  function offer(snapshot: Snapshot, proposal?: unknown): void {
    if (snapshot.time <= (latest?.time ?? 0)) return;
    if (!isQuorumSigned({ domain, snapshot, oracles, quorum })) {
      logger.warn("a snapshot is not signed by a quorum", { time: snapshot.time });
      return;
    }
    latest = snapshot;
    if (proposal !== undefined) market.accept(proposal, snapshot);
  }

  function isDue(): boolean {
    const now = clock.now();
    if (now - failedAt < intervalMs) return false;
    const silence = now - (latest?.time ?? startedAt);
    const isFirst = latest === undefined && index === 0;
    return isFirst || silence >= intervalMs * (1 + TURN_INTERVALS * index);
  }

  async function round(): Promise<boolean> {
    // Taken back where the round succeeds: an error must count as a failure too.
    failedAt = clock.now();
    const isListedOnly = hasFailed;
    hasFailed = true;
    const { value: proposal, refused } = await market.propose(clock.now(), isListedOnly);
    if (refused !== undefined) {
      logger.warn("no proposal", { ...refused, silentMs: silentMs() });
      return false;
    }
    const { signatures, refusals } = await gather(ports, config, proposal);
    if (signatures.length < quorum) {
      const told = { signatures: signatures.length, quorum, refusals, silentMs: silentMs() };
      logger.warn("no quorum for a proposal", told);
      return false;
    }
    const snapshot = market.assemble(proposal, signatures);
    offer(snapshot, proposal);
    if (latest !== snapshot) return false;
    failedAt = Number.NEGATIVE_INFINITY;
    hasFailed = false;
    logger.debug("snapshot signed", { time: snapshot.time, signatures: signatures.length });
    // A peer that does not hear of it asks for a snapshot of its own when its turn comes.
    for (const peer of ports.peers) peer.offer(snapshot, proposal).catch(() => undefined);
    return true;
  }

  function silentMs(): number {
    return clock.now() - (latest?.time ?? startedAt);
  }

  return {
    sign: (proposal) => market.review(proposal, clock.now()),
    offer,
    latest: () => latest,
    round,
    run: async (signal) => {
      const proposing = loop({
        everyMs: POLL_MS,
        signal,
        run: async () => {
          if (isDue()) await round();
        },
        onError: (error) => logger.warn("a proposal failed", { error: messageOf(error) }),
      });
      const sampling = loop({
        everyMs: sampleMs,
        signal,
        run: () => market.sample(clock.now()),
        onError: (error) => logger.warn("no sample of the index", { error: messageOf(error) }),
      });
      await Promise.all([proposing, sampling]);
    },
  };
}

interface Gathered {
  readonly signatures: readonly OracleSignature[];
  readonly refusals: readonly (OracleRefusal & { readonly name: string })[];
}

/**
 * Its own signature and those of the peers that answer first, up to a quorum. What is not a good
 * signature of another signer does not count: one bad peer must not spoil a round.
 */
async function gather(
  { clock, logger, market, peers }: Ports,
  { domain, oracles, quorum }: OracleConfig,
  proposal: unknown,
): Promise<Gathered> {
  const signatures: OracleSignature[] = [];
  const refusals: (OracleRefusal & { name: string })[] = [];
  const hash = snapshotHash(domain, market.assemble(proposal, []));
  const take = (name: string, review: Review): void => {
    if ("reason" in review) {
      refusals.push({ name, code: review.code, reason: review.reason });
      logger.debug("does not sign", { name, code: review.code, reason: review.reason });
      return;
    }
    const { signature } = review;
    if (signatures.length >= quorum) return;
    const isNew = signatures.every(({ signer }) => signer !== signature.signer);
    const key = oracles[signature.signer];
    if (isNew && key !== undefined && verify(key, hash, signature)) signatures.push(signature);
    else logger.warn("a peer's signature does not count", { name, signer: signature.signer });
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
  return { signatures: [...signatures].sort((a, b) => a.signer - b.signer), refusals };
}
