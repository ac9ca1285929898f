/** What sequencer and validators are told of the validator set. */
import { z } from "zod";
import { VALIDATORS_MAX, VALIDATORS_MIN } from "../consensus/validatorSet.ts";
import { PATIENCE_MS_DEFAULT, TIMING_DEFAULT } from "./member.ts";

const ms = z.int().min(1);
const PEER_ID = "[1-9A-HJ-NP-Za-km-z]{46,64}";
export const peerId = z.string().regex(new RegExp(`^${PEER_ID}$`), "must be a peer id");
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, "must be 0x and 40 hex digits");
/** Numbers the sittings of validators: another set, or one that lost its votes, needs the next. */
const epoch = z.int().min(1).default(1);
/** Where the sequencer moves with the leader: the file with which the sitting before has ended. */
const handover = z.string().min(1).optional();
const list = <T extends z.ZodType>(item: T) =>
  z.array(item).min(VALIDATORS_MIN).max(VALIDATORS_MAX);

/** `peers`: ids of the validators' nodes, in the order of `validators`. */
export const sequencerCertification = z.strictObject({
  epoch,
  handover,
  peers: list(peerId),
});

export const validatorCertification = z
  .strictObject({
    epoch,
    handover,
    /**
     * Position in the log at which the sitting ends: the same for all its validators. Behind the
     * block that reaches it no record becomes final. Each leaves `handover.json` in its `dataDir`.
     */
    until: z.int().min(1).optional(),
    /** Addresses of all of them in the registry's order, and where each listens, with peer id. */
    validators: list(address),
    peers: list(z.string().regex(new RegExp(`^/.+/p2p/${PEER_ID}$`), "with /p2p/ID")),
    listen: z.string().startsWith("/"),
    termMs: ms.default(TIMING_DEFAULT.termMs),
    heartbeatMs: ms.default(TIMING_DEFAULT.heartbeatMs),
    resendMs: ms.default(TIMING_DEFAULT.resendMs),
    patienceMs: ms.default(PATIENCE_MS_DEFAULT),
  })
  .refine(
    ({ validators, peers }) => validators.length === peers.length,
    "`peers` must name as many as `validators`",
  )
  .refine(
    ({ heartbeatMs, termMs }) => 2 * heartbeatMs <= termMs,
    "`heartbeatMs` must be at most half of `termMs`",
  );

export type ValidatorCertification = z.output<typeof validatorCertification>;
