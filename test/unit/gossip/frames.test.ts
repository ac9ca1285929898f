// What messages cost on the way: one write a turn, and hardly any answers by yamux.
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { corked } from "../../../sequencer/gossip/corkedNoise.ts";
import { createFrameReader, sendFrames } from "../../../sequencer/gossip/frames.ts";
import { createPeerNode } from "../../../sequencer/gossip/peerNode.ts";

type Stream = Parameters<typeof createFrameReader>[0];

const PROTOCOL = "/straddle/test/1";
const BYTES_MAX = 2 ** 20;

test("what is sent in one turn is one write to the socket", async () => {
  const writes: string[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk, _encoding, done) => {
      writes.push(String(chunk));
      done();
    },
    writev: (chunks, done) => {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(""));
      done();
    },
  });
  const bare = { socket, send: (data: Uint8Array) => socket.write(data) };
  const connection = corked(bare as unknown as Stream);
  for (const text of ["length", "frame", "more"]) connection.send(Buffer.from(text));
  assert.deepEqual(writes, []);
  await new Promise((resolve) => setImmediate(resolve));
  connection.send(Buffer.from("later"));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(writes, ["lengthframemore", "later"]);
});

/** A stream between two nodes, with a count of the window updates that its sender gets. */
async function counted(received: (stream: Stream) => unknown) {
  const server = await createPeerNode({ listen: ["/ip4/127.0.0.1/tcp/0"] });
  const client = await createPeerNode({ listen: [] });
  await server.handle(PROTOCOL, (stream) => void received(stream));
  const stream = await client.dialProtocol(server.getMultiaddrs()[0]!, PROTOCOL);
  const windowed = stream as unknown as { handleWindowUpdate(frame: unknown): void };
  assert.equal(typeof windowed.handleWindowUpdate, "function", "yamux is another one");
  const take = windowed.handleWindowUpdate.bind(stream);
  const updates = { count: 0 };
  windowed.handleWindowUpdate = (frame) => {
    updates.count += 1;
    take(frame);
  };
  const stop = async (): Promise<void> => {
    await Promise.all([client.stop(), server.stop()]);
  };
  return { stream, updates, stop };
}

test("small frames are not answered one by one, and large ones never wait forever", async () => {
  const opened: Stream[] = [];
  const { stream, updates, stop } = await counted((inbound) => opened.push(inbound));
  try {
    while (opened.length === 0) await sleep(1);
    const reader = createFrameReader(opened[0]!, BYTES_MAX);
    for (let number = 0; number < 200; number++) {
      await sendFrames(stream, [Buffer.from(`frame ${number}`)]);
      assert.equal(Buffer.from((await reader.next())!).toString(), `frame ${number}`);
    }
    assert.ok(updates.count <= 2, `${updates.count} updates for 200 frames`);
    // Several windows, while the reader is slow.
    const large = Buffer.alloc(700_000, 7);
    const sending = sendFrames(
      stream,
      Array.from({ length: 8 }, () => large),
    );
    for (let number = 0; number < 8; number++) assert.deepEqual(await reader.next(), large);
    await sending;
    assert.ok(updates.count > 2);
  } finally {
    await stop();
  }
});
