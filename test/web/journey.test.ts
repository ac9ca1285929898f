// A trader at the terminal, in a real browser on a real sequencer: connects, buys a call spread,
// sees what it pays, cancels; and nobody is kept out by the page's colours, sizes or labels.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { hold } from "../unit/roles/heldFixture.ts";
import { PLACE } from "../unit/roles/market.ts";
import { browserMissing, launchBrowser } from "./browser.ts";
import { startVenue, type WebVenue } from "./venue.ts";

const skip = browserMissing;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
/** What a first view may take until it can be used. */
const INTERACTIVE_MS = 2000;
const SPREAD = "ETH-CS-20270116-2000_2100";

let browser: Browser;
let venue: WebVenue;
const endings: (() => unknown)[] = [];

before(async () => {
  if (skip !== false) return;
  venue = await startVenue({ after: (end) => void endings.push(end as () => unknown) });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  for (const end of endings) await end();
});

/** A page in a browser of its own; what the page complains of fails the test. */
async function openPage(
  options: BrowserContextOptions,
): Promise<{ page: Page; faults: string[]; close(): Promise<void> }> {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  await page.goto(venue.url);
  return { page, faults, close: () => context.close() };
}

async function connect(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("button", { name: "Use a development key" }).click();
  await page.getByRole("button", { name: `Account ${venue.account}` }).waitFor();
}

