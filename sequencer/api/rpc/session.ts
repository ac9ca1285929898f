/**
 * Private sessions: opened by a trading key's signature, never by a shared secret. On a WebSocket
 * the key signs the connection's challenge, once; over HTTP it signs each request's time.
 */
import { randomBytes } from "node:crypto";
import type { ExchangeService, KeyInfo } from "../../exchangeService.ts";
import type { Clock } from "../../ports.ts";
import { type Signature, verify } from "../../protocol/eddsa.ts";
import { readRequestHash } from "../../protocol/receipt.ts";
import { sessionHash } from "../../protocol/session.ts";
import { READ_REQUEST_AGE_MS } from "../limits.ts";
import { RpcError } from "./errorTable.ts";

export interface Session {
  readonly account: number;
  readonly keyIndex: number;
  /** Unix seconds. */
  readonly expiry: number;
}

export interface SessionDesk {
  /** The challenge that the next {@link open} must have signed; each is good for one try. */
  challenge(): bigint;
  open(signed: Signed): Promise<Session>;
  close(): void;
  /** Throws {@link RpcError} where there is none, or its key has expired or was replaced. */
  current(): Promise<Session>;
  /** The account, without a look at the key; undefined where there is none. */
  account(): number | undefined;
  /** Unix ms; undefined where there is none. */
  endsAt(): number | undefined;
}

export interface Signed {
  readonly account: number;
  readonly keyIndex: number;
  readonly challenge: bigint;
  readonly signature: Signature;
}

interface Parts {
  readonly service: ExchangeService;
  readonly clock: Clock;
}

export function createSessionDesk({ service, clock }: Parts): SessionDesk {
  let challenge: bigint | undefined;
  let opened: KeyInfo | undefined;
  return {
    challenge: () => {
      challenge = BigInt(`0x${randomBytes(31).toString("hex")}`);
      return challenge;
    },
    async open({ account, keyIndex, challenge: answered, signature }) {
      const asked = challenge;
      challenge = undefined;
      if (asked === undefined || asked !== answered) {
        throw new RpcError("unauthorized", "that is not this connection's newest challenge.");
      }
      const key = await liveKey({ service, clock }, account, keyIndex);
      const { domain } = await service.info();
      const hash = sessionHash({ domain, account, keyIndex, challenge: asked });
      if (!verify(key.key, hash, signature)) throw new RpcError("unauthorized");
      opened = key;
      return { account, keyIndex, expiry: key.expiry };
    },
    close: () => {
      opened = undefined;
    },
    async current() {
      if (opened === undefined) throw new RpcError("authorization_required");
      const { account, keyIndex, version, expiry } = opened;
      const key = await liveKey({ service, clock }, account, keyIndex);
      if (key.version !== version) {
        opened = undefined;
        throw new RpcError("unauthorized", "the session's key was replaced.");
      }
      return { account, keyIndex, expiry };
    },
    account: () => opened?.account,
    endsAt: () => (opened === undefined ? undefined : opened.expiry * 1000),
  };
}

async function liveKey(
  { service, clock }: Parts,
  account: number,
  keyIndex: number,
): Promise<KeyInfo> {
  const key = await service.session(account, keyIndex);
  if (key === null) throw new RpcError("invalid_credentials");
  if (key.expiry * 1000 <= clock.now()) throw new RpcError("unauthorized", "the key has expired.");
  return key;
}

const FIELD = "(0x[0-9a-f]{1,64})";
const HEADER = new RegExp(
  `^straddle-eddsa id=(\\d{1,7})/(\\d),ts=(\\d{1,15}),sig=${FIELD}:${FIELD}:${FIELD}$`,
  "i",
);

/** Of `Authorization: straddle-eddsa id=7/0,ts=1800000000000,sig=r8x:r8y:s`. */
export async function sessionOfHeader(parts: Parts, header: string | undefined): Promise<Session> {
  if (header === undefined) throw new RpcError("authorization_required");
  const match = HEADER.exec(header);
  if (match === null) {
    const form = "straddle-eddsa id=ACCOUNT/KEY,ts=MS,sig=R8X:R8Y:S";
    throw new RpcError("authorization_required", `\`Authorization\` must be \`${form}\`.`);
  }
  const [account, keyIndex, time] = match.slice(1, 4).map(Number) as [number, number, number];
  const [r8x, r8y, s] = match.slice(4, 7).map(BigInt) as [bigint, bigint, bigint];
  if (Math.abs(parts.clock.now() - time) > READ_REQUEST_AGE_MS) {
    const allowed = `within ${READ_REQUEST_AGE_MS} ms of now`;
    throw new RpcError("unauthorized", `\`ts\` must be ${allowed}. Got \`${time}\`.`);
  }
  const key = await liveKey(parts, account, keyIndex);
  const { domain } = await parts.service.info();
  const hash = readRequestHash({ domain, account, keyIndex, time });
  if (!verify(key.key, hash, { r8x, r8y, s })) throw new RpcError("unauthorized");
  return { account, keyIndex, expiry: key.expiry };
}
