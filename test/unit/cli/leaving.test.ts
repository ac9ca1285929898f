// The way out from the command line, as somebody in a hurry goes it: every stage names the next
// step, commands may be repeated, and what is wrong is said.
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { toFunctionSelector } from "viem";
import { exitKeys } from "../../../sequencer/cli/exitKeys.ts";
import { ROLLUP_ABI } from "../../../sequencer/client/rollupAbi.ts";
import { publicKeyOf } from "../../../sequencer/protocol/eddsa.ts";
import { anchor, genesisOf } from "../../contracts/anchoring.ts";
import {
  alice,
  bob,
  chain,
  DEADLINE,
  deposit,
  eve,
  NO_KEY,
  NO_PROOF,
  networkHelpers,
  operator,
  WINDOW,
} from "../../contracts/rollupChain.ts";
import { createMarket, keySecret } from "../../support/market.ts";
import { serveRpc } from "../../support/rpcServer.ts";
import { FIRST, NOWHERE, startOwnerLine } from "./ownerLine.ts";

const AMOUNT = 700_000_000;
const { time } = networkHelpers;

type Line = Awaited<ReturnType<typeof startOwnerLine>>;

/** The wallet's deposit is anchored; `run` reaches layer one only, and expects an exit code. */
async function setUp(context: TestContext) {
  const market = createMarket();
  const key = publicKeyOf(keySecret(FIRST));
  market.operate({
    ...{ kind: "deposit", account: FIRST, owner: BigInt(operator.account.address) },
    ...{ amount: AMOUNT, key, keyIndex: 0, keyExpiry: 2_000_000_000 },
  });
  market.seal();
  const { genesisRoot, oracleSetHash } = genesisOf(market);
  const line = await startOwnerLine(context, { genesisRoot, oracleSetHash });
  const registration = { index: 0, expiry: 2_000_000_000, ...key };
  await deposit(line.it, operator, BigInt(AMOUNT), registration);
  const serve = () => anchorServed(line, market);
  return { ...line, serve, run: expecting(line) };
}

/** The queue has the deposit already. */
async function anchorServed({ it }: Pick<Line, "it">, market: ReturnType<typeof createMarket>) {
  const [batch] = market.sealed;
  await time.increaseTo(Math.ceil(market.time / 1000) + 1);
  await anchor(it, market, { ...batch!, kind: "trade" });
}

function expecting({ run }: Line) {
  return async (text: string, code = 0) => {
    const ran = await run(text, NOWHERE);
    assert.equal(ran.code, code, `${text}: ${ran.err}`);
    return `${ran.err}${ran.out}`;
  };
}

async function freeze({ it }: Pick<Line, "it">): Promise<void> {
  await time.increaseTo(await it.rollup.read.freezableAt());
  await it.rollup.write.freeze({ account: eve.account });
}

test("an owner with only an unserved deposit gets it back, without a proof", async (context) => {
  const line = await setUp(context);
  const { run, it, wallet } = line;
  assert.match(await run("exit --check"), /worth 0 USDC after 0 batches\nbesides, deposits of 700/);
  await freeze(line);
  const { refunds, ...rest } = JSON.parse(await run("exit --json"));
  assert.deepEqual(rest, {
    ...{ account: FIRST, owner: wallet.address, claim: 0, isPaid: false, batches: 0, pending: 0 },
  });
  assert.deepEqual([refunds.length, refunds[0].queueId, refunds[0].amount], [1, 0, AMOUNT]);
  assert.equal(await it.token.read.balanceOf([wallet.address]), BigInt(AMOUNT));
  const again = await run("exit");
  assert.match(again, /^account 3 is worth 0 USDC after 0 batches: nothing to claim$/m);
  assert.doesNotMatch(again, /took back/);
});

test("the same, where batches were anchored without the account", async (context) => {
  const line = await setUp(context);
  await line.serve();
  await deposit(line.it, alice, 33n);
  await freeze(line);
  const own = await line.runPlain(
    `--url ${NOWHERE} --rpc ${line.rpc} --rollup ${line.rollup} --dev-account 1 exit`,
  );
  assert.equal(own.code, 0, own.err);
  assert.match(
    own.out,
    /took back 0\.000033 USDC, the deposit 1, in 0x.*\n.*after 1 batches: noth/,
  );
  assert.equal(await line.it.token.read.balanceOf([alice.account.address]), 33n);
});

