// Three oracles as the command runs them, over HTTP, with sources of their own.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { ownPorts } from "../../../scripts/ownPorts.ts";
import { type ConfigInput, readConfig } from "../../../sequencer/node/config.ts";
import { runOracleNode } from "../../../sequencer/node/oracleNode.ts";
import type { SeriesTerms } from "../../../sequencer/oracle/feed.ts";
import { createSnapshotSource } from "../../../sequencer/oracle/peers.ts";
import { publicKeyOf, secretFromSeed } from "../../../sequencer/protocol/eddsa.ts";
import { isQuorumSigned, type Snapshot } from "../../../sequencer/protocol/snapshot.ts";
import { silent } from "../roles/ports.ts";

const folder = mkdtempSync(path.join(tmpdir(), "straddle-oracles-"));
const stopping = new AbortController();
const running: Promise<void>[] = [];
const servers: Server[] = [];

after(async () => {
  stopping.abort();
  await Promise.all(running);
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(folder, { recursive: true });
});

async function serve(answer: () => unknown): Promise<string> {
  const server = createServer((_, response) => response.end(JSON.stringify(answer())));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const SLOTS = 16;
const seconds = Math.floor(Date.now() / 1000);
const listed = { status: "listed", isCall: true } as const;
/** One far ahead, and one that expires while the test runs. */
const terms: SeriesTerms[] = [
  { ...listed, strike: 25_000, expiry: seconds + 7 * 86_400 },
  { ...listed, strike: 20_000, expiry: seconds + 8 },
];
const series = Array.from({ length: SLOTS }, (_, slot) => {
  return terms[slot] ?? { status: "empty", isCall: false, strike: 0, expiry: 0 };
});

/** A source that says the index is 0, and has no forwards. */
let lies = 0;
const liar = () => ({ index: lies++ % 2 === 0 ? 0 : -1 });

const DOMAIN = 7n;
const seeds = ["11", "22", "33"].map((byte) => byte.repeat(32));
const oracles = seeds.map((seed) => publicKeyOf(secretFromSeed(Buffer.from(seed, "hex"))));

async function startOracles(): Promise<string[]> {
  const apiUrl = await serve(() => ({ jsonrpc: "2.0", id: 1, result: { series } }));
  const badUrl = await serve(liar);
  const ports = await ownPorts(oracles.length);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const simulated = { kind: "simulated", seed: 9, startMs: Date.now() - 3_600_000 } as const;
  for (const [index, seed] of seeds.entries()) {
    const secretFile = path.join(folder, `${index}.key`);
    writeFileSync(secretFile, seed);
    const config: ConfigInput<"oracle"> = {
      deployment: {
        chainId: 1,
        instance: "tiny",
        ...{ rollup: `0x${"1".repeat(40)}`, token: `0x${"2".repeat(40)}`, block: 0 },
        domain: `${DOMAIN}`,
        oracles: oracles.map(({ x, y }) => ({ x: `${x}`, y: `${y}` })),
      },
      // Of several sequencers one answers.
      apiUrl: ["http://127.0.0.1:9", apiUrl],
      ...{ index, secretFile, port: ports[index]!, intervalMs: 250 },
      peers: urls.filter((_, other) => other !== index),
      feed: [
        simulated,
        simulated,
        { kind: "json", name: "liar", url: badUrl, mapping: { index: "index" }, ticksPerUnit: 10 },
      ],
      settlementFile: path.join(folder, `${index}.jsonl`),
      risk: { disputeDelayMs: 1000 },
    };
    const file = path.join(folder, `${index}.json`);
    writeFileSync(file, JSON.stringify(config));
    running.push(runOracleNode(readConfig("oracle", file), silent, stopping.signal));
  }
  return urls;
}

test("oracles sign one market through an expiry, whatever one source says", async () => {
  const urls = await startOracles();
  const source = createSnapshotSource(urls, { domain: DOMAIN, oracles, quorum: 2 });
  const seen: Snapshot[] = [];
  const deadline = Date.now() + 25_000;
  for (;;) {
    assert.ok(Date.now() < deadline, `no final price in time; ${seen.length} snapshots`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const snapshot = await source.latest().catch(() => undefined);
    if (snapshot === undefined || snapshot.time === seen.at(-1)?.time) continue;
    assert.ok(isQuorumSigned({ domain: DOMAIN, snapshot, oracles, quorum: 2 }));
    seen.push(snapshot);
    if (snapshot.slots[1]?.isFinal) break;
  }
  assert.ok(seen.length > 5 && lies > 5);
  const [near, far] = [seen.map(({ slots }) => slots[1]!), seen.map(({ slots }) => slots[0]!)];
  for (const { mark, isFinal } of far) assert.ok(mark > 0 && !isFinal);
  const payoffs = near.filter((_, at) => seen[at]!.time >= (terms[1] as SeriesTerms).expiry * 1000);
  assert.ok(payoffs.length >= 2);
  const last = payoffs.at(-1)?.mark as number;
  // Once in its last seconds, the mark is nearly the payoff, and moves no more.
  for (const { mark } of near.slice(2)) assert.ok(Math.abs(mark - last) <= 5, `${mark}, ${last}`);
  const files = seeds.map((_, index) => readFileSync(path.join(folder, `${index}.jsonl`), "utf8"));
  const settled = files.map((text) => /"settlement":\{"expiry":(\d+),"ticks":(\d+)/.exec(text));
  const prices = settled.map((match) => match?.[2]);
  assert.deepEqual(new Set(prices).size, 1, `${prices}`);
  assert.equal(Number(prices[0]) - 20_000, last);
  assert.ok(
    files.every((text) => text.includes('"sample"')),
    "samples are kept",
  );
});
