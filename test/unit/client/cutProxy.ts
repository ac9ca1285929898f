// A TCP proxy that breaks connections as networks do: at once, or by falling silent.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

export interface CutProxy {
  readonly url: string;
  /** Ends every connection, in the middle of whatever is on its way. */
  cut(): void;
  /** Nothing passes any more on the connections that there are, and none of them ends. */
  mute(): void;
  /** New connections go there. */
  moveTo(target: string): void;
  /** Connections are refused, or taken again. */
  setAway(isAway: boolean): void;
  /** Connections taken so far. */
  taken(): number;
}

export async function startCutProxy(context: TestContext, target: string): Promise<CutProxy> {
  let goal = new URL(target);
  const open = new Set<Socket>();
  let isAway = false;
  let taken = 0;
  const server = createServer((near) => {
    if (isAway) {
      near.destroy();
      return;
    }
    taken += 1;
    const far = connect(Number(goal.port), goal.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  context.after(() => {
    cut();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mute: () => {
      for (const socket of open) {
        socket.unpipe();
        socket.pause();
      }
    },
    moveTo: (url) => {
      goal = new URL(url);
    },
    setAway: (away) => {
      isAway = away;
    },
    taken: () => taken,
  };
}