test("a run that somebody or something cut in between does the rest", async (context) => {
  const line = await setUp(context);
  const { run, it, wallet } = line;
  await line.serve();
  for (const amount of [5n, 6n]) await deposit(it, operator, amount);
  await freeze(line);
  // Another has claimed, and has taken back one of the two deposits.
  const as = { account: eve.account };
  await it.rollup.write.exit([BigInt(FIRST), wallet.address, BigInt(AMOUNT), NO_PROOF], as);
  await it.rollup.write.refundDeposit([1n], as);
  const done = await run("exit");
  assert.match(done, /took back 0\.000006 USDC, the deposit 2/);
  assert.doesNotMatch(done, /deposit 1\b/);
  assert.match(done, /claimed 700 USDC; it is paid after .* UTC: run `straddle exit` then/);
  await time.increase(WINDOW);
  await it.rollup.write.payExit([BigInt(FIRST)], as);
  assert.match(await run("exit"), /the claim has been paid already/);
  assert.equal(await it.token.read.balanceOf([wallet.address]), BigInt(AMOUNT) + 11n);
});

/** An endpoint behind which somebody acts right after the n-th answer to a call. */
async function rushed(context: TestContext, name: "lastAnchoredAt" | "openOperations", n: number) {
  const abi = ROLLUP_ABI.filter((item) => item.type === "function");
  const selector = toFunctionSelector(abi.find((item) => item.name === name)!);
  const other = { act: async (): Promise<unknown> => undefined };
  let left = n;
  const rpc = await serveRpc(context, {
    async request(call) {
      const answer = await chain.provider.request(call as never);
      const [{ data = "" } = {}] = (call.params ?? []) as [{ data?: string }?];
      if (call.method === "eth_call" && data.startsWith(selector) && --left === 0) {
        await other.act();
      }
      return answer;
    },
  });
  return { rpc, other };
}

test("what others do in the same moment is no failure", async (context) => {
  const line = await setUp(context);
  await line.serve();
  await deposit(line.it, operator, 5n);
  await time.increaseTo(await line.it.rollup.read.freezableAt());
  const { write } = line.it.rollup;
  const as = { account: eve.account };
  const during = async (at: Parameters<typeof rushed>, act: () => Promise<unknown>) => {
    const { rpc, other } = await rushed(...at);
    let acted = 0;
    other.act = async () => {
      await act();
      acted++;
    };
    const where = `--url ${NOWHERE} --rpc ${rpc} --rollup ${line.rollup} --dev-account 0`;
    const { code, out, err } = await line.runPlain(`${where} exit --freeze`);
    assert.deepEqual([code, acted], [0, 1], err);
    return `${err}${out}`;
  };
  const claim = [BigInt(FIRST), line.wallet.address, BigInt(AMOUNT), NO_PROOF] as const;
  const before = await networkHelpers.takeSnapshot();
  const frozen = await during([context, "lastAnchoredAt", 1], () => write.freeze(as));
  assert.match(frozen, /freezing the rollup.*claimed 700 USDC in 0x/s);
  await before.restore();
  await write.freeze(as);
  await during([context, "openOperations", 1], () => write.refundDeposit([1n], as));
  assert.equal(await line.it.token.read.balanceOf([line.wallet.address]), 5n);
  await before.restore();
  await write.freeze(as);
  const claimed = await during([context, "lastAnchoredAt", 2], () => write.exit(claim, as));
  assert.match(claimed, /claiming on layer one.*claimed 700 USDC; it is paid after/s);
  await time.increase(WINDOW);
  const paid = await during([context, "lastAnchoredAt", 2], () => write.payExit([claim[0]], as));
  assert.match(paid, /the claim has been paid already/);
});

