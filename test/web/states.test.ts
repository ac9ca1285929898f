// The venue's own troubles, as a visitor sees them: at the bound of its backlog, and halted. Told
// by the real node's status, above the page, in its light and at the ticket, which waits.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { DOMAIN } from "../unit/roles/market.ts";
import { createLog } from "../unit/roles/ports.ts";
import { browserMissing, launchBrowser } from "./browser.ts";
import { startVenue, type WebVenue } from "./venue.ts";

const skip = browserMissing;
const STEP_MS = 120_000;
/** Batches without a proof at which no order is taken: fewer than those that pause trading. */
const BACKLOG_MAX = 24;
const ROUNDS_MAX = 400;

let browser: Browser;
let venue: WebVenue;
/** Ends the node's log, as a disk that refuses a write does. */
const disk = new AbortController();
const endings: (() => unknown)[] = [];

before(async () => {
  if (skip !== false) return;
  const context = { after: (end: unknown) => void endings.push(end as () => unknown) };
  const log = { ...createLog(DOMAIN), failure: disk.signal };
  venue = await startVenue(context, { change: { backlogMax: BACKLOG_MAX }, real: { log } });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  for (const end of endings.reverse()) await end();
});

async function openPage({ url, account } = venue): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(STEP_MS);
  await page.goto(url);
  await page.getByLabel("Venue: Live").waitFor();
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("button", { name: "Use a development key" }).click();
  await page.getByRole("button", { name: `Account ${account}` }).waitFor();
  return page;
}

/** An order far from the market, ready to be sent. */
async function prepare(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Buy ETH-20270116-2100-C at the ask" }).click();
  const ticket = page.getByRole("form", { name: "Order ticket" });
  await ticket.getByLabel("Price", { exact: true }).fill("20");
  await ticket.getByRole("button", { name: "Buy 1 at 20" }).waitFor();
}

/** Sends orders that nobody proves, until the node takes no more of them. */
async function fillBacklog(): Promise<void> {
  const { service } = venue.world.sequencer;
  venue.isProverAway = true;
  const order = { book: 1, isSell: false, price: 10, lots: 1, timeInForce: "ioc" } as const;
  for (let count = 0; count < ROUNDS_MAX; count++) {
    if ((await service.status()).isOverloaded) return;
    const some = Array.from({ length: 8 }, () => venue.maker.place(order).catch(() => undefined));
    await Promise.all(some);
  }
  assert.fail("the node is never at its bound");
}

test("at the bound of its backlog only cancels go, and that passes by itself", {
  skip,
}, async () => {
  const page = await openPage();
  await prepare(page);
  const ticket = page.getByRole("form", { name: "Order ticket" });
  await ticket.getByRole("button", { name: "Buy 1 at 20" }).click();
  await page.getByLabel("Notices").getByText("Order rests").waitFor();
  await fillBacklog();
  await page.getByLabel("Venue: Overloaded").waitFor();
  const banner = page.getByRole("status").filter({ hasText: "The venue is at its limit." });
  await banner.getByText("new orders are refused, cancels go through").waitFor();
  await banner.getByText("It passes by itself as proofs catch up.").waitFor();
  const send = ticket.getByRole("button", { name: "The venue is at its limit" });
  await send.waitFor();
  assert.equal(await send.isDisabled(), true);
  await ticket.getByText("new orders are refused, cancels go through").waitFor();
  // As it says: what rests is taken back meanwhile.
  await page.getByRole("button", { name: "Orders 1" }).click();
  await page.getByRole("button", { name: /^Cancel the order for/ }).click();
  await page.getByText("No open orders").waitFor();
  const { service } = venue.world.sequencer;
  assert.deepEqual(await service.orders(venue.account), []);
  assert.equal((await service.status()).isOverloaded, true);
  venue.isProverAway = false;
  await page.getByLabel("Venue: Live").waitFor();
  await ticket.getByRole("button", { name: "Buy 1 at 20" }).waitFor();
  assert.equal(await banner.count(), 0);
  await page.close();
});

test("a frozen rollup is told as what it is, and where the way out is", {
  skip,
}, async (context) => {
  const own = await startVenue(context);
  const page = await openPage(own);
  await prepare(page);
  const { settlement } = own.world;
  const stopped = "the rollup is frozen";
  settlement.condition = { stopped, frozenAt: Math.floor(Date.now() / 1000) };
  settlement.queued = () => Promise.reject(new Error(stopped));
  await page.getByLabel("Venue: Frozen").waitFor();
  const banner = page.getByRole("alert").filter({ hasText: "The rollup is frozen since" });
  await banner.getByText("the command line's exit claims it there").waitFor();
  const ticket = page.getByRole("form", { name: "Order ticket" });
  const send = ticket.getByRole("button", { name: "The rollup is frozen" });
  assert.equal(await send.isDisabled(), true);
  await page.close();
});

// The last one: nothing begins again.
test("a halted node is told with its reason, and nothing can be sent", { skip }, async () => {
  const page = await openPage();
  await prepare(page);
  disk.abort(new Error("no space is left on the log's disk"));
  await page.getByLabel("Venue: Halted").waitFor();
  const banner = page.getByRole("alert").filter({ hasText: "The venue has halted." });
  await banner.getByText("No space is left on the log's disk.").waitFor();
  await banner.getByText("Deposits are safe on layer one").waitFor();
  const ticket = page.getByRole("form", { name: "Order ticket" });
  const send = ticket.getByRole("button", { name: "The venue has halted" });
  assert.equal(await send.isDisabled(), true);
  await ticket.getByText("No space is left on the log's disk. Nothing more is taken").waitFor();
  // Whoever comes now is told the same, without a market to be seen.
  const late = await browser.newPage();
  await late.goto(venue.url);
  await late.getByText("No space is left on the log's disk.").waitFor({ timeout: STEP_MS });
  await page.close();
});
