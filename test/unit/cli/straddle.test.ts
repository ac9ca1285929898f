// Command lines against a real API server with the fake service behind it.
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { startCommandLine } from "./commandLine.ts";

test("reading commands show tables to people", async (context) => {
  const { run } = await startCommandLine(context);
  const chain = await run("chain");
  assert.equal(chain.code, 0, chain.err);
  assert.match(chain.out, /2026-12-25 08:00 UTC/);
  assert.match(chain.out, /119 .* 120 .* 65.5 % .* 3000 /);
  assert.match(
    (await run("book ETH-20261225-3000-C")).out,
    /book 1, ETH-20261225-3000-C, mark 120\n/,
  );
  assert.match((await run("status")).out, /running/);
  assert.match((await run("status 3")).out, /anchored/);
  const positions = await run("positions --dev-account 0");
  assert.equal(positions.code, 0, positions.err);
  assert.match(positions.out, /ETH-20261225-3000-C .* 1.5 .* 120 .* 180 .* 35.0 % .* 0.780/);
  assert.match(positions.out, /quantity .* average .* floating .* realized .* iv/);
  assert.match(positions.out, / 1.5 .* 10.01 .* 120 .* 180 .* 164.985 .* -2.5 /);
  assert.match(positions.out, /1-B-100-4 .* ETH-20261225-3000-C .* buy .* 0.25 .* 10 /);
  assert.match((await run("key --dev-account 0")).out, /registered {2}yes/);
});

test("what may be withdrawn is bounded by cash and by headroom", async (context) => {
  const { run, service } = await startCommandLine(context);
  const honest = service.account;
  const cases: readonly (readonly [number, number | null, string])[] = [
    [5e6, 3e6, "3"],
    [5e6, 9e6, "5"],
    [-2e6, 9e6, "0"],
    [5e6, -1e6, "0"],
    [5e6, null, "-"],
  ];
  for (const [cash, headroom, shown] of cases) {
    service.account = async (who) => ({ ...(await honest(who))!, cash, headroom });
    const { out, err } = await run("positions --dev-account 0");
    assert.match(out, new RegExp(`may be withdrawn +${shown}\\n`), `${cash} ${headroom}: ${err}`);
  }
});

test("what expires on no such day is told the days of what is shown", async (context) => {
  const { run, service } = await startCommandLine(context);
  const honest = await service.chain();
  const settled = { ...honest.series[0]!, status: "settled", expiry: 1_700_000_000 } as const;
  service.chain = async () => ({ ...honest, series: [...honest.series, settled] });
  const listed = await run("chain --expiry 20300101");
  assert.match(listed.err, /There are: 20261225\n$/);
  const all = await run("chain --all --expiry 20300101");
  assert.match(all.err, /There are: 20261225 20231114T221320\n$/);
});

test("an overloaded node refuses orders, and says no more than that", async (context) => {
  const { run, service } = await startCommandLine(context);
  service.state.status = { ...service.state.status, isOverloaded: true };
  assert.match((await run("status")).out, /state +overloaded: new orders are refused\n/);
});