test("status by layer one names the next step at every stage", async (context) => {
  const line = await setUp(context);
  const { run } = line;
  const next = async (pattern: RegExp) => {
    const text = await run("status --layer-one");
    assert.match(text.split("next step")[1]!, pattern, text);
    return text;
  };
  assert.match(await next(/wait: if the queue is not served by/), /waiting +deposit 0 of 700 USDC/);
  await line.serve();
  assert.match(
    await next(/`straddle withdraw`; where no node answers/),
    /nothing waits in the queue/,
  );
  await run("force withdraw 7");
  assert.match(await next(/wait: if the queue is not served by/), /withdrawal 1 of 7 USDC/);
  await deposit(line.it, operator, 5n);
  await time.increase(DEADLINE);
  assert.match(await next(/`straddle exit --freeze`/), /overdue since/);
  await line.it.rollup.write.freeze();
  assert.match(await next(/`straddle exit` claims, until/), /frozen since .*, claims until/);
  const claim = [BigInt(FIRST), line.wallet.address, BigInt(AMOUNT), NO_PROOF] as const;
  await line.it.rollup.write.exit(claim);
  await next(/takes back the deposits/);
  await run("exit");
  assert.match(await next(/wait: `straddle exit` pays the claim out from/), /claimed +700 USDC\n/);
  await time.increase(WINDOW);
  await next(/`straddle exit` pays the claim out\n/);
  await run("exit");
  assert.match(await next(/none: the claim has been paid/), /claimed +700 USDC, paid/);
  const json = JSON.parse(await run("status --layer-one --json"));
  assert.equal(json.account.account, FIRST);
  assert.deepEqual(json.account.claimed, { amount: AMOUNT, isPaid: true });
  assert.equal(json.batches, 1);
});

test("status falls back to layer one where no node answers, and says so", async (context) => {
  const { run, runPlain, rpc, rollup } = await setUp(context);
  const text = await run("status", 1);
  assert.match(text, /no connection to .* Layer one says:\n.*\nstate +live/s);
  assert.match(await run("status 3 --layer-one", 2), /leave the position out/);
  const where = `--url ${NOWHERE} --rpc ${rpc} --rollup ${rollup}`;
  const walletless = await runPlain(`${where} status --layer-one`);
  assert.equal(walletless.code, 0, walletless.err);
  assert.doesNotMatch(walletless.out, /account/);
  const unknown = await runPlain(`--url ${NOWHERE} --rpc ${rpc} status`);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /no connection to/);
});

test("an order that waits is not queued again, unless asked for", async (context) => {
  const line = await setUp(context);
  const { run, it } = line;
  await line.serve();
  const waiting = async () => Number((await it.rollup.read.queueEnd()) - 1n);
  const orders = ["force withdraw 7", "force cancel-all", "force close 2 9"];
  for (const [index, text] of orders.entries()) {
    assert.match(await run(text), new RegExp(`queued as ${index + 1} in 0x`));
    const again = JSON.parse(await run(`${text} --json`));
    assert.deepEqual([again.queueId, again.transaction], [index + 1, null]);
    assert.equal(await waiting(), index + 1);
  }
  // Others' orders and other amounts are not the same.
  await deposit(it, bob, 9n);
  await it.rollup.write.forceWithdraw([8_000_000n], { account: bob.account });
  assert.match(await run("force withdraw 8"), /queued as 6/);
  assert.match(await run("force close 2 8"), /queued as 7/);
  assert.match(await run("force withdraw 7"), /waits already, as 1: --again would queue another/);
  assert.match(await run("force withdraw 7 --again"), /queued as 8/);
  await freeze(line);
  assert.match(
    await run("force cancel-all", 2),
    /is frozen since .*: `straddle exit` is the way out/,
  );
});

test("a refused proof, and keys that are nowhere, are explained", async (context) => {
  const line = await setUp(context);
  await line.serve();
  await deposit(line.it, bob, 5n);
  await freeze(line);
  await line.it.verifier.write.setRefuses([true]);
  assert.match(
    await line.run("exit", 2),
    /proving key is not that of the rollup's verifier.*--zkey/,
  );
  await line.it.verifier.write.setRefuses([false]);
  assert.match(await line.run("exit"), /claimed 700 USDC/);
  const session = { io: { folder: tmpdir() } } as never;
  assert.throws(
    () => exitKeys(session, "unheard", {}),
    /neither here nor in.*--wasm.*npm run circ/,
  );
  const { zkey } = exitKeys(session, "tiny", { wasm: "own.wasm" });
  assert.match(zkey, /build.keys.*exit-tiny-.*zkey$/, "found in the repository");
});

