// One connection to whichever of several nodes serves.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { WebSocketServer } from "ws";
import { ConnectionError, createRpc, type RpcOptions } from "../../../sequencer/client/rpc.ts";

/** Answers every call with its name, and tells whoever subscribes. */
async function startNode(name: string, port = 0) {
  const server = new WebSocketServer({ host: "127.0.0.1", port });
  await once(server, "listening");
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      const { id, method } = JSON.parse(String(data)) as { id: number; method: string };
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: name }));
      if (method !== "subscribe") return;
      socket.send(JSON.stringify({ params: { channel: "beat", data: name } }));
    });
  });
  const stop = async (): Promise<void> => {
    for (const socket of server.clients) socket.terminate();
    server.close();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

function client(context: TestContext, options: RpcOptions) {
  const rpc = createRpc({ retryMs: 10, ...options });
  context.after(() => rpc.close());
  return rpc;
}

/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:9";

test("the first that answers is used, and the next when it is gone", async (context) => {
  const [one, two] = [await startNode("one"), await startNode("two")];
  context.after(two.stop);
  const rpc = client(context, { url: [NOWHERE, one.url, two.url] });
  assert.equal(await rpc.call("who"), "one");
  await one.stop();
  const answer = async (): Promise<unknown> => {
    // A call that was under way has an unknown outcome; the next one finds the other node.
    return rpc.call("who").catch(() => rpc.call("who"));
  };
  assert.equal(await answer(), "two");
});

test("subscriptions move along", async (context) => {
  const [one, two] = [await startNode("one"), await startNode("two")];
  context.after(two.stop);
  const rpc = client(context, { url: [one.url, two.url] });
  const heard: unknown[] = [];
  const moved = new Promise<void>((resolve) => {
    const handler = (data: unknown): void => {
      heard.push(data);
      if (data === "two") resolve();
    };
    void rpc.subscribe({ channel: "beat", handler });
  });
  assert.equal(await rpc.call("who"), "one");
  await one.stop();
  await moved;
  assert.deepEqual(heard, ["one", "two"]);
});

test("where none answers the last is named", async (context) => {
  const rpc = client(context, { url: [NOWHERE, "http://127.0.0.1:7"] });
  await assert.rejects(rpc.call("who"), (error: unknown) => {
    assert.ok(error instanceof ConnectionError);
    assert.match(error.message, /no connection to `ws:\/\/127\.0\.0\.1:7`/);
    return true;
  });
});
