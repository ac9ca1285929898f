/** The other end of the propagation benchmark: sends back what comes, by libp2p and by TCP. */
import { createServer } from "node:net";
import { createFrameReader, sendFrames } from "../../../sequencer/gossip/frames.ts";
import { createPeerNode } from "../../../sequencer/gossip/peerNode.ts";

export const ECHO_PROTOCOL = "/straddle/echo/1";
export const ECHO_BYTES_MAX = 1024;

if (process.argv[2] === "serve") {
  const node = await createPeerNode({ listen: ["/ip4/127.0.0.1/tcp/0"] });
  await node.handle(ECHO_PROTOCOL, async (stream) => {
    const reader = createFrameReader(stream, ECHO_BYTES_MAX);
    for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
      await sendFrames(stream, [frame]);
    }
  });
  const server = createServer({ noDelay: true }, (socket) => socket.pipe(socket));
  server.listen(0, "127.0.0.1", () => {
    const address = server.address() as { port: number };
    process.send?.({ port: address.port, address: String(node.getMultiaddrs()[0]) });
  });
  process.on("disconnect", () => process.exit(0));
}
