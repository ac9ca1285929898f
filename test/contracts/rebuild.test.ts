// A1 and A2: the whole ledger from layer one with an empty disk, over random batches of every
// kind on the real contract; no byte of a batch's data can be changed or left out unnoticed.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { before, type TestContext, test } from "node:test";
import { createPublicClient, encodeFunctionData, type Hex, http } from "viem";
import { ledgerProofOf } from "../../sequencer/batch/ledgerProofs.ts";
import { createRestoredLedger } from "../../sequencer/batch/restore.ts";
import { anchoredBatches, BatchDataError } from "../../sequencer/cli/anchoredBatches.ts";
import { main } from "../../sequencer/cli/straddle.ts";
import {
  anchoredRoot,
  ledgerProofFaults,
  NotAnchoredError,
} from "../../sequencer/client/ledgerProof.ts";
import { ROLLUP_ABI } from "../../sequencer/client/rollupAbi.ts";
import { readLedgerFile } from "../../sequencer/node/ledgerFile.ts";
import type { LedgerProof } from "../../sequencer/protocol/ledgerProof.ts";
import { Coverage } from "../agreement/coverage.ts";
import {
  createDistressRun,
  DISTRESS_KINDS,
  type DistressRun,
  operate,
  reachedBy,
  runDistress,
  TRADERS,
  WEAK,
  wait,
} from "../support/distress.ts";
import { createMarket, EXPIRY, FAR, FEES, type Market, ownerOf } from "../support/market.ts";
import { type Liar, serveRpc, TooManyRequests } from "../support/rpcServer.ts";
import { startFixture } from "../unit/api/apiFixture.ts";
import { createFakeService, type FakeService, INFO } from "../unit/api/fakeService.ts";
import { anchor, genesisOf, ownWords } from "./anchoring.ts";
import {
  acceptOnly,
  chain,
  deployRollup,
  NO_PROOF,
  networkHelpers,
  publicClient,
  publicSignals,
  type World,
} from "./rollupChain.ts";

const BATCHES_MIN = 200;
const HIGHEST_ACCOUNT = 8;
const coverage = new Coverage();

/** A linear congruential generator: the same sequence on every machine. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** Distress in every variant, and what it lacks: payments and transfers of healthy accounts. */
function randomMarket(seed: number): Market {
  const random = createRandom(seed);
  const market = createMarket();
  // Layer one gives accounts out in order.
  for (let id = 1; id <= HIGHEST_ACCOUNT; id++) market.deposit(id, id);
  const run = createDistressRun((record) => {
    for (const name of reachedBy(record)) coverage.reach(name);
  }, market);
  while (market.sealed.length < BATCHES_MIN - 10) {
    const kind = DISTRESS_KINDS[random(DISTRESS_KINDS.length)]!;
    runDistress(run, { kind, a: random(0x10000), b: random(0x10000) });
    if (random(2) === 0) pay(run, random);
    wait(market, 1 + random(30));
  }
  expire(run);
  while (market.sealed.length < BATCHES_MIN + 5) {
    pay(run, random);
    wait(market, 1);
  }
  return market;
}

function pay(run: DistressRun, random: (below: number) => number): void {
  const healthy = TRADERS.filter((id) => id !== WEAK);
  const from = healthy[random(healthy.length)]!;
  const to = healthy[random(healthy.length)]!;
  const amount = 1 + random(100_000);
  const { market, seen } = run;
  if (random(3) === 0) {
    operate(run, { kind: "forcedWithdraw", account: from, owner: ownerOf(from), amount });
  } else if (random(2) === 0) {
    seen(market.payment(from, { kind: "withdraw", amount, deadline: FAR }));
  } else {
    seen(market.payment(from, { kind: "transfer", to, amount, deadline: FAR }));
  }
}

/** All series expire, everybody who holds them is paid, and new ones are listed. */
function expire(run: DistressRun): void {
  const { market } = run;
  wait(market, 0);
  market.time = EXPIRY * 1000;
  market.slots = market.slots.map((risk, slot) => (slot < 4 ? { ...risk, isFinal: true } : risk));
  for (let slot = 0; slot < 4; slot++) {
    operate(run, { kind: "settleSeries", slot });
    for (const account of market.state.accountIds()) {
      if (market.state.account(account).positions[slot] === 0) continue;
      operate(run, { kind: "settlePosition", account, slot });
    }
    const terms = { isCall: slot % 2 === 0, strike: 30_000, expiry: 2 * EXPIRY };
    operate(run, { kind: "listSeries", slot, ...terms });
    const weights = market.slots.map((_, at) => (at === slot ? 1 : 0));
    operate(run, { kind: "openBook", book: slot, weights, fees: FEES });
  }
}

