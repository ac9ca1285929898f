/**
 * What protects a maker when it cannot: a cancel-all that the venue holds for the end of the
 * connection, and market-maker protection with another one. Both are words of a key of their own
 * (SPEC section 12): a key that signs anything else uses up the head that they extend.
 */
import { type SignedWord, wireWord } from "../client/exchange.ts";
import { ExchangeError } from "../client/rpcErrors.ts";
import type { Trader } from "../client/trader.ts";
import { sign } from "../protocol/eddsa.ts";
import { messageWord, nextHead } from "../protocol/messages.ts";
import type { Say } from "./desk.ts";

export interface GuardOptions {
  readonly trader: Trader;
  readonly key: { readonly index: number; readonly secret: bigint };
  /** Fills of resting orders within `intervalSeconds` that set it off, in contracts; 0: never. */
  readonly protectQuantity: number;
  readonly intervalSeconds: number;
  readonly frozenSeconds: number;
  readonly say: Say;
  /** Unix ms. */
  readonly now: () => number;
}

export interface Guard {
  /** Leaves the words anew where they are used up, or about to be. Called at each turn. */
  renew(): Promise<void>;
  /** Takes them back. */
  withdraw(): Promise<void>;
}

/** Milliseconds that a word is good for; renewed when half of it has passed. */
const LIFETIME_MS = 600_000;

export function createGuard(options: GuardOptions): Guard {
  const { trader, key, protectQuantity, say, now } = options;
  const { rpc, account } = trader;
  let renewedAt: number | undefined;
  /** The head that the words extend: once it is used, they are gone. */
  let heldOn: bigint | undefined;
  // The venue forgets the connection's words with the connection.
  const stop = rpc.on("open", () => {
    renewedAt = undefined;
  });
  const index = async (): Promise<string> =>
    (await rpc.call("public/get_index_price_names"))[0] as string;
  const protect = async (signed: SignedWord): Promise<void> => {
    await rpc.call("private/set_mmp_config", {
      ...{ index_name: await index(), interval: options.intervalSeconds },
      ...{ frozen_time: options.frozenSeconds, quantity_limit: protectQuantity, signed },
    });
  };
  return {
    async renew() {
      const head = BigInt((await trader.exchange.key(account, key.index)).head);
      const isFresh = renewedAt !== undefined && now() - renewedAt < LIFETIME_MS / 2;
      if (isFresh && heldOn === head) return;
      // One word is one message: two that wait for different things must differ.
      const [first, second] = [LIFETIME_MS, LIFETIME_MS + 1].map((lifetime) =>
        cancelAllWord({ account, key, head, deadline: now() + lifetime }),
      );
      await rpc.call("private/enable_cancel_on_disconnect", {
        ...{ scope: "connection", signed: first! },
      });
      if (protectQuantity > 0) await protect(second!);
      const isNew = renewedAt === undefined || heldOn !== head;
      if (isNew) say("guard", `cancel-all is held, signed by key ${key.index}`);
      [renewedAt, heldOn] = [now(), head];
    },
    async withdraw() {
      stop();
      if (renewedAt === undefined) return;
      try {
        await rpc.call("private/disable_cancel_on_disconnect", { scope: "connection" });
        if (protectQuantity > 0) {
          await rpc.call("private/set_mmp_config", { index_name: await index(), interval: 0 });
        }
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error;
        say("guard", `could not be taken back: ${error.message}`);
      }
    },
  };
}

function cancelAllWord(options: {
  readonly account: number;
  readonly key: GuardOptions["key"];
  readonly head: bigint;
  readonly deadline: number;
}): SignedWord {
  const { account, key, head, deadline } = options;
  const word = messageWord({ kind: "cancelAll", deadline });
  const signature = sign(key.secret, nextHead(head, word));
  return wireWord({ account, keyIndex: key.index, word, signature });
}
