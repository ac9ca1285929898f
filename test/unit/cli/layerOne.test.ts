// The commands that pay, against the real contracts behind a JSON-RPC port.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { type TestContext, test } from "node:test";
import type { SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import { main } from "../../../sequencer/cli/straddle.ts";
import { deriveTradingKey } from "../../../sequencer/client/tradingKey.ts";
import { developmentAccount } from "../../../sequencer/l1/developmentAccount.ts";
import { publicKeyOf } from "../../../sequencer/protocol/eddsa.ts";
import { HEADER } from "../../../sequencer/protocol/layout.ts";
import {
  chain,
  DEADLINE,
  deployRollup,
  deposit,
  NO_PROOF,
  networkHelpers,
  operator,
  serve,
  WINDOW,
} from "../../contracts/rollupChain.ts";
import { createMarket, keySecret } from "../../support/market.ts";
import { startFixture } from "../api/apiFixture.ts";
import { createFakeService, INFO } from "../api/fakeService.ts";

/** Layer one opens 1 and 2 for the venue. */
const FIRST = 3;

/** Hardhat's simulated chain as a port. */
async function startRpc(context: TestContext): Promise<string> {
  const server = createServer(async (request, response) => {
    const body = await new Response(request as never).json();
    const { id, method, params } = body as { id: number; method: string; params: unknown[] };
    const answer = await chain.provider.request({ method, params }).then(
      (result) => ({ result }),
      (error: { code: number; message: string; data: unknown }) => ({
        error: { code: error.code, message: error.message, data: error.data },
      }),
    );
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function setUp(context: TestContext, config: Record<string, unknown> = {}) {
  const it = await deployRollup(config);
  const rollup = it.rollup.address.toLowerCase() as `0x${string}`;
  const wallet = developmentAccount(0, 31337);
  const scope = { chainId: 31337, rollup, keyIndex: 0 };
  const { secret } = await deriveTradingKey(wallet, scope);
  const service = createFakeService(secret);
  service.info = async () => ({ ...INFO, rollup });
  const { server, clock } = await startFixture(context, { service });
  clock.time = Date.now();
  const rpc = await startRpc(context);
  const run = async (line: string, url = server.url) => {
    let [out, err] = ["", ""];
    const where = `--url ${url} --rpc ${rpc} --rollup ${rollup} --dev-account 0`;
    const code = await main(`${where} ${line}`.split(" "), {
      stdout: (text) => {
        out += text;
      },
      stderr: (text) => {
        err += text;
      },
      env: {},
      folder: tmpdir(),
      proveExit: async () => [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n] as const,
    });
    return { code, out, err };
  };
  return { it, run, service, wallet };
}

test("deposit, withdraw and claim, from the command line to the contract", async (context) => {
  const { it, run, service, wallet } = await setUp(context);
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
  const { run } = await setUp(context);
  const poor = await run("deposit 1000000");
  assert.equal(poor.code, 1);
  assert.match(poor.err, /error: the wallet holds `0` of the `1000000000000` \(1e-6 USDC\)/);
  const large = await run("deposit 1200000000 --mint");
  assert.equal(large.code, 1);
  assert.match(large.err, /error: .*reverted.*\(`(VaultCapExceeded|AmountOutOfRange)`\)/);
  const early = await run("withdraw 5 --forced");
  assert.equal(early.code, 1, early.out);
});

const NOWHERE = "http://127.0.0.1:9";

test("an owner leaves with what the ledger says, while no node answers", async (context) => {
  const market = createMarket("tiny");
  const genesisRoot = market.executor.root();
  market.openBatch("ledger");
  const { words: probe } = market.seal();
  const oracleSetHash = probe[HEADER.indexOf("oracleSet")];
  const { it, run, wallet } = await setUp(context, { genesisRoot, oracleSetHash });
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
    await it.rollup.write.submitBatch([own, 1n, NO_PROOF]);
  }

  const checked = await run("exit --check --json", NOWHERE);
  assert.equal(checked.code, 0, checked.err);
  assert.deepEqual(JSON.parse(checked.out), { account: FIRST, batches: 2, claim: amount });
  assert.match((await run("exit", NOWHERE)).err, /lives and nothing is overdue/);
  assert.equal((await run("withdraw 10 --forced", NOWHERE)).code, 0);
  await deposit(it, operator, 5n);
  assert.match((await run("exit", NOWHERE)).err, /has until .* to serve its queue/);
  await networkHelpers.time.increase(DEADLINE);
  assert.match((await run("exit", NOWHERE)).err, /`--freeze` ends it, for everybody/);

  const claimed = await run("exit --freeze", NOWHERE);
  assert.equal(claimed.code, 0, claimed.err);
  assert.match(claimed.err, /freezing.*\nrebuilt 2 of 2.*\nproving a claim of 700 USDC/);
  assert.match(claimed.err, /taking back the deposit \d+/);
  assert.match(claimed.out, /claimed 700 USDC in 0x.*; after .* UTC, run/);
  assert.match((await run("exit", NOWHERE)).out, /it is paid after/);
  await networkHelpers.time.increase(WINDOW);
  assert.match((await run("exit", NOWHERE)).out, /^paid, or its share/);
  assert.match((await run("exit", NOWHERE)).out, /paid already/);
  assert.equal(await it.token.read.balanceOf([wallet.address]), BigInt(amount) + 5n);
});
