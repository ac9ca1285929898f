// What the command line says of risk, auctions and combinations, and that it checks what it shows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { signedSnapshot } from "../api/fakeMarket.ts";
import { DOMAIN } from "../api/fakeService.ts";
import { startCommandLine } from "./commandLine.ts";

test("combinations are in the chain, with their legs' prices and their fees", async (context) => {
  const { run } = await startCommandLine(context);
  const { out, err } = await run("chain");
  assert.match(out, /ETH-CS-20261225-3000_3200 .* - .* 71.5 .* 68 .* - .* 0.3 \/ -0.1 /, err);
  assert.match(out, /ETH-STRD-20261225-3000 /);
  assert.doesNotMatch(out, /CUSTOM/, "a closed book has no name");
  const { combos } = JSON.parse((await run("chain --json")).out);
  assert.deepEqual(
    combos.map(({ name, book }: { name: string; book: number }) => [name, book]),
    [
      ["ETH-CS-20261225-3000_3200", 2],
      ["ETH-STRD-20261225-3000", 3],
    ],
  );
});

test("a book of a combination shows its legs' prices", async (context) => {
  const { run, service } = await startCommandLine(context);
  const implied = { bid: { price: 680, lots: 2 }, ask: null };
  const honest = service.books;
  service.books = async () => (await honest()).map((item) => ({ ...item, implied }));
  const { out } = await run("book eth-cs-20261225-3000_3200");
  assert.match(out, /^book 2, ETH-CS-20261225-3000_3200, mark/);
  assert.match(out, /by its legs: bid 68 for 0.02, ask -/);
});

test("orders reach combinations by name", async (context) => {
  const { run, messages } = await startCommandLine(context);
  const sent = await run("sell ETH-STRD-20261225-3000 0.5 250 --dev-account 0");
  assert.equal(sent.code, 0, sent.err);
  const [message] = messages();
  assert.equal(message?.kind === "place" && message.book, 3);
});

test("a dry run shows margin before and after, and sends nothing", async (context) => {
  const { run, messages } = await startCommandLine(context);
  const line = "sell ETH-20261225-3200-C 0.5 50 --dry-run --dev-account 0";
  assert.equal((await run(line)).code, 2, "it has no book");
  const spread = await run("sell ETH-CS-20261225-3000_3200 0.5 70 --dry-run --dev-account 0");
  assert.equal(spread.code, 0, spread.err);
  assert.match(spread.out, /verdict +it would be taken/);
  assert.match(spread.out, /premium +35 received/);
  assert.match(spread.out, /fee +0.15 at most/);
  // 50 of the 150 lots are sold against 50 of the other call: 110 and 62 a contract at the worst.
  assert.match(spread.out, /maintenance margin +│ +165 │ +134/);
  const refused = await run("buy 1 20 70 --dry-run --dev-account 0");
  assert.equal(refused.code, 3);
  assert.match(refused.out, /refused, insufficientMargin: the order's worst fill/);
  assert.deepEqual(messages(), []);
});

test("risk is told scenario by scenario, with what it can be recomputed from", async (context) => {
  const { run } = await startCommandLine(context);
  const { out, err } = await run("risk --dev-account 0 --changes");
  assert.match(out, /2026-11-25T08:00:00.000Z, signed by 2 oracles/, err);
  assert.match(out, /maintenance margin +165, 20 left/);
  assert.match(out, /initial margin +206.25, 21.25 short of it/);
  assert.match(out, /usage +89.2 % of equity/);
  assert.match(out, /below initial margin: orders may only reduce risk/);
  assert.match(out, /12 │ price -1 range, vol up +│ +-165 │ +-21.25 │ +20 │/);
  assert.match(out, /16 │ short-option minimum +│ +22.5 │/);
  assert.match(out, /12 +│ +-1100 │/);
  assert.match(out, /0.001 USDC for one lot and tick/);
});

test("a report that its inputs do not give is not shown", async (context) => {
  const { run, service } = await startCommandLine(context);
  const honest = service.risk;
  service.risk = async (account) => {
    const answer = (await honest(account))!;
    return { ...answer, report: { ...answer.report, initialMargin: 1 } };
  };
  const lied = await run("risk 7");
  assert.equal(lied.code, 1);
  assert.match(lied.err, /account `7` is not valid: `initialMargin` is not what its inputs give/);
  service.risk = async (account) => {
    return { ...(await honest(account))!, snapshot: signedSnapshot(DOMAIN, [32n, 31n]) };
  };
  assert.match((await run("risk 7")).err, /no oracle quorum has signed its snapshot/);
});

test("auctions tell what may be taken over, and takeovers are signed", async (context) => {
  const { run, messages } = await startCommandLine(context);
  const { out, err } = await run("auctions");
  assert.match(out, /account +9\n/, err);
  assert.match(out, /for +64 s/);
  assert.match(out, /equity +3\n/);
  // A contract loses 400 in the worst scenario: 64 of 512 parts are 50, half is 200.
  assert.match(out, /ETH-20261225-3000-C │ +-0.1 │ +0.1 │ +120 │ +50 │ +200 │/);
  const taken = await run("takeover 9 ETH-20261225-3000-C 0.05 2.5 --dev-account 0");
  assert.equal(taken.code, 0, taken.err);
  const [message] = messages();
  const { deadline: _, ...terms } = message!;
  const wanted = { kind: "backstop", from: 9, slot: 0, lots: 5, amount: 2_500_000 };
  assert.deepEqual(terms, wanted);
});

test("status shows the insurance fund, fees and accounts in liquidation", async (context) => {
  const { run } = await startCommandLine(context);
  const { out } = await run("status");
  assert.match(out, /durability +embedded: synced to this machine's disk/);
  assert.match(out, /loss window +0 ms: none/);
  assert.match(out, /order +rounds of 2 ms: cancels and post-only orders, then all other orders\n/);
  assert.match(out, /insurance fund +25 USDC/);
  assert.match(out, /fees +1.5 USDC, and 0.03 not yet collected/);
  assert.match(out, /in liquidation +1 accounts/);
});

test("history shows fees, rebates as negative ones, and what takeovers cost", async (context) => {
  const { run } = await startCommandLine(context);
  const { out, err } = await run("history --dev-account 0");
  const call = "ETH-20261225-3000-C";
  assert.match(
    out,
    new RegExp(`liquidation backstop │ ${call} +│ +0.05 │ +120 │ +- │ +-2.5 │`),
    err,
  );
  assert.match(out, /trade +│ ETH-STRD-20261225-3000 │ +-0.1 │ +250 │ +-0.01 │ +25.01 │/);
  assert.match(out, /2026-11-25 08:00:00 │ deposit +│ - +│ +- │ +- │ +- │ +5 │ +5 │/);
  const { out: csv } = await run("history --csv --dev-account 0");
  const [head, , trade] = csv.split("\n");
  assert.equal(head, "time,type,instrument,quantity,price,fee,change,balance");
  assert.equal(trade, "2026-11-25 08:00:00,trade,ETH-STRD-20261225-3000,-0.1,250,-0.01,25.01,");
  assert.match((await run("history --csv --json --dev-account 0")).err, /exclude each other/);
  const { out: json } = await run("history --json --limit 1 --dev-account 0");
  assert.equal(JSON.parse(json).length, 1);
});
