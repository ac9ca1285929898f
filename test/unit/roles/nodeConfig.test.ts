// Configuration files: what is wrong with one is said before anything is opened.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { ConfigError, readConfig, type SequencerFile } from "../../../sequencer/node/config.ts";
import { closeConfirmationsOf } from "../../../sequencer/node/deployment.ts";

const folder = mkdtempSync(path.join(tmpdir(), "straddle-config-"));
after(() => rmSync(folder, { recursive: true }));

const NODE = path.join(import.meta.dirname, "..", "..", "..", "sequencer", "node.ts");

function write(name: string, value: unknown): string {
  const file = path.join(folder, name);
  writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));
  return file;
}

const circuit = { wasm: "a", zkey: "b", vkey: "c" };
const good = {
  jobs: { url: "http://127.0.0.1:1", token: "0123456789abcdef" },
  keys: { trade: circuit, ledger: circuit },
};

// [what is wrong, the file's contents, what the error says]
const WRONG: readonly (readonly [string, unknown, RegExp])[] = [
  ["not JSON", "{", /is not JSON/],
  ["nothing", {}, /no configuration of a prover[\s\S]*jobs/],
  ["a field that is not known", { ...good, colour: 1 }, /colour/],
  ["a short token", { ...good, jobs: { ...good.jobs, token: "x" } }, /jobs\.token/],
];

test("a wrong configuration is refused with the field's name", () => {
  assert.deepEqual(readConfig("prover", write("good.json", good)), good);
  for (const [what, contents, says] of WRONG) {
    const file = write("wrong.json", contents);
    assert.throws(
      () => readConfig("prover", file),
      (error: unknown) => error instanceof ConfigError && says.test(error.message),
      what,
    );
  }
  assert.throws(() => readConfig("prover", path.join(folder, "none.json")), /cannot be read/);
});

test("where one sequencer stays, a sitting has no end and begins at the first record", () => {
  const address = `0x${"1".repeat(40)}`;
  const common = { chainId: 31337, instance: "tiny", rollup: address, token: address };
  const deployment = { ...common, oracles: [{ x: "1", y: "2" }], domain: "3", block: 0 };
  const keys = {
    seed: "0".repeat(64),
    key: { development: 1 },
    vkeys: { trade: "a", ledger: "b" },
  };
  const peer = `/ip4/127.0.0.1/tcp/1/p2p/${"Q".repeat(46)}`;
  const [validators, peers] = [Array(4).fill(address), Array(4).fill(peer)];
  const sitting = { epoch: 2, validators, peers, listen: "/ip4/127.0.0.1/tcp/0" };
  const read = (sequencer: unknown, change: object) => {
    const certification = { ...sitting, ...change };
    const rest = { rpcUrl: "http://127.0.0.1:1", dataDir: "x", sequencer, certification };
    return readConfig("validator", write("sitting.json", { deployment, ...keys, ...rest }));
  };
  const moving = peers;
  for (const change of [{ until: 9 }, { handover: "handover.json" }]) {
    assert.deepEqual(
      { ...read(moving, change).certification, ...change },
      {
        ...read(moving, {}).certification,
        ...change,
      },
    );
    assert.throws(() => read(peer, change), /move with the leader/);
  }
  assert.equal(read(peer, {}).certification?.epoch, 2);
  assert.throws(() => read(moving, { until: 0 }), /until/);
});

test("the rule of order is the deployment's, and every node has one", () => {
  const address = `0x${"1".repeat(40)}`;
  const oracles = [{ x: "1", y: "2" }];
  const common = { chainId: 31337, instance: "tiny", rollup: address, token: address, oracles };
  const keys = { seed: "0".repeat(64), key: { development: 1 } };
  const vkeys = { trade: "a", ledger: "b" };
  const rest = { rpcUrl: "http://127.0.0.1:1", dataDir: "x", sequencer: "/ip4/127.0.0.1", vkeys };
  const read = (fairOrder?: object) => {
    const deployment = { ...common, domain: "3", block: 0, ...(fairOrder && { fairOrder }) };
    const file = write("validator.json", { deployment, ...keys, ...rest });
    return readConfig("validator", file).deployment.fairOrder;
  };
  assert.deepEqual(read(), { roundMs: 2, bumpMs: 0 });
  assert.deepEqual(read({ bumpMs: 5 }), { roundMs: 2, bumpMs: 5 });
  assert.deepEqual(read({ roundMs: 0 }), { roundMs: 0, bumpMs: 0 });
  for (const wrong of [
    { roundMs: 0, bumpMs: 5 },
    { roundMs: 1_001 },
    { bumpMs: -1 },
    { roundMs: 0.5 },
  ]) {
    assert.throws(() => read(wrong), ConfigError);
  }
});

test("closes wait for 64 blocks, and for none where blocks come on demand", () => {
  const of = (chainId: number, closeConfirmations?: number) =>
    closeConfirmationsOf({
      deployment: { chainId } as SequencerFile["deployment"],
      closeConfirmations,
    });
  assert.deepEqual([of(1), of(11_155_111), of(31337), of(1337)], [64, 64, 0, 0]);
  assert.deepEqual([of(1, 10), of(31337, 3)], [10, 3]);
});

test("the command explains itself and its errors", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [NODE, ...args], { encoding: "utf8" });
  const help = run("--help");
  assert.equal(help.status, 0);
  assert.match(help.stdout, /--role <role>\s+sequencer, validator, prover, oracle/);
  const unknown = run("--role", "king", "--config", "x.json");
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /--role must be one of .* Got `king`/);
  const missing = run("--role", "prover", "--config", path.join(folder, "none.json"));
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /none\.json` cannot be read/);
});

test("a sequencer whose log nobody certifies needs no four validators", () => {
  const address = `0x${"1".repeat(40)}`;
  const common = { chainId: 31337, instance: "tiny", rollup: address, token: address };
  const config = write("alone.json", {
    // One oracle too few: it is refused for this, behind the place where a sitting is made.
    deployment: { ...common, oracles: [{ x: "1", y: "2" }], domain: "3", block: 0 },
    ...{ rpcUrl: "http://127.0.0.1:1", oracleUrls: ["http://127.0.0.1:1"], validators: [] },
    ...{ dataDir: path.join(folder, "alone"), api: { port: 0 } },
    jobs: { port: 0, token: "0123456789abcdef" },
    gossip: { listen: "/ip4/127.0.0.1/tcp/0", seed: "0".repeat(64) },
    ...{ operatorKey: { development: 0 }, receiptKey: { development: 1 } },
    vkeys: { trade: "a", ledger: "b" },
    market: { underlying: "ETH", tickSize: 1, lotsPerContract: 100 },
  });
  const args = [NODE, "--role", "sequencer", "--config", config];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 1);
  assert.match(stderr, /`tiny` has 3 oracles; the deployment names `1`/);
});
