// `straddle rfq` from the request to the package, on two command lines, against the real sequencer
// behind its API; then what both have to show for it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { main } from "../../../sequencer/cli/straddle.ts";
import { type PackageTrader, tradePackages } from "../../../sequencer/client/packages.ts";
import { deriveTradingKey } from "../../../sequencer/client/tradingKey.ts";
import { developmentAccount } from "../../../sequencer/l1/developmentAccount.ts";
import { INFO, ROLLUP } from "../api/fakeService.ts";
import { startVenue } from "../client/liveSequencer.ts";
import { createTrader, createWorld, type TestTrader } from "../roles/market.ts";

const USDC = 1_000_000;
const CALL = "ETH-20270116-2000-C";
const PUT = "ETH-20270116-2000-P";
const TAKER = 0;
const MAKER = 1;

/** Accounts of two development wallets at a venue whose clock is the command lines' too. */
async function startLines(context: TestContext) {
  // The roles' market names no contract, and trading keys are of one.
  const plain = await (await createWorld()).sequencer.service.info();
  const world = await createWorld({
    packages: { graceMs: 0 },
    info: { ...plain, chainId: INFO.chainId, rollup: ROLLUP },
  });
  const { chainId, rollup } = await world.sequencer.service.info();
  const identities: TestTrader[] = [];
  for (const [index, account] of [3, 4].entries()) {
    const wallet = developmentAccount(index, chainId);
    const { secret } = await deriveTradingKey(wallet, { chainId, rollup, keyIndex: 0 });
    const identity = { ...createTrader(account), owner: BigInt(wallet.address), secret };
    world.open(identity, 1000 * USDC);
    identities.push(identity);
  }
  for (let count = 0; count < 5; count++) await world.step(400);
  await world.step(10_000);
  await world.prove();
  context.mock.timers.enable({ apis: ["Date"], now: world.clock.now() });
  const following = setInterval(() => context.mock.timers.setTime(world.clock.now()), 10);
  context.after(() => clearInterval(following));
  const venue = await startVenue(context, world);
  const proving = setInterval(() => void world.prove(), 100);
  context.after(() => clearInterval(proving));
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-rfq-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const line = (wallet: number) => async (text: string) => {
    let [out, err] = ["", ""];
    const io = {
      ...{ env: {}, folder },
      stdout: (part: string) => {
        out += part;
      },
      stderr: (part: string) => {
        err += part;
      },
    };
    const code = await main(
      ["--url", venue.server.url, "--dev-account", `${wallet}`].concat(text.split(" ")),
      io,
    );
    return { code, out, err };
  };
  const done = (wallet: number) => {
    const run = line(wallet);
    return async (text: string) => {
      const { code, out, err } = await run(text);
      assert.equal(code, 0, `${text}: ${err}`);
      return out;
    };
  };
  /** Programs of the same two. */
  const programs = async () => Promise.all(identities.map((identity) => venue.trader(identity)));
  return { world, programs, taker: done(TAKER), maker: done(MAKER), refused: line(TAKER) };
}

interface Request {
  readonly block_rfq_id: number;
  readonly state: string;
}