let market: Market;
let world: World;
let fromBlock: bigint;
const folder = mkdtempSync(path.join(tmpdir(), "straddle-rebuild-"));

before(async () => {
  market = randomMarket(20_261_121);
  world = await deployRollup(genesisOf(market));
  fromBlock = await publicClient.getBlockNumber();
  for (const batch of market.sealed) await anchor(world, market, batch);
});

async function rebuild(context: TestContext, line: string, lie?: Liar) {
  const rpc = await serveRpc(context, chain.provider, lie);
  let [out, err] = ["", ""];
  const where = `--rpc ${rpc} --rollup ${world.rollup.address} --from-block ${fromBlock}`;
  const code = await main(`${where} rebuild ${line}`.trim().split(" "), {
    stdout: (text) => {
      out += text;
    },
    stderr: (text) => {
      err += text;
    },
    env: {},
    folder,
    proveExit: async () => [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n] as const,
  });
  return { code, out, err };
}

/** No batch is open. */
function provenNow(account: number): LedgerProof {
  const { executor, state, trees } = market;
  const number = executor.nextNumber() - 1;
  const { path } = trees.accounts;
  const ended = { number, account: state.account, roots: () => trees.roots(state), path };
  return ledgerProofOf(ended, account)!;
}

test("a ledger proof holds against the contract's root, and no other", async (context) => {
  const rpc = await serveRpc(context, chain.provider);
  const client = createPublicClient({ transport: http(rpc) });
  const where = { client, rollup: world.rollup.address, fromBlock };
  const { shape } = market.state;
  for (const account of [3, 4, HIGHEST_ACCOUNT]) {
    const proof = provenNow(account);
    assert.equal(proof.owner, ownerOf(account));
    const root = await anchoredRoot(where, proof.number);
    assert.equal(root, await world.rollup.read.stateRoot());
    assert.deepEqual(ledgerProofFaults(proof, { root, shape }), []);
    const before = await anchoredRoot(where, proof.number - 1);
    assert.notDeepEqual(ledgerProofFaults(proof, { root: before, shape }), []);
    const richer = { ...proof, cash: proof.cash + 1 };
    assert.notDeepEqual(ledgerProofFaults(richer, { root, shape }), []);
  }
  const { number } = market.sealed.at(-1)!;
  await assert.rejects(anchoredRoot(where, number + 1), (error) => {
    return error instanceof NotAnchoredError && /not yet batch/.test(error.message);
  });
  const later = { ...where, fromBlock: (await publicClient.getBlockNumber()) + 1n };
  await assert.rejects(anchoredRoot(later, number), /tells no batch/);
});

