/** Methods of the connection itself: time, session, heartbeat, subscriptions. */
import { z } from "zod";
import { AUTHENTICATED } from "./accountSchemas.ts";
import { CHANNEL_FORMS } from "./channelNames.ts";
import { RpcError } from "./errorTable.ts";
import * as fields from "./fieldSchemas.ts";
import { PLATFORM_STATUS } from "./marketSchemas.ts";
import { indexName } from "./marketShapes.ts";
import { CALL_CREDITS, type CallContext, type Method, method } from "./method.ts";
import { CHALLENGE } from "./ownSchemas.ts";
import { signatureOf } from "./signedWord.ts";

const nothing = z.strictObject({});
const CHANNELS_MAX = 500;
const channels = z.strictObject({
  channels: z
    .array(z.string().max(250))
    .min(1)
    .max(CHANNELS_MAX)
    .describe(`of the forms ${CHANNEL_FORMS.join(", ")}`),
});
const subscribed = z.array(z.string());
const version = z.strictObject({ version: z.string() });

export const SESSION_METHODS: readonly Method[] = [
  method("public/test", {
    summary: "Answers; also to a `test_request`.",
    params: z.strictObject({ expected_result: z.literal("exception").optional() }),
    result: version,
    call: async ({ expected_result }, { service }) => {
      if (expected_result !== undefined) throw new RpcError("bad_request", "as you have asked.");
      return { version: (await service.info()).version };
    },
  }),
  method("public/hello", {
    summary: "A client says its name.",
    params: z.strictObject({ client_name: z.string().max(64), client_version: z.string().max(64) }),
    result: version,
    call: async (_, { service }) => ({ version: (await service.info()).version }),
  }),
  method("public/get_time", {
    summary: "The node's clock, unix ms.",
    params: nothing,
    result: fields.timestamp,
    call: (_, { clock }) => clock.now(),
  }),
  method("public/status", {
    summary: "Whether the venue trades, and if not, why.",
    params: nothing,
    result: PLATFORM_STATUS,
    call: async (_, { service }) => {
      const { trading, isOverloaded, halted, layerOne } = await service.status();
      const { mode, reason, detail, since, opensAt } = trading;
      // Not by the market's view: a halted node has none, and this is what it is asked.
      const index = indexName({ info: await service.info() });
      const frozenAt = layerOne.frozenAt === null ? null : layerOne.frozenAt * 1000;
      const isLocked = mode !== "open" || halted !== null;
      return {
        locked: isLocked ? "true" : isOverloaded ? "partial" : "false",
        locked_indices: isLocked ? [index] : [],
        ...{ mode, reason, detail, since, opens_at: opensAt, overloaded: isOverloaded, halted },
        frozen_at: frozenAt,
      } as const;
    },
  }),
  method("straddle/get_challenge", {
    summary: "What a trading key signs to open a private session on this connection.",
    needsWebSocket: true,
    params: nothing,
    result: CHALLENGE,
    call: (_, { connection }) => {
      const challenge = needed(connection).session.challenge();
      return { challenge: `0x${challenge.toString(16)}` };
    },
  }),
  method("public/auth", {
    summary: "Opens a private session: a trading key's signature over the challenge.",
    needsWebSocket: true,
    calls: 4,
    params: z.strictObject({
      grant_type: z.literal("trading_key").default("trading_key"),
      account: fields.account,
      key_index: fields.keyIndex,
      challenge: fields.fieldElement,
      signature: fields.eddsaSignature,
    }),
    result: AUTHENTICATED,
    call: async ({ account, key_index, challenge, signature }, { connection, clock }) => {
      const { session, joined, subscriptions } = needed(connection);
      const before = session.account();
      const { expiry } = await session.open({
        ...{ account, keyIndex: key_index, challenge: BigInt(challenge) },
        signature: signatureOf(signature),
      });
      // What it has joined is another account's, whose key nobody looks after any more.
      if (before !== account) subscriptions.removePrivate();
      joined(account);
      const expires_in = Math.max(0, expiry - Math.ceil(clock.now() / 1000));
      return { account, key_index, scope: "connection" as const, expires_in };
    },
  }),
  method("private/logout", {
    summary: "Ends the session; the connection stays.",
    needsWebSocket: true,
    params: nothing,
    result: z.literal("ok"),
    call: (_, { connection }) => {
      needed(connection).logout();
      return "ok" as const;
    },
  }),
  method("public/set_heartbeat", {
    summary: "Asks for heartbeats; a `test_request` that is not answered ends the connection.",
    needsWebSocket: true,
    params: z.strictObject({ interval: z.int().min(10).max(3600).describe("seconds") }),
    result: z.literal("ok"),
    call: ({ interval }, { connection }) => {
      needed(connection).setHeartbeat(interval * 1000);
      return "ok" as const;
    },
  }),
  method("public/disable_heartbeat", {
    summary: "No more heartbeats.",
    needsWebSocket: true,
    params: nothing,
    result: z.literal("ok"),
    call: (_, { connection }) => {
      needed(connection).setHeartbeat(undefined);
      return "ok" as const;
    },
  }),
  method("public/subscribe", {
    summary: `Joins channels; answers all that it has, each ${CHANNELS_MAX} at a call's cost.`,
    needsWebSocket: true,
    calls: 3,
    params: channels,
    result: subscribed,
    call: ({ channels: wanted }, context) => subscribe(wanted, false, context),
  }),
  method("private/subscribe", {
    summary: "Joins channels, an account's own among them.",
    needsWebSocket: true,
    calls: 3,
    params: channels,
    result: subscribed,
    call: ({ channels: wanted }, context) => subscribe(wanted, true, context),
  }),
  ...(["public", "private"] as const).flatMap((scope) => [
    method(`${scope}/unsubscribe`, {
      summary: "Leaves channels; answers those that are left.",
      scope: "public",
      needsWebSocket: true,
      params: channels,
      result: subscribed,
      call: ({ channels: wanted }, context) =>
        told(needed(context.connection).subscriptions.remove(wanted), context),
    }),
    method(`${scope}/unsubscribe_all`, {
      summary: "Leaves every channel.",
      scope: "public",
      needsWebSocket: true,
      params: nothing,
      result: z.literal("ok"),
      call: (_, { connection }) => {
        needed(connection).subscriptions.removeAll();
        return "ok" as const;
      },
    }),
  ]),
];

function needed<T>(connection: T | undefined): T {
  if (connection === undefined) throw new RpcError("must_be_websocket_request");
  return connection;
}

async function subscribe(
  wanted: readonly string[],
  isPrivate: boolean,
  context: CallContext,
): Promise<string[]> {
  const { subscriptions, session: desk } = needed(context.connection);
  const isOpen = isPrivate || desk.account() !== undefined;
  const names = await subscriptions.add(wanted, isOpen ? await context.session() : undefined);
  return told(names, context);
}

/** An answer that has many names costs more: a small request must not fetch it as fast. */
function told(names: readonly string[], { bucket }: CallContext): string[] {
  bucket.charge(CALL_CREDITS * Math.floor(names.length / CHANNELS_MAX));
  return [...names];
}
