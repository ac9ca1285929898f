import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { ownPorts } from "../../scripts/ownPorts.ts";

/** The first port that Linux gives to connections that go out. */
const HANDED_OUT_FROM = 32_768;
const MODULE = new URL("../../scripts/ownPorts.ts", import.meta.url).href;

test("every port is given once, also beyond a block, to callers at the same time", async () => {
  const counts = [1, 60, 120, 70];
  const ports = (await Promise.all(counts.map(ownPorts))).flat();
  assert.equal(ports.length, 251);
  assert.equal(new Set(ports).size, ports.length);
  assert.ok(ports.every((port) => port >= 10_000 && port < HANDED_OUT_FROM));
});

test("a port in use is passed over", async (context) => {
  const [port = 0] = await ownPorts(1);
  const server = createServer().listen(port + 1, "127.0.0.1");
  context.after(() => server.close());
  await once(server, "listening");
  const [next = 0] = await ownPorts(1);
  assert.ok(next > port + 1, `${next} after ${port}`);
});

test("processes at the same time have no port in common", async (context) => {
  const script = `
    const { ownPorts } = await import(${JSON.stringify(MODULE)});
    process.send(await ownPorts(150));
    process.on("message", () => {});`;
  const args = ["--input-type=module", "-e", script];
  // They stay, with their blocks, until the test is over: the channel keeps them.
  const children = [1, 2, 3].map(() =>
    spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] }),
  );
  context.after(() => {
    for (const child of children) child.kill();
  });
  const told = await Promise.all(children.map((child) => once(child, "message")));
  const others = told.map(([ports]) => ports as number[]);
  const all = [await ownPorts(150), ...others].flat();
  assert.equal(new Set(all).size, 600);
});
