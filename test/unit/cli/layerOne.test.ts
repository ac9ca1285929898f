// The commands that pay, against the real contracts behind a JSON-RPC port.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import { publicKeyOf } from "../../../sequencer/protocol/eddsa.ts";
import { HEADER } from "../../../sequencer/protocol/layout.ts";
import {
  alice,
  DEADLINE,
  deposit,
  insurance,
  NO_PROOF,
  networkHelpers,
  operator,
  serve,
  WINDOW,
} from "../../contracts/rollupChain.ts";
import { createMarket, keySecret, listMarket, order } from "../../support/market.ts";
import { FIRST, NOWHERE, startOwnerLine } from "./ownerLine.ts";

test("deposit, withdraw and claim, from the command line to the contract", async (context) => {
  const { it, run, service, wallet } = await startOwnerLine(context);
  const status = await service.status();
  service.state.status = { ...status, nextQueueId: 2 ** 40 };
  const deposited = await run("deposit 1000 --mint");
  assert.equal(deposited.code, 0, deposited.err);
  assert.match(deposited.out, /1000 USDC credited to account 3 \(0x/);
  const amount = 1_000_000_000n;
  const mine = { account: FIRST, owner: wallet.address };
  await serve(it, [
    { kind: "deposit", ...mine, amount },
    { kind: "withdraw", ...mine, amount: 250_000_000n },
  ]);
  const withdrawn = await run("withdraw 250");
  assert.equal(withdrawn.code, 0, withdrawn.err);
  assert.match(withdrawn.err, /asking for 250 USDC.*\nanchored in batch 1.*\nclaiming/);
  assert.match(withdrawn.out, /250 USDC paid to the wallet in 0x/);
  const forced = await run("withdraw 10 --forced --json");
  assert.equal(forced.code, 0, forced.err);
  assert.equal(JSON.parse(forced.out).amount, 10_000_000);
  const nothing = await run("withdraw --claim");
  assert.equal(nothing.code, 1);
  assert.match(nothing.err, /nothing is pending on layer one/);
});

test("what layer one refuses is said plainly, by the contract's name for it", async (context) => {
  const { run } = await startOwnerLine(context);
  const poor = await run("deposit 1000000");
  assert.equal(poor.code, 1);
  assert.match(poor.err, /error: the wallet holds `0` of the `1000000000000` \(1e-6 USDC\)/);
  const large = await run("deposit 1200000000 --mint");
  assert.equal(large.code, 1);
  assert.match(large.err, /error: .*reverted.*\(`(VaultCapExceeded|AmountOutOfRange)`\)/);
  const early = await run("withdraw 5 --forced");
  assert.equal(early.code, 1, early.out);
});

test("an owner leaves with what the ledger says, while no node answers", async (context) => {
  const market = createMarket("tiny");
  const genesisRoot = market.executor.root();
  market.openBatch("ledger");
  const { words: probe } = market.seal();
  const oracleSetHash = probe[HEADER.indexOf("oracleSet")];
  const { it, run, wallet } = await startOwnerLine(context, { genesisRoot, oracleSetHash });
  const amount = 700_000_000;
  const key = publicKeyOf(keySecret(1));
  const registration = { index: 0, expiry: 2_000_000_000, x: key.x, y: key.y };
  await deposit(it, operator, BigInt(amount), registration);
  const owner = BigInt(wallet.address);
  const rest = { key, keyIndex: 0, keyExpiry: 2_000_000_000 };
  market.operate({ kind: "deposit", account: FIRST, owner, amount, ...rest });
  const fresh = market.seal();
  await networkHelpers.time.increaseTo(Math.ceil(market.time / 1000) + 1);
  const domain = await it.rollup.read.domain();
  for (const { words } of [market.sealed[0], fresh] as SealedBatch[]) {
    const own = words.with(HEADER.indexOf("domain"), domain);
    await it.rollup.write.submitBatch([own, 1n, NO_PROOF, "0x"]);
  }

  const checked = await run("exit --check --json", NOWHERE);
  assert.equal(checked.code, 0, checked.err);
  assert.deepEqual(JSON.parse(checked.out), {
    account: FIRST,
    batches: 2,
    claim: amount,
    unserved: 0,
  });
  assert.match((await run("exit", NOWHERE)).err, /lives and nothing is overdue/);
  assert.equal((await run("withdraw 10 --forced", NOWHERE)).code, 0);
  await deposit(it, operator, 5n);
  assert.match((await run("exit", NOWHERE)).err, /has until .* to serve its queue/);
  await networkHelpers.time.increase(DEADLINE);
  assert.match((await run("exit", NOWHERE)).err, /`--freeze` ends it, for everybody/);

  const state = `straddle-state-${process.pid}.json`;
  context.after(() => rmSync(path.join(tmpdir(), state), { force: true }));
  const rebuilt = await run(`rebuild --json --out ${state}`, NOWHERE);
  assert.equal(rebuilt.code, 0, rebuilt.err);
  const kept = await run(`exit --check --json --state ${state}`, NOWHERE);
  assert.deepEqual(JSON.parse(kept.out), {
    account: FIRST,
    batches: 2,
    claim: amount,
    unserved: 5,
  });

  const claimed = await run("exit --freeze", NOWHERE);
  assert.equal(claimed.code, 0, claimed.err);
  assert.match(claimed.err, /freezing.*\ntaking back the deposit 2 .*\nrebuilt 2 of 2.*\nproving/);
  assert.match(claimed.err, /proving a claim of 700 USDC/);
  assert.match(claimed.out, /claimed 700 USDC in 0x.*; after .* UTC, run/);
  assert.match((await run("exit", NOWHERE)).out, /it is paid after/);
  await networkHelpers.time.increase(WINDOW);
  assert.match((await run("exit", NOWHERE)).out, /^paid 700 USDC in 0x/);
  assert.match((await run("exit", NOWHERE)).out, /paid already/);
  assert.equal(await it.token.read.balanceOf([wallet.address]), BigInt(amount) + 5n);
});

test("B6: an owner cancels and closes by layer one alone", async (context) => {
  const market = createMarket("tiny");
  const genesisRoot = market.executor.root();
  market.openBatch("ledger");
  const { words: probe } = market.seal();
  const oracleSetHash = probe[HEADER.indexOf("oracleSet")];
  const { it, run } = await startOwnerLine(context, { genesisRoot, oracleSetHash });
  const owners = { 2: insurance, 3: operator, 4: alice } as const;
  const ownerOf = (account: 2 | 3 | 4) => BigInt(owners[account].account.address);
  for (const account of [2, 3, 4] as const) {
    const key = publicKeyOf(keySecret(account));
    const keyExpiry = 2_000_000_000;
    const amount = 900_000_000;
    const registration = { index: 0, expiry: keyExpiry, ...key };
    await deposit(it, owners[account], BigInt(amount), registration);
    const rest = { key, keyIndex: 0, keyExpiry };
    market.operate({ kind: "deposit", account, owner: ownerOf(account), amount, ...rest });
  }
  listMarket(market);
  market.trade(3, order({ book: 0, price: 200, lots: 10, isSell: true }));
  market.trade(4, order({ book: 0, price: 200, lots: 10 }));
  market.trade(3, order({ book: 1, price: 100, lots: 1 }));
  market.seal();
  const later = Math.ceil(market.time / 1000) + 3600;
  const now = await networkHelpers.time.latest();
  if (now < later) await networkHelpers.time.increaseTo(later);
  const domain = await it.rollup.read.domain();
  let anchored = 0;
  const anchor = async () => {
    for (; anchored < market.sealed.length; anchored++) {
      const words = market.sealed[anchored]!.words.with(HEADER.indexOf("domain"), domain);
      await it.rollup.write.submitBatch([words, 1n, NO_PROOF, "0x"]);
    }
  };
  await anchor();

  const json = async (line: string) => {
    const { code, out, err } = await run(`${line} --json`, NOWHERE);
    assert.equal(code, 0, err);
    return JSON.parse(out);
  };
  const { positions } = await json("force close");
  assert.deepEqual(
    positions.map(({ slot, lots }: { slot: number; lots: number }) => [slot, lots]),
    [[0, -10]],
  );
  assert.match((await run("force close", NOWHERE)).out, /strike \(ticks\)/);
  const nothing = await run("force close 1", NOWHERE);
  assert.deepEqual([nothing.code, /held nothing in slot `1`/.test(nothing.err)], [2, true]);
  assert.equal((await json("force cancel-all")).queueId, 3);
  const { slot, lots, queueId } = await json("force close 0");
  assert.deepEqual([slot, lots, queueId], [0, 10, 4]);
  assert.equal((await json("force withdraw 5")).amount, 5_000_000);
  const refused = await run("force close 99 1", NOWHERE);
  assert.match(refused.err, /SlotOutOfRange/);
  const told = await run("force close 0 3", NOWHERE);
  assert.match(told.out, /close of at most 3 lots in slot 0 queued as 6.*\n.*must be served by/);

  // Closes take no marks from before they were ordered.
  market.time = Math.max(market.time, (await networkHelpers.time.latest()) * 1000);
  // What the engine makes of the orders is what the contract has in its queue.
  const mine = { account: 3, owner: ownerOf(3) };
  market.operate({ kind: "forcedCancelAll", ...mine });
  const record = market.operate({ kind: "forcedClose", ...mine, slot: 0, lots: 10 });
  assert.equal(record.outcome, "executed");
  market.operate({ kind: "forcedWithdraw", ...mine, amount: 5_000_000 });
  assert.equal(
    market.operate({ kind: "forcedClose", ...mine, slot: 0, lots: 3 }).outcome,
    "refused",
  );
  market.seal();
  await anchor();
  assert.equal(await it.rollup.read.queueStart(), await it.rollup.read.queueEnd());
  assert.deepEqual(market.state.openOrdersOf(3), []);
  assert.deepEqual((await json("force close")).positions, []);
  const claimed = await json("withdraw --claim");
  assert.equal(claimed.amount, 5_000_000);
});

test("the help of forced operations says what they cost and need", async (context) => {
  const { run } = await startOwnerLine(context);
  assert.match((await run("force --help", NOWHERE)).out, /Needs layer one only[\s\S]*premium/);
  assert.match((await run("force close --help", NOWHERE)).out, /short-option minimum/);
  for (const line of ["force withdraw 0", "force close x", "force close 0 0", "force withdraw"]) {
    assert.notEqual((await run(line, NOWHERE)).code, 0, line);
  }
});
