/** Half of a message's way there and back, over a member's kind of stream and over TCP. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { multiaddr } from "@multiformats/multiaddr";
import { createFrameReader, sendFrames } from "../../../sequencer/gossip/frames.ts";
import { createPeerNode } from "../../../sequencer/gossip/peerNode.ts";
import type { BenchLine } from "../benchLine.ts";
import { percentile } from "../percentile.ts";
import { ECHO_BYTES_MAX, ECHO_PROTOCOL } from "./echo.ts";
import { startChild } from "./process.ts";

const MESSAGE = Buffer.alloc(250, 7);
const MESSAGES = 5_000;
const WARM_UP = 500;
const PAUSE_MS = 1;

export async function propagationLines(): Promise<BenchLine[]> {
  const child = startChild("echo.ts", "serve");
  const [{ port, address }] = (await once(child, "message")) as [{ port: number; address: string }];
  const node = await createPeerNode({ listen: [] });
  const stream = await node.dialProtocol(multiaddr(address), ECHO_PROTOCOL);
  const reader = createFrameReader(stream, ECHO_BYTES_MAX);
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const byStream: number[] = [];
  const byTcp: number[] = [];
  // In turn, so that both meet the same moments of the machine.
  for (let count = 0; count < MESSAGES; count++) {
    byStream.push(await half(() => sendFrames(stream, [MESSAGE]).then(() => reader.next())));
    byTcp.push(
      await half(async () => {
        const answer = once(socket, "data");
        socket.write(MESSAGE);
        await answer;
      }),
    );
    await sleep(PAUSE_MS);
  }
  socket.destroy();
  await node.stop();
  child.kill();
  return [50, 99].map((share) => {
    const [own, raw] = [byStream, byTcp].map((times) => percentile(times.slice(WARM_UP), share));
    return {
      ...{ name: `certify.propagation.p${share}`, value: own!, unit: "ms", better: "lower" },
      ...(share === 50 ? { target: 1 } : {}),
      ...{ peer: "TCP echo", peerValue: raw!, ratio: own! / raw!, note: "250 B, one way" },
    };
  });
}

async function half(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return (performance.now() - start) / 2;
}