interface AxeViolation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Rules that are broken in a serious or critical way. Runs beside the page's own policy. */
async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(`globalThis.axe ?? (0, eval)(${JSON.stringify(axe)})`);
  const { violations } = (await page.evaluate("axe.run()")) as { violations: AxeViolation[] };
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
    );
}
test("a call spread is bought as one order, shown, and the rest of it cancelled", {
  skip,
}, async () => {
  const { page, faults, close } = await openPage({ colorScheme: "dark" });
  await connect(page);
  await page.getByRole("button", { name: "Strategy" }).click();
  const option = page.getByLabel("Option of the leg");
  await option.selectOption({ label: "2000 call" });
  await page.getByRole("button", { name: "Add bought" }).click();
  await option.selectOption({ label: "2100 call" });
  await page.getByRole("button", { name: "Add sold" }).click();
  const tile = (name: string) => page.locator(".tiles div", { hasText: name }).locator("dd");
  await page.getByLabel("Profit by price of the underlying").locator("canvas").waitFor();
  // The legs' bid and ask: 103.8 - 25.8 for a spread that pays at most 100.
  const debit = Number(await tile("Net debit").innerText());
  assert.ok(Math.abs(debit - 78) < 1, `${debit}`);
  assert.equal(await tile("Most to lose").innerText(), `\u2212${debit.toFixed(2)}`);
  assert.equal(await tile("Most to gain").innerText(), `+${(100 - debit).toFixed(2)}`);
  assert.equal(
    await tile("Break-even").innerText(),
    (2000 + debit).toLocaleString("en-US", { minimumFractionDigits: 1 }),
  );
  assert.equal(await page.locator(".matrix tbody td").count(), 63);
  await page
    .getByRole("button", { name: /^Buy 1 at/ })
    .first()
    .click();
  const ticket = page.getByRole("form", { name: "Order ticket" });
  await page.getByRole("heading", { name: SPREAD }).waitFor();
  // More than the maker offers at this price: what is left rests.
  await ticket.getByLabel("Amount").fill("4");
  await ticket.getByLabel("Price", { exact: true }).fill("77");
  await ticket.getByText("The venue would take this order.").waitFor();
  await ticket.getByRole("button", { name: "Buy 4 at 77" }).click();
  await page.getByLabel("Notices").getByText(`Bought 3 ${SPREAD} at 77.`).waitFor();
  const positions = page.getByLabel("Account", { exact: true }).locator("tbody tr");
  await page.getByRole("button", { name: "Positions 2" }).waitFor();
  const rows = await positions.allInnerTexts();
  assert.ok(rows.some((row) => row.includes("ETH-20270116-2000-C") && row.includes("+3.00")));
  assert.ok(rows.some((row) => row.includes("ETH-20270116-2100-C") && row.includes("\u22123.00")));
  // Closing prepares an order that the venue takes: reduce-only, and nothing of it rests.
  await page.getByRole("button", { name: "Close", exact: true }).first().click();
  await ticket.getByRole("button", { name: /^Sell 3 at/ }).waitFor();
  await ticket.getByText("The venue would take this order.").waitFor();
  assert.equal(await ticket.getByLabel("Time in force").inputValue(), "immediate_or_cancel");
  const held = await venue.world.sequencer.service.account({ id: venue.account });
  assert.deepEqual(
    held?.positions.filter((lots) => lots !== 0),
    [300, -300],
  );
  await page.getByRole("button", { name: "Orders 1" }).click();
  await page.getByRole("button", { name: `Cancel the order for ${SPREAD} at 77` }).click();
  await page.getByText("No open orders").waitFor();
  assert.deepEqual(await venue.world.sequencer.service.orders(venue.account), []);
  await page.getByRole("button", { name: "Order's way" }).click();
  const stages = page.getByLabel(`Stages of Buy 4 ${SPREAD} at 77`);
  await stages.getByText("anchored").and(page.locator(".done")).waitFor();
  await page.getByRole("button", { name: "Scenarios" }).click();
  await page.locator(".risk tbody tr").nth(17).waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test("an order that waits is listed while it does, and withdrawn", { skip }, async () => {
  const { page, faults, close } = await openPage({});
  await connect(page);
  await page.getByRole("button", { name: "Orders", exact: true }).click();
  await page.getByText("No open orders").waitFor();
  const { world, account, secret } = venue;
  const { head } = (await world.sequencer.service.session(account, 0))!;
  const leave = async (amount: number, trigger: number): Promise<void> => {
    const deadline = world.clock.now() + 600_000;
    const message = { ...PLACE, book: 1, price: 10, lots: 100 * amount, deadline } as const;
    const condition = { type: "mark", book: 1, is: "atOrAbove", price: trigger } as const;
    const key = { account, keyIndex: 0, secret, head };
    await hold(world, key, { message, conditions: [condition] });
  };
  await leave(2, 900_000);
  const cancel = page.getByRole("button", { name: /^Cancel the order for/ });
  await cancel.waitFor();
  const row = page.getByLabel("Account", { exact: true }).locator("tbody tr");
  assert.match(await row.innerText(), /waits/);
  await page.waitForTimeout(5000);
  assert.equal(await cancel.count(), 1, "it is listed when the lists are read again");
  await cancel.click();
  await page.getByText("No open orders").waitFor();
  assert.deepEqual(await world.sequencer.service.policy.held(account), []);
  await leave(1, 900_000);
  await page.getByRole("button", { name: "Cancel all orders" }).click();
  await page.getByText("No open orders").waitFor();
  assert.deepEqual(await world.sequencer.service.policy.held(account), []);
  assert.deepEqual(faults, []);
  await close();
});

test("a refusal is told in the error table's words, and moves nothing", { skip }, async () => {
  const { page, faults, close } = await openPage({ colorScheme: "light" });
  await connect(page);
  await page.getByRole("button", { name: "Buy ETH-20270116-2200-C at the ask" }).click();
  const ticket = page.getByRole("form", { name: "Order ticket" });
  await ticket.getByLabel("Price", { exact: true }).fill("2000");
  await ticket.getByText("Would be refused. The price is too far from the mark.").waitFor();
  await ticket.getByRole("button", { name: /^Buy 1 at/ }).click();
  await ticket.getByRole("alert").getByText("The price is too far from the mark").waitFor();
  await ticket.getByLabel("Amount").fill("0.001");
  await ticket.getByText("Amount must be a multiple of 0.01").waitFor();
  assert.deepEqual(await venue.world.sequencer.service.orders(venue.account), []);
  assert.deepEqual(faults, []);
  await close();
});

test("an order by volatility has the price that gives it", { skip }, async () => {
  const { page, close } = await openPage({});
  await page.getByRole("button", { name: "Buy ETH-20270116-2100-C at the ask" }).click();
  await page.getByRole("button", { name: "Enter a volatility instead" }).click();
  await page.getByLabel("Volatility", { exact: true }).fill("60");
  const text = await page.locator(".ticket .note").innerText();
  const price = Number(/Price ([\d.]+) USDC/.exec(text)?.[1]);
  // The maker's mark is of 60 % as well.
  assert.ok(Math.abs(price - 26.3) < 0.3, text);
  await close();
});

test("the keyboard alone finds an option and prepares its order", { skip }, async () => {
  const { page, faults, close } = await openPage({});
  await page.locator(".chain tbody tr").first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("2200 p");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "ETH-20270116-2200-P" }).waitFor();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("heading", { name: "ETH-20270116-2100-C" }).waitFor();
  await page.keyboard.press("s");
  await page.locator("form.ticket.sell").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("4");
  await page
    .getByRole("button", { name: /^Verify batch/ })
    .first()
    .waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test("a proof that is none is not taken for one", { skip }, async () => {
  const { page, close } = await openPage({});
  await page.getByRole("button", { name: "Batches" }).click();
  await page
    .getByRole("button", { name: /^Verify batch/ })
    .nth(1)
    .click();
  // The proofs of this venue in memory are eight numbers.
  await page.locator(".verification .bad", { hasText: "Proof" }).waitFor();
  await page.locator(".verification .good", { hasText: "Commitment" }).waitFor();
  await page.getByText("Not everything holds.").waitFor();
  await close();
});

for (const colorScheme of ["dark", "light"] as const) {
  for (const [name, viewport] of [
    ["wide", WIDE],
    ["phone", PHONE],
  ] as const) {
    test(`axe finds nothing serious: ${colorScheme}, ${name}`, { skip }, async () => {
      // The page's policy forbids what axe is loaded by; the page itself is loaded under it.
      const { page, faults, close } = await openPage({ colorScheme, viewport, bypassCSP: true });
      await page.locator(".chain tbody tr").first().waitFor();
      const found = [...(await accessibilityFaults(page))];
      await connect(page);
      for (const screen of ["Strategy", "Volatility", "Batches", "Chain"]) {
        await page.getByRole("button", { name: screen, exact: true }).click();
        await page.waitForTimeout(300);
        found.push(...(await accessibilityFaults(page)));
      }
      if (name === "phone") {
        for (const part of ["Book", "Trade", "Account"]) {
          await page.getByLabel("Parts of the page").getByText(part).click();
          found.push(...(await accessibilityFaults(page)));
        }
        const root = "document.documentElement";
        const wider = await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`);
        assert.equal(wider, 0, "the page is wider than the phone");
      }
      assert.deepEqual([...new Set(found)], []);
      assert.deepEqual(faults, []);
      await close();
    });
  }
}

test("the first view can be used within two seconds", { skip }, async (context) => {
  const times: number[] = [];
  for (let count = 0; count < 5; count++) {
    const { page, close } = await openPage({});
    const price = page.getByRole("button", { name: /^Buy ETH-20270116-2100-C at the ask \d/ });
    await price.waitFor();
    times.push(Number(await page.evaluate("performance.now()")));
    await close();
  }
  const best = Math.min(...times);
  context.diagnostic(`first view after ${times.map(Math.round).join(", ")} ms`);
  assert.ok(best < INTERACTIVE_MS, `${best} ms`);
});

test("a lost node is told, and the page goes on when it is back", { skip }, async () => {
  const { page, close } = await openPage({});
  await page.locator(".chain tbody tr").first().waitFor();
  // A book that was never there cannot be old.
  await page.getByText(/^Spread/).waitFor();
  await venue.stopServer();
  try {
    await page.getByRole("alert").getByText("Disconnected.").waitFor();
    await page.getByText("Not live: what is shown may be old").waitFor();
  } finally {
    await venue.startServer();
  }
  await page.getByLabel("Venue: Live").waitFor();
  await page.getByText("Disconnected.").waitFor({ state: "detached" });
  await page.getByText(/^Spread/).waitFor();
  await close();
});

test("a pause is told with its reason, then that only cancels go, then its end", {
  skip,
}, async () => {
  const { page, close } = await openPage({});
  await page.getByLabel("Venue: Live").waitFor();
  venue.world.isOracleAway = true;
  venue.world.clock.advance(61_000);
  await page
    .getByRole("alert")
    .getByText(/^Trading is paused/)
    .waitFor();
  venue.world.isOracleAway = false;
  await page.getByRole("alert").getByText("Cancel only.").waitFor();
  await page.getByLabel("Venue: Live").waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
  await close();
});