test("status tells the trading mode, why, since when, and what is tolerated", async (context) => {
  const { run, service } = await startCommandLine(context);
  const open = (await run("status")).out;
  assert.match(open, /trading +open\n/);
  const bounds =
    /tolerances +log 1000 ms \(measured 3 ms\), certification 120000 ms \(measured too/;
  assert.match(open, bounds);
  const since = Date.UTC(2026, 0, 2, 3, 4, 5);
  const pause = { mode: "cancelOnly", reason: "indexJump", detail: "1500", since } as const;
  const { trading } = service.state.status;
  service.state.status = {
    ...service.state.status,
    trading: { ...trading, ...pause, opensAt: since + 10_000, dissenting: 1 },
  };
  const { out } = await run("status");
  assert.match(
    out,
    /trading +cancelOnly since 03:04:05 UTC, opens at 03:04:15 UTC or later: the un/,
  );
  assert.match(
    out,
    /the underlying has jumped \(1500\); cancels are taken; 1 validators contradict\n/,
  );
});

test("--json is JSON and nothing else, for every command, before and after it", async (context) => {
  const { run } = await startCommandLine(context);
  const lines = [
    "--json chain",
    "chain --json",
    "book 1 --json --depth 3",
    "status --json",
    "status 1 --json",
    "key --json --dev-account 0",
    "positions --json --dev-account 0",
    "risk --json --dev-account 0",
    "risk 7 --changes --json",
    "auctions --json",
    "orders --json --dev-account 0",
    "history --json --limit 2 --dev-account 0",
    "book ETH-20261225-3000-C --json",
    "buy ETH-20261225-3000-C 0.5 12.3 --json --dev-account 0",
    "buy ETH-CS-20261225-3000_3200 0.5 60 --dry-run --json --dev-account 0",
    "takeover 9 ETH-20261225-3000-C 0.05 1.5 --json --dev-account 0",
    "cancel 1-B-123-1 --json --dev-account 0",
    "cancel --all --json --dev-account 0",
    "withdraw 1 --no-wait --json --dev-account 0",
  ];
  for (const line of lines) {
    const { code, out, err } = await run(line);
    assert.equal(code, 0, `${line}: ${err}`);
    assert.equal(typeof JSON.parse(out), "object", line);
    assert.equal(err, "", line);
  }
});

test("orders are what the command line says", async (context) => {
  const { run, messages } = await startCommandLine(context);
  const sell = await run("sell ETH-20261225-3000-C 2 -0.3 --dev-account 0 --post-only");
  assert.equal(sell.code, 0, sell.err);
  assert.match(sell.out, /outcome {2}rested: the remainder rests/);
  const killed = await run("buy 1 0.01 5 --tif ioc --reduce-only --dev-account 0 --wait proven");
  assert.equal(killed.code, 3, "sequenced, but nothing was bought");
  assert.match(killed.err, /anchored \.\.\./);
  const [first, second] = messages().map(({ deadline: _, ...message }) => message);
  const flags = { kind: "place", book: 1 };
  const post = { timeInForce: "gtc", postOnly: true, reduceOnly: false };
  assert.deepEqual(first, { ...flags, isSell: true, price: -3, lots: 200, ...post });
  const reduce = { timeInForce: "ioc", postOnly: false, reduceOnly: true };
  assert.deepEqual(second, { ...flags, isSell: false, price: 50, lots: 1, ...reduce });
});

/** Line, exit code, what stderr must match. */
const failures: readonly (readonly [string, number, RegExp])[] = [
  ["", 2, /Usage: straddle/],
  ["nothing", 2, /unknown command 'nothing'/],
  ["buy", 2, /missing required argument 'instrument'/],
  ["buy 1 1 1 1", 2, /too many arguments/],
  ["chain --wrong", 2, /unknown option '--wrong'/],
  ["book 1 --depth 0", 2, /integer from 1 to 100/],
  ["book 1 --key-index 4", 2, /integer from 0 to 3/],
  ["--url ftp://x chain", 2, /--url must be a URL that begins with http:.* Got `ftp:\/\/x`/],
  ["--url http://127.0.0.1:9 chain", 1, /no connection to `ws:\/\/127.0.0.1:9\/ws\/api\/v2`/],
  ["--rollup 0x12 chain", 2, /40 hex digits. Got `0x12`/],
  [`--rollup 0x${"1".repeat(40)} chain`, 2, /the node works for the rollup `0x5fbd.*` *, not for/],
  ["book ETH-1", 2, /expiry must be YYYYMMDD/],
  ["book ETH-20261225-3000-P", 2, /has no open book/],
  ["book 77", 2, /no such open book: `77`/],
  ["book ETH-STRG-20261225-2800_3000", 2, /no instrument .*listed are `ETH-20261225-3000-C`/],
  ["book ETH-CS-20261225-3200_3000", 2, /has no open book/],
  ["book ETH-CUSTOM-20261225-3000-C:2_20261225-3200-C:-2", 2, /has no open book/],
  ["risk x", 2, /`account` must be an account's number. Got `x`/],
  ["history --limit 0 --dev-account 0", 2, /integer from 1 to 1000/],
  ["risk 8", 1, /no such account with a snapshot: `8`/],
  ["takeover 9 ETH-20261225-3000-C 0 1 --dev-account 0", 2, /`quantity` must be above 0/],
  ["takeover 9 ETH-20261225-3000-C 1 -1 --dev-account 0", 2, /`usdc` must be at least 0/],
  ["takeover nine ETH-20261225-3000-C 1 1 --dev-account 0", 2, /Got `nine`/],
  ["chain --expiry 20200101", 2, /no series expires on `20200101`. There are: 20261225/],
  ["buy 1 0 5 --dev-account 0", 2, /`quantity` must be above 0. Got `0`/],
  ["buy 1 0.001 5 --dev-account 0", 2, /`quantity` must be a multiple of 0.01/],
  ["buy 1 1 0.01 --dev-account 0", 2, /multiple of the tick 0.1. Got `0.01`/],
  ["buy 1 1 5 --tif day --dev-account 0", 2, /Allowed choices are gtc, ioc, fok/],
  ["buy 1 1 5 --tif ioc --post-only --dev-account 0", 2, /--post-only` goes with --tif gtc/],
  ["buy 1 1 5 --reduce-only --dev-account 0", 2, /--reduce-only` goes with --tif ioc or fok/],
  ["buy 1 1 5", 2, /no wallet is named: use --keystore FILE/],
  ["buy 1 1 5 --dev-account 1", 2, /`0x7099.*` has no account yet. Open it with `straddle dep/],
  ["cancel --dev-account 0", 2, /one order id, or use --all/],
  ["cancel 1-B-1-1 --all --dev-account 0", 2, /one order id, or use --all/],
  ["cancel 5 --dev-account 0", 2, /book-side-price-seq.*Got `5`/],
  ["status x", 2, /`log-position` must be an integer from 0. Got `x`/],
  ["deposit 0 --dev-account 0", 2, /`amount` must be above 0/],
  ["withdraw --dev-account 0", 2, /name the amount, or use --claim/],
  ["key --register --revoke --dev-account 0", 2, /exclude each other/],
  ["withdraw 1 --dev-account 0", 1, /HTTP request failed/],
];

test("what is wrong is said, with its value, and the exit code is not 0", async (context) => {
  const { run } = await startCommandLine(context);
  for (const [line, code, words] of failures) {
    const ran = await run(line);
    assert.equal(ran.code, code, `\`${line}\`: ${ran.err}`);
    assert.match(ran.err, words, line);
    assert.equal(ran.out, "", line);
  }
});