test("a request is made, quoted and accepted, and both sides have the package", async (context) => {
  const { taker, maker, refused } = await startLines(context);
  const legs = `${CALL}:0.2 ${PUT}:-0.2`;
  const made = JSON.parse(await taker(`--json rfq create ${legs} --label mine`)) as Request;
  const id = made.block_rfq_id;
  assert.equal(made.state, "open");
  const asked = await maker("rfq list --state open");
  assert.match(asked, new RegExp(`request +${id}[\\s\\S]*open, yours as maker[\\s\\S]*${CALL}`));
  const quoted = await maker(`rfq quote ${id} sell 0.2 1.5 --seconds 60`);
  assert.match(quoted, new RegExp(`${id} .* sell .* 0\\.2 .* 1\\.5 .* open `));
  assert.match(await maker("rfq list --quotes"), / open /);
  assert.match(await taker("rfq list"), /sells[\s│]+1\.5[\s│]+0\.2[\s│]+ANONYMOUS/);
  const low = await refused(`rfq accept ${id} buy 0.2 1.4`);
  assert.equal(low.code, 1);
  assert.match(low.err, /no quotes within the limit/);
  const accepted = await taker(`rfq accept ${id} buy 0.2 1.5`);
  assert.match(accepted, /outcome +filled\nstage +sequenced, batch \d+, log position \d+/);
  assert.match(accepted, /CUSTOM[^\n]*0\.2[^\n]*ANONYMOUS/);
  assert.match(await taker("rfq list --state filled"), /state +filled[\s\S]*sold[\s│]+1\.5/);
  const again = await refused(`rfq accept ${id} buy 0.2 1.5`);
  assert.equal(again.code, 1);
  assert.notEqual(again.err, "");
  const held = JSON.parse(await taker("--json positions")) as {
    positions: readonly { instrument: string; lots: number; profit: { realized: number } }[];
  };
  const lots = Object.fromEntries(held.positions.map((item) => [item.instrument, item.lots]));
  assert.deepEqual([Math.sign(lots[CALL]!), lots[CALL], lots[PUT]], [1, -lots[PUT]!, lots[PUT]]);
  const [head = "", ...rows] = (await taker("history --csv")).trim().split("\n");
  assert.equal(head, "time,type,instrument,quantity,price,fee,change,balance");
  const trades = rows.filter((row) => row.split(",")[1] === "trade");
  assert.equal(trades.length, 1, "the package is one trade of its combination");
  // Of the book: it sells what was asked for, so the price is the other way round.
  assert.match(trades[0]!, /,trade,ETH-CUSTOM-[^,]+,'?-0\.2,'?-1\.5,/);
});

test("a request and a quote are taken back", async (context) => {
  const { taker, maker } = await startLines(context);
  const made = JSON.parse(await taker(`--json rfq create ${CALL}:0.2 ${PUT}:-0.2`)) as Request;
  const id = made.block_rfq_id;
  const quote = JSON.parse(await maker(`--json rfq quote ${id} buy 0.2 0.5 --seconds 60`));
  assert.match(await maker(`rfq cancel ${quote.block_rfq_quote_id} --quote`), / cancelled /);
  assert.match(await taker(`rfq cancel ${id}`), /state +cancelled/);
  assert.match(await maker("rfq list --state open"), /no requests/);
});

test("a block trade is one row of both sides' exports, with its fee", async (context) => {
  const { world, programs, taker, maker } = await startLines(context);
  const desks = (await programs()).map(tradePackages) as [PackageTrader, PackageTrader];
  const trades = [
    { instrument_name: CALL, amount: 0.2, direction: "sell" as const, price: 7 },
    { instrument_name: PUT, amount: 0.2, direction: "buy" as const, price: 5 },
  ];
  const terms = { timestamp: world.clock.now(), nonce: "deal-1", trades };
  const legs = trades.map(({ price: _, ...leg }) => leg);
  const { id } = await desks[1].createCombo(legs);
  const signature = await desks[1].verifyBlockTrade(terms, "maker");
  await desks[0].executeBlockTrade(terms, "taker", signature);
  const exported = async (run: typeof taker) => {
    const [head, ...rows] = (await run("history --csv")).trim().split("\n");
    assert.equal(head, "time,type,instrument,quantity,price,fee,change,balance");
    const found = rows.map((row) => row.split(",")).filter(([, type]) => type === "trade");
    assert.equal(found.length, 1, rows.join("\n"));
    return found[0]!;
  };
  const [[time = "", ...paid], [again, ...got]] = [await exported(taker), await exported(maker)];
  assert.match(time, /^2027-01-15 08:\d\d:\d\d$/);
  assert.equal(again, time);
  // The combination buys puts at 5 and sells calls at 7: its buyer, the maker, gets 2 for each.
  assert.match(id, /^ETH-CUSTOM-.*-P:1_.*-C:-1$/);
  assert.deepEqual(got, ["trade", id, "0.2", "-2", "0", "0.4", ""]);
  assert.deepEqual(paid, ["trade", id, "-0.2", "-2", "0.06", "-0.46", ""]);
});
