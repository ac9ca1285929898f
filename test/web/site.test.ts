// The terminal's files by the API's server: what is served, how, and that nothing else is.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { startApi } from "../../sequencer/api/server.ts";
import { readSite } from "../../sequencer/api/site.ts";
import { startRpc } from "../unit/api/rpcFixture.ts";
import { createMarket } from "../unit/roles/market.ts";
import { silent } from "../unit/roles/ports.ts";

const PAGE = "<!doctype html><title>Straddle</title>";
const SCRIPT = `console.log(${JSON.stringify("x".repeat(3000))});`;

async function serve(context: TestContext) {
  const outside = mkdtempSync(path.join(tmpdir(), "straddle-site-"));
  const folder = path.join(outside, "web");
  mkdirSync(path.join(folder, "assets"), { recursive: true });
  writeFileSync(path.join(folder, "index.html"), PAGE);
  writeFileSync(path.join(folder, "assets", "main-1a2b.js"), SCRIPT);
  writeFileSync(path.join(folder, "notes.secret"), "of no known type");
  writeFileSync(path.join(outside, "key.json"), '{"protocol":"groth16"}');
  const { world } = await createMarket();
  const server = await startApi({
    ...{ service: world.sequencer.service, clock: world.clock, logger: silent },
    site: {
      ...{ folder, vkeys: { trade: path.join(outside, "key.json") } },
      layerOneUrl: "http://127.0.0.1:8490/rpc",
    },
  });
  context.after(async () => {
    await server.stop();
    rmSync(outside, { recursive: true, force: true });
  });
  return { server, folder };
}

/** The path as it is: `fetch` would tidy it. */
function raw(port: number, target: string, method = "GET") {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", path: target, method }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end();
  });
}

test("pages have their type, a strict policy, and caches that fit their names", async (context) => {
  const { server } = await serve(context);
  const page = await fetch(`${server.url}/`);
  assert.equal(await page.text(), PAGE);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(page.headers.get("cache-control"), "no-cache");
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  const policy = page.headers.get("content-security-policy") ?? "";
  const rules = new Map(policy.split("; ").map((rule) => [rule.split(" ")[0], rule]));
  assert.equal(rules.get("default-src"), "default-src 'none'");
  assert.equal(rules.get("script-src"), "script-src 'self' 'wasm-unsafe-eval'");
  assert.equal(rules.get("style-src"), "style-src 'self'");
  assert.equal(rules.get("connect-src"), "connect-src 'self' http://127.0.0.1:8490");
  assert.equal(rules.get("frame-ancestors"), "frame-ancestors 'none'");
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|\*/);
  const script = await fetch(`${server.url}/assets/main-1a2b.js`);
  assert.equal(await script.text(), SCRIPT);
  assert.equal(script.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.equal(script.headers.get("content-encoding"), "gzip");
  assert.match(script.headers.get("cache-control") ?? "", /immutable/);
  const tag = script.headers.get("etag") ?? "";
  const again = await fetch(`${server.url}/assets/main-1a2b.js`, {
    headers: { "if-none-match": tag, "accept-encoding": "gzip" },
  });
  assert.equal(again.status, 304);
  const plain = await fetch(`${server.url}/assets/main-1a2b.js`, {
    headers: { "accept-encoding": "identity", "if-none-match": tag },
  });
  assert.equal(plain.status, 200);
  assert.equal(plain.headers.get("content-encoding"), null);
});

test("the page is told of keys and of layer one", async (context) => {
  const { server } = await serve(context);
  const settings = await (await fetch(`${server.url}/terminal.json`)).json();
  assert.deepEqual(settings, { layerOneUrl: "http://127.0.0.1:8490/rpc" });
  const key = await (await fetch(`${server.url}/keys/trade.json`)).json();
  assert.deepEqual(key, { protocol: "groth16" });
  assert.equal((await fetch(`${server.url}/keys/ledger.json`)).status, 404);
});

test("no path leads out of the folder, and other methods change nothing", async (context) => {
  const { server } = await serve(context);
  const targets = [
    ...["/../key.json", "/assets/../../key.json", "/%2e%2e/key.json", "/..%2fkey.json"],
    ...["//key.json", "/assets", "/assets/", "/index.html/", "/notes.secret", "/INDEX.HTML"],
    ...["/__proto__", "/constructor", "/assets/main-1a2b.js%00.html"],
  ];
  for (const target of targets) {
    const { status, text } = await raw(server.port, target);
    assert.equal(status, 404, target);
    assert.doesNotMatch(text, /groth16|no known type/, target);
  }
  assert.equal((await raw(server.port, "/?a=1")).text, PAGE);
  const head = await raw(server.port, "/assets/main-1a2b.js", "HEAD");
  assert.deepEqual([head.status, head.text], [200, ""]);
  for (const method of ["PUT", "DELETE", "PATCH"]) {
    const { status } = await raw(server.port, "/assets/main-1a2b.js", method);
    assert.ok(status >= 400, method);
  }
  const health = await fetch(`${server.url}/health`);
  assert.equal(health.status, 200);
});

test("without a folder there is no terminal; one that has none is refused", async (context) => {
  const { server } = await startRpc(context);
  assert.notEqual((await fetch(`${server.url}/`)).status, 200);
  assert.equal((await fetch(`${server.url}/index.html`)).status, 404);
  const empty = mkdtempSync(path.join(tmpdir(), "straddle-site-"));
  context.after(() => rmSync(empty, { recursive: true, force: true }));
  assert.throws(() => readSite({ folder: empty }), /has no index.html/);
  assert.throws(() => readSite({ folder: path.join(empty, "none") }), /ENOENT/);
});
