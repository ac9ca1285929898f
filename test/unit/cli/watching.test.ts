// What is shown again and again, what is checked offline, and what every command says of itself.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { csvLine } from "../../../sequencer/cli/history.ts";
import { DOMAIN, INFO, ROLLUP, SEQUENCER } from "../api/fakeService.ts";
import { batchFile } from "../client/batchFile.ts";
import { startCommandLine } from "./commandLine.ts";

const DEPLOYMENT = { chainId: INFO.chainId, rollup: ROLLUP } as const;
const CALL = "ETH-20261225-3000-C";

type Line = Awaited<ReturnType<typeof startCommandLine>>;

/** Runs until `count` frames have come; `between` is called after the first. */
async function frames({ run }: Line, line: string, count: number, between: () => void) {
  const stopping = new AbortController();
  let seen = 0;
  const onOut = (out: string): void => {
    const now = out.trimEnd().split("\n").length;
    if (seen === 0 && now >= 1) setTimeout(between, 50);
    seen = now;
    if (seen >= count) stopping.abort();
  };
  const late = setTimeout(() => stopping.abort(), 20_000);
  const ran = await run(`${line} --watch --json`, {}, { stopping: stopping.signal, onOut });
  clearTimeout(late);
  assert.equal(ran.code, 0, ran.err);
  return ran.out
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text) as Record<string, unknown>);
}

test("a book is shown again with each change, until it is interrupted", async (context) => {
  const line = await startCommandLine(context);
  const shown = await frames(line, `book ${CALL}`, 2, () => line.service.change(7));
  assert.equal(shown.length, 2);
  assert.deepEqual(
    shown.map(({ bids }) => bids),
    [[], [[10, 0.07]]],
  );
});

test("orders, positions and the chain are watched too", async (context) => {
  const line = await startCommandLine(context);
  const { service, clock } = line;
  const change = () => {
    const { account } = service.state.key;
    service.publish({
      type: "order",
      update: {
        ...{ orderId: "1-B-100-4", account, book: 1, isSell: false, price: 100, seq: 4, lots: 20 },
        ...{ state: "open", reason: null, time: clock.time, batchNumber: 1 },
        fill: { tradeId: 1, price: 100, lots: 5, isTaker: false, fee: 0 },
      },
    });
  };
  assert.equal((await frames(line, "orders --dev-account 0", 2, change)).length, 2);
  assert.equal((await frames(line, "positions --dev-account 0", 2, change)).length, 2);
  const honest = service.chain;
  const renew = () => {
    clock.time += 1000;
    service.chain = async () => ({ ...(await honest()), snapshotTime: clock.time });
  };
  const chain = await frames(line, "chain", 2, renew);
  assert.equal(chain.length, 2);
  assert.notEqual(chain[0]!.snapshotTime, chain[1]!.snapshotTime);
});

test("receipts and batches are checked by the file alone", async (context) => {
  const { run, folder } = await startCommandLine(context);
  const bought = await run(`buy ${CALL} 0.5 12.3 --json --dev-account 0 --receipts kept.jsonl`);
  const file = (name: string) => path.join(folder, name);
  writeFileSync(file("receipt.json"), bought.out);
  const offline = `--url http://127.0.0.1:9 verify`;
  const unknown = await run(`${offline} receipt.json --signers ${SEQUENCER}`);
  assert.equal(unknown.code, 3, "the fixture's domain is not that of its rollup");
  const own = `${offline} --domain ${DOMAIN}`;
  const good = await run(`${own} receipt.json --signers ${SEQUENCER}`);
  assert.deepEqual([good.code, good.err], [0, ""]);
  assert.match(good.out, /receipt of log position 0 +holds/);
  assert.match((await run(`${own} kept.jsonl`)).out, new RegExp(`signed by +${SEQUENCER}`, "i"));
  const other = await run(`${own} receipt.json --signers 0x${"1".repeat(40)}`);
  assert.equal(other.code, 3);
  assert.match(other.out, /its signer is none of --signers/);
  const batch = await batchFile(DEPLOYMENT);
  writeFileSync(file("batch.json"), JSON.stringify({ jsonrpc: "2.0", result: batch }));
  const validators = batch.certificate.map(({ validator }) => validator);
  const held = await run(`${offline} batch.json --validators ${validators.join(",")}`);
  assert.deepEqual([held.code, held.err], [0, ""]);
  const strangers = [2, 3, 4].map((digit) => `0x${`${digit}`.repeat(40)}`);
  const few = [validators[0], ...strangers].join(",");
  const short = await run(`${offline} batch.json --json --validators ${few}`);
  assert.equal(short.code, 3);
  assert.match(JSON.parse(short.out).verdicts[0].faults[0], /`1` of `4` validators/);
  const altered = { ...batch, words: batch.words.with(-1, "0x9") };
  writeFileSync(file("batch.json"), JSON.stringify(altered));
  assert.equal((await run(`${offline} batch.json`)).code, 3);
});

test("what is no such file is said to be none", async (context) => {
  const { run, folder } = await startCommandLine(context);
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /neither JSON nor JSON lines/],
    ["{", /neither JSON nor JSON lines/],
    ["[]", /neither a receipt, a batch nor a ledger proof/],
    ["{}", /neither a receipt, a batch nor a ledger proof/],
    ['{"result":null}', /neither a receipt, a batch nor a ledger proof/],
    [`{"logPosition":-1}`, /neither a receipt, a batch nor a ledger proof/],
  ];
  for (const [text, words] of cases) {
    writeFileSync(path.join(folder, "file"), text);
    const { code, err } = await run("verify file");
    assert.equal(code, 2, text);
    assert.match(err, words, text);
  }
  assert.match((await run("verify nowhere")).err, /`.*nowhere` cannot be read/);
  assert.match((await run("batch 0")).err, /integer from 1. Got `0`/);
  const missing = await run("batch 5");
  assert.deepEqual([missing.code, missing.err.includes("batch 5")], [1, true]);
});

test("a spreadsheet computes nothing of what a history says", () => {
  assert.equal(csvLine(["=1+1", "a,b", 'c"d', null, -5]), `'=1+1,"a,b","c""d",,-5`);
});

test("every command has help", async (context) => {
  const { run } = await startCommandLine(context);
  const { out } = await run("--help");
  const listed = out.slice(out.indexOf("Commands:"));
  const names = [...listed.matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name!);
  for (const wanted of ["book", "orders", "positions", "chain", "verify", "batch", "history"]) {
    assert.ok(names.includes(wanted), wanted);
  }
  for (const name of names.filter((each) => each !== "help")) {
    const help = await run(`${name} --help`);
    assert.equal(help.code, 0, name);
    assert.match(help.out, new RegExp(`^Usage: straddle ${name}`), name);
  }
});
