// The terminal with a wallet of the visitor's, in a real browser: it is found, asked for what it
// must sign, declined, and followed wherever its owner goes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { ANVIL_ABSENT, startAnvil } from "../support/anvil.ts";
import { browserMissing, launchBrowser } from "./browser.ts";
import { startVenue, type WebVenue } from "./venue.ts";
import { installWallet, type TestWallet, WALLET_NAME } from "./wallet.ts";

const skip = browserMissing || ANVIL_ABSENT;
const VENUE_CHAIN = 31337;
const OTHER_CHAIN = 1;
const STEP_MS = 120_000;

let browser: Browser;
let venue: WebVenue;
let chainUrl: string;
const endings: (() => unknown)[] = [];

before(async () => {
  if (skip !== false) return;
  const chain = await startAnvil(VENUE_CHAIN);
  endings.push(() => chain.stop());
  chainUrl = chain.rpcUrl;
  const context = { after: (end: unknown) => void endings.push(end as () => unknown) };
  venue = await startVenue(context, { layerOneUrl: chainUrl });
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  for (const end of endings.reverse()) await end();
});

interface Opened {
  readonly page: Page;
  readonly wallet: TestWallet;
  readonly faults: string[];
  close(): Promise<void>;
}

/** A page whose wallet is at `chainId`. */
async function openPage(chainId: number, chains: Record<number, string> = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const wallet = await installWallet(context, { index: 0, chainId, chains });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_MS);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  await page.goto(venue.url);
  await page.getByLabel("Venue: Live").waitFor();
  return { page, wallet, faults, close: () => context.close() };
}

const DECLINED = "You declined this in the wallet: nothing was signed or sent.";

async function askToConnect(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Connect" });
  if (!(await dialog.isVisible())) {
    await page.getByRole("button", { name: "Connect", exact: true }).click();
  }
  await dialog.getByRole("button", { name: `Connect ${WALLET_NAME}` }).click();
}

/** Resolves when the page has asked for what its owner declines once. */
async function isAsked({ declined }: TestWallet, method: string): Promise<void> {
  for (const end = Date.now() + STEP_MS; declined.has(method); ) {
    assert.ok(Date.now() < end, `${method} is never asked for`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const connected = (page: Page) => page.getByRole("button", { name: `Account ${venue.account}` });

test("a wallet on another network is brought to the venue's, signs, and trades", {
  skip,
}, async () => {
  const { page, wallet, faults, close } = await openPage(OTHER_CHAIN);
  const dialog = page.getByRole("dialog", { name: "Connect" });
  // Each thing that it is asked for may be declined, and asked for again.
  for (const method of ["eth_requestAccounts", "wallet_addEthereumChain", "eth_signTypedData_v4"]) {
    wallet.declined.add(method);
    await askToConnect(page);
    await isAsked(wallet, method);
    await dialog.getByRole("alert").getByText(DECLINED).waitFor();
  }
  await askToConnect(page);
  await connected(page).waitFor();
  const add = ["wallet_switchEthereumChain", "wallet_addEthereumChain"];
  assert.deepEqual(wallet.asked, [
    ...["eth_requestAccounts", "eth_requestAccounts", ...add, "eth_requestAccounts", ...add],
    ...["wallet_switchEthereumChain", "eth_signTypedData_v4"],
    ...["eth_requestAccounts", "eth_signTypedData_v4"],
  ]);
  // The key that followed from its signature is the one that the account has.
  await page.getByRole("button", { name: "Buy ETH-20270116-2100-C at the ask" }).click();
  const ticket = page.getByRole("form", { name: "Order ticket" });
  await ticket.getByLabel("Price", { exact: true }).fill("20");
  await ticket.getByRole("button", { name: "Buy 1 at 20" }).click();
  await page.getByLabel("Notices").getByText("Order rests: Buy 1 ETH-20270116-2100-C").waitFor();
  const { service } = venue.world.sequencer;
  const [order] = await service.orders(venue.account);
  assert.deepEqual([order?.price, order?.lots], [200, 100]);
  await page.getByRole("button", { name: "Orders 1" }).click();
  await page.getByRole("button", { name: /^Cancel the order for/ }).click();
  await page.getByText("No open orders").waitFor();
  assert.deepEqual(await service.orders(venue.account), []);
  assert.deepEqual(faults, []);
  await close();
});

test("a wallet's networks and its connection are followed, and trading goes on", {
  skip,
}, async () => {
  const { page, wallet, faults, close } = await openPage(VENUE_CHAIN, { [VENUE_CHAIN]: chainUrl });
  await askToConnect(page);
  await connected(page).waitFor();
  const other = page.getByText(`${WALLET_NAME} is on another network.`);
  assert.equal(await other.count(), 0);
  await wallet.moveTo(OTHER_CHAIN);
  await other.waitFor();
  const back = page.getByRole("button", { name: `Switch to ${VENUE_CHAIN}` });
  wallet.declined.add("wallet_switchEthereumChain");
  await back.click();
  await isAsked(wallet, "wallet_switchEthereumChain");
  await page.getByLabel("Notices").getByText(DECLINED).waitFor();
  await other.waitFor();
  await back.click();
  await other.waitFor({ state: "detached" });
  const lost = page.getByText(`${WALLET_NAME} has lost its network.`);
  await wallet.lose();
  await lost.waitFor();
  assert.equal(await connected(page).count(), 1, "the trading key needs no wallet");
  await wallet.comeBack();
  await lost.waitFor({ state: "detached" });
  assert.deepEqual(faults, []);
  await close();
});

test("another account of the wallet ends the session of the first", { skip }, async () => {
  const { page, wallet, faults, close } = await openPage(VENUE_CHAIN, { [VENUE_CHAIN]: chainUrl });
  await askToConnect(page);
  await connected(page).waitFor();
  await wallet.use(1);
  const notices = page.getByLabel("Notices");
  const second = wallet.address();
  await notices.getByText(`The wallet is now at ${second.slice(0, 6)}`).waitFor();
  await connected(page).waitFor({ state: "detached" });
  await askToConnect(page);
  const dialog = page.getByRole("dialog", { name: "Connect" });
  await dialog.getByText("has no account here").waitFor();
  await wallet.use(undefined);
  await notices.getByText("The wallet has taken its account back from this page.").waitFor();
  await askToConnect(page);
  const refused = "The wallet has not allowed this page to use the account: connect it again.";
  await dialog.getByRole("alert").getByText(refused).waitFor();
  await wallet.use(0);
  await askToConnect(page);
  await connected(page).waitFor();
  assert.deepEqual(faults, []);
  await close();
});