test("`straddle proof --layer-one` compares with the contract's root", async (context) => {
  const rpc = await serveRpc(context, chain.provider);
  const service: { -readonly [K in keyof FakeService]: FakeService[K] } = createFakeService();
  const { server } = await startFixture(context, { service });
  const last = market.sealed.at(-1)!;
  const { rollup } = world;
  service.info = async () => ({ ...INFO, rollup: rollup.address });
  const status = await service.status();
  service.status = async () => ({ ...status, anchored: last.number });
  const answered = (change: object) => async (account: number) => {
    const proof = provenNow(account);
    return { ...proof, stage: "anchored", transaction: null, ...change } as const;
  };
  const prove = async (): Promise<string> => {
    let out = "";
    const line = `--url ${server.url} --rpc ${rpc} --rollup ${rollup.address}`;
    const code = await main(
      `${line} --from-block ${fromBlock} proof --account 3 --layer-one`.split(" "),
      {
        stdout: (text) => {
          out += text;
        },
        ...{ stderr: () => undefined, env: {}, folder },
      },
    );
    return `${code} ${out}`;
  };
  service.ledgerProof = answered({});
  assert.match(await prove(), /^0 [\s\S]*the rollup's root +holds/);
  service.ledgerProof = answered({ cash: 1 });
  assert.match(await prove(), /^3 [\s\S]*does not hold[\s\S]*do not lead to the root/);
});

test("A1 the ledger rebuilt from layer one has the root of every batch", async (context) => {
  coverage.assertComplete([
    ...["deposit executed", "forcedWithdraw executed", "withdraw executed", "transfer executed"],
    ...["forcedClose executed", "forcedClose refused", "forcedCancelAll executed"],
    ...["backstop executed", "insure executed", "deleverage executed", "absorb executed"],
    ...["collectFees executed", "settleSeries executed", "settlePosition executed"],
  ]);
  const fills = market.sealed.filter(({ kind }) => kind === "trade").length;
  assert.ok(market.sealed.length >= BATCHES_MIN && fills > 20, `${fills} trade batches`);

  const ledger = createRestoredLedger(market.sizes.trade);
  const client = createPublicClient({ transport: http(await serveRpc(context, chain.provider)) });
  const toBlock = await publicClient.getBlockNumber();
  const rollup = world.rollup.address;
  let equal = 0;
  for await (const { words, number, root } of anchoredBatches({
    ...{ client, rollup, fromBlock, toBlock },
  })) {
    ledger.apply(words);
    assert.equal(ledger.root(), market.sealed[number - 1]!.rootAfter);
    assert.equal(root, ledger.root());
    equal++;
  }
  assert.equal(equal, market.sealed.length);
  const { state } = market;
  for (const id of state.accountIds()) assert.deepEqual(ledger.account(id), state.account(id));
  assert.deepEqual(ledger.series(), state.series());
  assert.equal(ledger.fees(), state.fees());
  context.diagnostic(`A1: ${equal} of ${market.sealed.length} batches with the same root`);
});

test("the command shows progress, a summary, writes a ledger and proves exits", async (context) => {
  const shown = await rebuild(context, "--out state.json");
  assert.equal(shown.code, 0, shown.err);
  const count = market.sealed.length;
  assert.match(shown.err, /rebuilt 100 of \d+ batches .*\nrebuilt 200 of/s);
  assert.match(shown.err, /wrote state\.json/);
  assert.match(shown.out, new RegExp(`batches +${count}, each with its root`));
  assert.match(shown.out, /sum of claims/);
  const { code, out, err } = await rebuild(context, "--json --prove 6");
  assert.equal(code, 0, err);
  const result = JSON.parse(out);
  assert.equal(result.root, `${await world.rollup.read.stateRoot()}`);
  assert.equal(result.batches, count);
  assert.equal(result.accounts.length, HIGHEST_ACCOUNT);
  const six = result.accounts.find((item: { account: number }) => item.account === 6);
  assert.equal(six.cash, market.state.account(6).cash);
  assert.equal(result.exit.claim, `${six.claim}`);
  assert.equal(result.exit.stateRoot, result.root);
  assert.deepEqual(result.exit.proof, ["1", "2", "3", "4", "5", "6", "7", "8"]);
});

test("a ledger file is believed only where it hashes to the anchored root", async () => {
  const file = path.join(folder, "state.json");
  const root = await world.rollup.read.stateRoot();
  const expected = { rollup: world.rollup.address, root };
  const { ledger } = readLedgerFile(file, expected);
  const exits = market.state.accountIds().map((id) => ledger.claim(id));
  assert.ok(exits.every(({ stateRoot }) => stateRoot === root));
  const text = readFileSync(file, "utf8");
  const lies: [string | RegExp, string][] = [
    [/"cash": (\d+)/, '"cash": 1$1'],
    [/"mark": (\d+)/, '"mark": 1$1'],
    [/"privateRoot": "(\d+)"/, '"privateRoot": "1"'],
    [/"owner": "0x/, '"owner": "0x1'],
    ['"version": 1', '"version": 2'],
  ];
  const changed = path.join(folder, "changed.json");
  for (const [from, to] of lies) {
    const lie = text.replace(from, to);
    assert.notEqual(lie, text, `${from}`);
    writeFileSync(changed, lie);
    assert.throws(() => readLedgerFile(changed, expected), { name: "LedgerFileError" });
  }
  assert.throws(() => readLedgerFile(file, { ...expected, root: 1n }), /rebuild it/);
});

/** Every byte changed by one bit, every byte left out. */
function* damaged(data: Hex, from: number, to: number): Generator<Hex> {
  for (let at = from; at < to; at++) {
    const [head, byte, tail] = [2 + 2 * at, data.slice(2 + 2 * at, 4 + 2 * at), 4 + 2 * at];
    const flipped = (Number.parseInt(byte, 16) ^ (1 << (at % 8))).toString(16).padStart(2, "0");
    yield `${data.slice(0, head)}${flipped}${data.slice(tail)}` as Hex;
    yield `${data.slice(0, head)}${data.slice(tail)}` as Hex;
  }
}

/**
 * Selector, where the words begin, and commitment; eight words of proof and where the certificate
 * begins; then the words, and the length of a certificate that is empty.
 */
const PROOF_AT = 4 + 2 * 32;
const CERTIFICATE_WORD = 32;
const WORDS_AT = PROOF_AT + 8 * 32 + CERTIFICATE_WORD;

test("A2 readers refuse every flipped and every dropped byte of a batch", async (context) => {
  let answer: Hex = "0x";
  const lie: Liar = (method, result) =>
    method === "eth_getTransactionByHash" && answer !== "0x"
      ? { ...(result as object), input: answer }
      : result;
  const client = createPublicClient({
    transport: http(await serveRpc(context, chain.provider, lie), { retryCount: 0 }),
  });
  const rollup = world.rollup.address;
  const events = await publicClient.getContractEvents({
    ...{ address: rollup, abi: ROLLUP_ABI, eventName: "BatchAnchored", fromBlock, strict: true },
  });
  const { transactionHash, blockNumber } = events[0]!;
  const { input } = await publicClient.getTransaction({ hash: transactionHash });
  const range = { client, rollup, fromBlock, toBlock: blockNumber };
  const read = async () => (await anchoredBatches(range).next()).value;
  assert.ok(await read(), "what is whole is read");
  const size = input.length / 2 - 1 - CERTIFICATE_WORD;
  let refused = 0;
  for (const [from, to] of [[0, PROOF_AT] as const, [WORDS_AT, size] as const]) {
    for (answer of damaged(input, from, to)) {
      await assert.rejects(read(), BatchDataError);
      refused++;
    }
  }
  assert.equal(refused, 2 * (size - (WORDS_AT - PROOF_AT)));
  context.diagnostic(`A2: ${refused} damaged answers, all refused`);
});

test("A2 the contract refuses every flipped and every dropped byte of a batch", async (context) => {
  const fresh = createMarket();
  fresh.openBatch("ledger");
  const batch = fresh.seal();
  const own = await deployRollup(genesisOf(fresh));
  const words = await ownWords(own, batch);
  await networkHelpers.time.increaseTo(Math.ceil(fresh.time / 1000) + 3 * 86_400);
  // A verifier holds proofs for one statement only, as a real one does for a given proof.
  await acceptOnly(own, publicSignals(words, batch.commitment).signals);
  const args = [words, batch.commitment, NO_PROOF, "0x"] as const;
  const data = encodeFunctionData({ abi: ROLLUP_ABI, functionName: "submitBatch", args });
  const [from] = (await chain.viem.getWalletClients()).map(({ account }) => account.address);
  const submit = (input: Hex) =>
    chain.provider.request({
      method: "eth_call",
      params: [{ from, to: own.rollup.address, data: input }, "latest"],
    });
  await submit(data);
  let refused = 0;
  const size = data.length / 2 - 1 - CERTIFICATE_WORD;
  for (const [start, end] of [[0, PROOF_AT] as const, [WORDS_AT, size] as const]) {
    for (const input of damaged(data, start, end)) {
      await assert.rejects(submit(input), `accepted ${input}`);
      refused++;
    }
  }
  context.diagnostic(`A2: ${refused} damaged submissions, all refused`);
});

test("history that is cut short, or contradicted, is refused by name", async (context) => {
  const late = await rebuild(context, "", (method, result) =>
    method === "eth_getLogs" ? (result as unknown[]).slice(1) : result,
  );
  assert.equal(late.code, 1);
  assert.match(late.err, /batch `1` must come next. The provider has `2`/);
  const short = await rebuild(context, "", (method, result) =>
    method === "eth_getLogs" ? (result as unknown[]).slice(0, -1) : result,
  );
  assert.match(short.err, /found `\d+` of \d+ batches since block/);
});

test("A3 a provider that is busy for a while will do", async (context) => {
  let busy = 6;
  const tired = await rebuild(context, "--json", (method, result) => {
    if (method === "eth_getLogs" && busy-- > 0) throw new TooManyRequests();
    return result;
  });
  assert.equal(tired.code, 0, tired.err);
  assert.equal(JSON.parse(tired.out).batches, market.sealed.length);
  assert.ok(busy < 0);
});

test.after(() => rmSync(folder, { recursive: true, force: true }));
