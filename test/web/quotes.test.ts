// Quotes for legs that are traded together, in a real browser on a real sequencer: asked for, shown
// as makers leave them, taken as one, and given up.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import {
  type BlockRfq,
  type PackageTrader,
  tradePackages,
} from "../../sequencer/client/packages.ts";
import { type Takeable, takeable } from "../../sequencer/web/state/quotes.ts";
import { browserMissing, launchBrowser } from "./browser.ts";
import { startVenue, type WebVenue } from "./venue.ts";

const skip = browserMissing;
const STEP_MS = 120_000;
const CALLS = ["ETH-20270116-2000-C", "ETH-20270116-2100-C"] as const;

let browser: Browser;
let venue: WebVenue;
let maker: PackageTrader;
/** What the maker has been asked. */
const asked: BlockRfq[] = [];
const endings: (() => unknown)[] = [];

before(async () => {
  if (skip !== false) return;
  const context = { after: (end: unknown) => void endings.push(end as () => unknown) };
  venue = await startVenue(context, { change: { packages: { graceMs: 0 } } });
  maker = tradePackages(venue.maker);
  await maker.follow({ asked: (rfq) => void asked.push(rfq) });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  for (const end of endings.reverse()) await end();
});

async function until<T>(read: () => T | undefined): Promise<T> {
  for (const end = Date.now() + STEP_MS; Date.now() < end; ) {
    const found = read();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it never came");
}

/** A page with a bought and a sold call in its builder. */
async function openBuilder(): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(STEP_MS);
  await page.goto(venue.url);
  await page.getByRole("button", { name: "Strategy" }).click();
  const option = page.getByLabel("Option of the leg");
  await option.selectOption({ label: "2000 call" });
  await page.getByRole("button", { name: "Add bought" }).click();
  await option.selectOption({ label: "2100 call" });
  await page.getByRole("button", { name: "Add sold" }).click();
  return page;
}

test("quotes come as makers leave them, and one is taken with all its legs", { skip }, async () => {
  const page = await openBuilder();
  const panel = page.getByRole("region", { name: "Request for quotes" });
  await panel.getByRole("button", { name: "Connect to request quotes" }).click();
  await page.getByRole("button", { name: "Use a development key" }).click();
  await page.getByRole("button", { name: `Account ${venue.account}` }).waitFor();
  await panel.getByLabel("Amount").fill("0.001");
  await panel.getByRole("button", { name: "Request quotes" }).click();
  await panel.getByRole("alert").getByText("must be a multiple of 0.01").waitFor();
  assert.equal(asked.length, 0);
  await panel.getByLabel("Amount").fill("2");
  await panel.getByRole("button", { name: "Request quotes" }).click();
  await panel.getByText("no quotes yet").waitFor();
  const rfq = await until(() => asked.find(({ state }) => state === "open"));
  assert.deepEqual(
    [rfq.amount, rfq.legs.map((leg) => [leg.instrument_name, leg.ratio, leg.direction])],
    [2, CALLS.map((name, at) => [name, 1, at === 0 ? "buy" : "sell"])],
  );
  // Between the book's 74 and 77, as what rests there better than a quote goes before it.
  await maker.quoteRequest(rfq, { direction: "sell", price: 76, amount: 1 });
  const small = panel.getByRole("button", { name: "Buy 2 at 76.0" });
  await small.waitFor();
  assert.equal(await small.isDisabled(), true, "it is not enough for all of the request");
  await maker.quoteRequest(rfq, { direction: "buy", price: 75, amount: 2 });
  const sell = panel.getByRole("button", { name: "Sell 2 at 75.0" });
  await sell.waitFor();
  await sell.click();
  await panel.getByText("Taken: the legs are in your positions.").waitFor();
  await page.getByRole("button", { name: "Positions 2" }).waitFor();
  const { service } = venue.world.sequencer;
  const held = await service.account({ id: venue.account });
  const lots = held?.positions.filter((each) => each !== 0);
  assert.deepEqual(lots, [-200, 200]);
  await page.getByRole("button", { name: "Order's way" }).click();
  await page.getByText(/^Sell 2 ETH-CS-20270116-2000_2100 at 75 by quotes/).waitFor();
  await page.close();
});

test("a request is withdrawn, and its makers are told", { skip }, async () => {
  const page = await openBuilder();
  const panel = page.getByRole("region", { name: "Request for quotes" });
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("button", { name: "Use a development key" }).click();
  await page.getByRole("button", { name: `Account ${venue.account}` }).waitFor();
  const before = asked.length;
  await panel.getByRole("button", { name: "Request quotes" }).click();
  const rfq = await until(() => asked.slice(before).find(({ state }) => state === "open"));
  await panel.getByRole("button", { name: "Withdraw the request" }).click();
  await panel.getByText("Withdrawn.").waitFor();
  const isOver = ({ block_rfq_id, state }: BlockRfq): boolean =>
    block_rfq_id === rfq.block_rfq_id && state === "cancelled";
  await until(() => asked.find(isOver));
  await panel.getByRole("button", { name: "Request quotes" }).waitFor();
  await page.close();
});

test("an offer can be taken where it and those before it are enough", () => {
  const offer = (price: number, amount: number) => ({ price, amount }) as Takeable["offer"];
  const rows = takeable({
    ...{ amount: 0.3, asks: [offer(1, 0.1), offer(2, 0.2), offer(3, 1)], bids: [offer(0.5, 0.2)] },
  } as unknown as BlockRfq);
  assert.deepEqual(
    rows.map(({ side, offer: { price }, isEnough }) => [side, price, isEnough]),
    [
      ["buy", 1, false],
      ["buy", 2, true],
      ["buy", 3, true],
      ["sell", 0.5, false],
    ],
  );
});