test("accounts are named by number, and late claims are paid at once", async (context) => {
  const line = await setUp(context);
  const { run, it } = line;
  await line.serve();
  await deposit(it, bob, 5n);
  assert.match(await run("exit --account 99", 2), /there is no account `99`/);
  assert.match(await run("exit --account x", 2), /there is no account `x`/);
  await freeze(line);
  const end = (await it.rollup.read.frozenAt()) + BigInt(WINDOW);
  await it.token.write.seize([it.vault.address, 100_000_000n]);
  await time.increaseTo(end);
  const where = `--url ${NOWHERE} --rpc ${line.rpc} --rollup ${line.rollup} --dev-account 4`;
  const late = await line.runPlain(`${where} exit --account 3`);
  assert.match(late.out, /paid 600 USDC in 0x.*: what there was for a claim of 700 USDC/, late.err);
  assert.equal(await it.token.read.balanceOf([line.wallet.address]), 600_000_000n);
  assert.equal(await it.token.read.balanceOf([eve.account.address]), 0n);
});

test("what the token does not let through is pending, and that is said", async (context) => {
  const line = await setUp(context);
  const { run, it, wallet } = line;
  await line.serve();
  await it.token.write.mint([wallet.address, 5n]);
  await it.token.write.approve([it.vault.address, 5n]);
  await it.rollup.write.deposit([5n, NO_KEY]);
  await freeze(line);
  await run("exit");
  await it.token.write.setBlocked([wallet.address, true]);
  await time.increase(WINDOW);
  const paid = await run("exit");
  assert.match(
    paid,
    /paid 700 USDC in 0x.*\n700 USDC are pending: `straddle withdraw --claim` pays/,
  );
  assert.match(
    await run("status --layer-one"),
    /next step +`straddle withdraw --claim` pays out 700/,
  );
  await it.token.write.setBlocked([wallet.address, false]);
  assert.match(await run("withdraw --claim"), /700 USDC paid to the wallet/);
});

test("a deployment's file is all that has to be named besides the endpoint", async (context) => {
  const { runPlain, rpc, rollup } = await setUp(context);
  const file = path.join(tmpdir(), `straddle-deployments-${process.pid}.json`);
  context.after(() => rmSync(file, { force: true }));
  const current = { rollup, chainId: 31337, block: 0, instance: "tiny" };
  writeFileSync(file, JSON.stringify({ version: 1, network: "hardhat", chainId: 31337, current }));
  const shown = await runPlain(`--config ${file} --rpc ${rpc} status --layer-one --json`);
  assert.equal(shown.code, 0, shown.err);
  assert.equal(JSON.parse(shown.out).rollup.toLowerCase(), rollup);
  const other = { ...current, chainId: 1 };
  writeFileSync(file, JSON.stringify({ current: other }));
  const wrong = await runPlain(`--config ${file} --rpc ${rpc} status --layer-one`);
  assert.match(wrong.err, /is of chain `31337`, not `1`/);
  rmSync(file);
  const missing = await runPlain(`--config ${file} --rpc ${rpc} status --layer-one`);
  assert.deepEqual([missing.code, /which cannot be read/.test(missing.err)], [2, true]);
});

/** Takes connections and never answers. */
async function startSilence(context: TestContext) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

test("a node that is silent is not waited for", async (context) => {
  const line = await setUp(context);
  const { url, sockets } = await startSilence(context);
  const where = `--url ${url} --rpc ${line.rpc} --rollup ${line.rollup} --dev-account 0`;
  const leave = async (command: string) => {
    const { code, err } = await line.runPlain(`${where} ${command}`);
    assert.equal(code, 0, err);
  };
  await leave("force withdraw 1");
  await leave("exit --check");
  await time.increaseTo(await line.it.rollup.read.freezableAt());
  await leave("status --layer-one");
  await leave("exit --freeze");
  assert.equal(sockets.size, 0);
  const nowhere = await line.runPlain(
    `--rpc ${NOWHERE} --rollup ${line.rollup} --dev-account 0 exit`,
  );
  assert.match(nowhere.err, /HTTP request failed. Is layer one's endpoint \(--rpc\) right, and up/);
});

test("the help of leaving says what happens when", async (context) => {
  const { run } = await setUp(context);
  assert.match(await run("exit --help"), /the window for claims +takes back .*after the window/s);
  assert.match(await run("force --help"), /--again/);
  assert.match(await run("status --help"), /the exit code is 1/);
});
