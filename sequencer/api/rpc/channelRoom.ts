/** How many channels connections may have: some for sure, more while there is room for them. */
import type { ApiLimits } from "../limits.ts";
import { RpcError } from "./errorTable.ts";

/** One connection's. */
export interface ChannelRoom {
  /** Throws {@link RpcError} where so many are not to be had. */
  assertFor(count: number): void;
  /** It has so many now. */
  hold(count: number): void;
}

type Limits = Pick<ApiLimits, "channelsPerConnection" | "channelsSure" | "channelsShared">;

export function createChannelRooms(limits: Limits): () => ChannelRoom {
  const { channelsPerConnection, channelsSure, channelsShared } = limits;
  const beyond = (count: number): number => Math.max(0, count - channelsSure);
  let taken = 0;
  return () => {
    let own = 0;
    return {
      assertFor(count) {
        if (count > channelsPerConnection) {
          const allowed = `at most ${channelsPerConnection}`;
          const text = `\`${count}\` channels on this connection; ${allowed}.`;
          throw new RpcError("subscription_failed", text);
        }
        if (beyond(count) > own && taken - own + beyond(count) > channelsShared) {
          const text = `beyond ${channelsSure} channels on a connection there is no room just now.`;
          throw new RpcError("subscription_failed", text);
        }
      },
      hold(count) {
        taken += beyond(count) - own;
        own = beyond(count);
      },
    };
  };
}