test("failures are JSON too where JSON is asked for", async (context) => {
  const { run, service } = await startCommandLine(context);
  const missing = await run("risk 8 --json");
  assert.deepEqual(JSON.parse(missing.err).error, {
    message: "no such account with a snapshot: `8`.",
    reason: "not_found",
    code: 13020,
  });
  const data = { needed: 5 };
  const reason = "needs 5 more USDC";
  service.state.before = async () => ({
    accepted: false,
    code: "insufficientMargin",
    reason,
    data,
  });
  const refused = await run("buy 1 1 5 --json --dev-account 0");
  assert.equal(refused.code, 1);
  assert.deepEqual(JSON.parse(refused.err).error, {
    message: reason,
    reason: "not_enough_funds",
    code: 10009,
    next: "`straddle risk` shows what is free; `straddle deposit` adds to it",
  });
  const said = await run("buy 1 1 5 --dev-account 0");
  assert.match(said.err, /^error: needs 5 more USDC \(`straddle risk` shows what is free; .*\)\n$/);
});

test("development wallets stay on local chains", async (context) => {
  const { run, file } = await startCommandLine(context);
  const devnet = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...devnet, chainId: 1 }));
  const ran = await run("key --dev-account 0");
  assert.equal(ran.code, 2);
  assert.match(ran.err, /chain `1`/);
  writeFileSync(file, "{");
  assert.match((await run("chain")).err, /is not JSON/);
  writeFileSync(file, "{}");
  assert.match((await run("chain")).err, /is not of a devnet/);
});

/** Of the private key 07..07, with a derivation that costs little. */
const KEYSTORE = {
  version: 3,
  crypto: {
    cipher: "aes-128-ctr",
    ciphertext: "d80f028d80bdc5f5a3070fda2c31381ad15c7d23c62d9c656bef6e610a0c184f",
    cipherparams: { iv: "02".repeat(16) },
    kdf: "scrypt",
    kdfparams: { n: 1024, r: 8, p: 1, dklen: 32, salt: "01".repeat(32) },
    mac: "43afe212b17d58fd324e850f86ebeb8018e76076113e3853c0d5562b17a9288a",
  },
};

test("a wallet is read with its password from a file or the environment", async (context) => {
  const { run, folder } = await startCommandLine(context);
  writeFileSync(path.join(folder, "wallet.json"), JSON.stringify(KEYSTORE));
  writeFileSync(path.join(folder, "password"), "a password\n");
  const shown = await run("key --json --keystore wallet.json --password-file password");
  assert.equal(shown.code, 0, shown.err);
  assert.equal(JSON.parse(shown.out).wallet, "0x4a62316623ad457F02cDC5D997deD67a383EC569");
  assert.equal(JSON.parse(shown.out).account, null);
  const env = { STRADDLE_PASSWORD: "another", STRADDLE_KEYSTORE: "wallet.json" };
  const wrong = await run("key", env);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /password is wrong/);
  assert.match((await run("key --keystore wallet.json")).err, /needs --password-file FILE/);
});

test("a wallet is made once, encrypted, for its owner's eyes", async (context) => {
  const { run, folder } = await startCommandLine(context);
  const env = { STRADDLE_PASSWORD: "a password" };
  const made = await run("key --new wallet.json --json", env);
  assert.equal(made.code, 0, made.err);
  const { address, file } = JSON.parse(made.out) as { address: string; file: string };
  assert.equal(file, path.join(folder, "wallet.json"));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes(address.slice(2).toLowerCase()));
  assert.match((await run("key --new wallet.json", env)).err, /`.*wallet.json` exists already/);
  assert.equal(readFileSync(file, "utf8"), text, "nothing is overwritten");
});
