// Traders' programs on a whole devnet. The terminal in a real browser: money in by layer one, a
// trade, a proof that is verified in the page, money out again; and by a wallet that signs all of
// it (EIP-1193) instead of a key of the page. ccxt's class: every method once.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { defineChain, http } from "viem";
import { createOwner, type Owner } from "../../sequencer/client/l1.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import { browserMissing, launchBrowser } from "../web/browser.ts";
import { installWallet, type TestWallet, WALLET_NAME } from "../web/wallet.ts";
import { openCcxt, runCcxt } from "./ccxtRun.ts";
import { freePortBase } from "./freePorts.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");
const TIMEOUT_MS = 30 * 60_000;
/** A proof and a batch on layer one, on a slow machine. */
const STAGE_MS = 20 * 60_000;
const STEP_MS = 60_000;
/** A ready-made account that nobody else has, and a chain that is not the devnet's. */
const WALLET_ACCOUNT = 16;
const OTHER_CHAIN = 1;
/** 1e-6 USDC. */
const TOKENS = 10_000_000_000;
const DEPOSIT = 5_000_000_000;
const WITHDRAWAL = 100_000_000;

interface Devnet {
  /** The terminal's address and the API's. */
  readonly url: string;
  readonly directory: string;
}

async function startDevnet(context: TestContext): Promise<Devnet> {
  const directory = mkdtempSync(path.join(tmpdir(), "straddle-terminal-"));
  const base = await freePortBase();
  const script = path.join(ROOT, "scripts", "devnet.ts");
  const args = ["--port-base", `${base}`, "--data-dir", directory];
  const child: ChildProcess = spawn(process.execPath, [script, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  context.after(async () => {
    child.kill("SIGINT");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  let output = "";
  return new Promise((resolve, reject) => {
    const collect = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
      // The market makers are there.
      const url = /^terminal +(\S+)/m.exec(output)?.[1];
      if (url !== undefined && /^sequenced .*maker/m.test(output)) resolve({ url, directory });
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    ended.then(() => reject(new Error(`the devnet has ended:\n${output}`)));
  });
}

async function openAccount(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("button", { name: "Use a development key" }).click();
  await deposit(page);
}

/** The first, which opens the account. */
async function deposit(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Connect" });
  await dialog.getByText("has no account here").waitFor();
  await dialog.getByLabel("Deposit").fill("5000");
  await dialog.getByRole("button", { name: "Deposit" }).click();
  await page.getByRole("button", { name: /^Account \d+/ }).waitFor();
}

async function buy(page: Page): Promise<void> {
  const ask = page.getByRole("button", { name: /^Buy ETH-\S+ at the ask \d/ }).first();
  await ask.click();
  const ticket = page.getByRole("form", { name: "Order ticket" });
  await ticket.getByLabel("Amount").fill("0.01");
  // The makers move their quotes: whoever pays more takes them still.
  const price = ticket.getByLabel("Price", { exact: true });
  await price.fill(String(Math.ceil(Number(await price.inputValue()) * 1.05)));
  await ticket.getByText("The venue would take this order.").waitFor();
  await ticket.getByRole("button", { name: /^Buy 0.01 at/ }).click();
  await page
    .getByLabel("Notices")
    .getByText(/^Bought 0.01 ETH-/)
    .waitFor();
  await page.getByRole("button", { name: "Positions 1" }).waitFor();
}

async function withdraw(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account \d+/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Withdraw", { exact: true }).fill("100");
  await dialog.getByRole("button", { name: "Withdraw" }).click();
  await dialog.getByText("On its way: to be claimed here once its batch is anchored.").waitFor();
  await page.keyboard.press("Escape");
}

/** What an anchored withdrawal has brought to layer one. */
async function paidOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account \d+/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("100.00 USDC: anchored").waitFor({ timeout: STAGE_MS });
}

async function verifyProof(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Batches" }).click();
  const proven = page.locator(".batches tbody tr", { has: page.locator(".stage.anchored") });
  await proven
    .first()
    .getByRole("button", { name: /^Verify/ })
    .click({ timeout: STAGE_MS });
  await page.getByText(/^Verified on this machine in \d+ ms\.$/).waitFor();
  assert.equal(await page.locator(".verification .bad").count(), 0);
}

/** A page of the terminal in a browser of its own; what it complains of fails the test. */
async function withTerminal(
  context: TestContext,
  url: string,
  use: (page: Page) => Promise<void>,
  prepare: (browser: BrowserContext) => Promise<void> = async () => undefined,
): Promise<void> {
  const browser = await launchBrowser();
  context.after(() => browser.close());
  const own = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await prepare(own);
  const page = await own.newPage();
  page.setDefaultTimeout(STEP_MS);
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  await page.goto(url);
  try {
    await use(page);
  } catch (error) {
    const shot = process.env.STRADDLE_SCREENSHOT;
    if (shot !== undefined) await page.screenshot({ path: shot });
    throw error;
  }
  assert.deepEqual(faults, []);
}

async function useTerminal(page: Page): Promise<void> {
  await openAccount(page);
  await buy(page);
  await withdraw(page);
  await verifyProof(page);
  await page.getByRole("button", { name: "Order's way" }).click();
  const way = page.getByLabel(/^Stages of Buy 0.01/);
  await way.getByText("anchored").and(page.locator(".done")).waitFor({ timeout: STAGE_MS });
  await paidOut(page);
}

interface Chain {
  readonly id: number;
  readonly url: string;
  readonly owner: Owner;
}

/** The devnet's layer one, and there an owner with tokens and no account. */
async function chainOf(url: string, index: number): Promise<Chain> {
  const read = async (place: string): Promise<unknown> => (await fetch(new URL(place, url))).json();
  const { result } = (await read("/api/v2/straddle/get_info")) as {
    result: { chainId: number; rollup: `0x${string}` };
  };
  const { layerOneUrl } = (await read("/terminal.json")) as { layerOneUrl: string };
  const { chainId: id, rollup } = result;
  const nativeCurrency = { name: "Ether", symbol: "ETH", decimals: 18 };
  const rpcUrls = { default: { http: [layerOneUrl] } };
  const chain = defineChain({ id, name: "devnet", nativeCurrency, rpcUrls });
  const account = developmentAccount(index, id);
  const owner = createOwner({ transport: http(layerOneUrl), chain, account, rollup });
  await owner.mint(TOKENS);
  return { id, url: layerOneUrl, owner };
}

/** Every signature is the wallet's own: of the key's typed data, and of each transaction. */
async function useWallet(page: Page, wallet: TestWallet, { owner }: Chain): Promise<void> {
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("button", { name: `Connect ${WALLET_NAME}` }).click();
  const dialog = page.getByRole("dialog", { name: "Connect" });
  await dialog.getByText("10,000.00 USDC").waitFor();
  wallet.declined.add("eth_sendTransaction");
  await dialog.getByRole("button", { name: "Deposit" }).click();
  await dialog.getByRole("alert").getByText("You declined this in the wallet").waitFor();
  assert.equal(await owner.accountId(), 0);
  await deposit(page);
  assert.equal(await owner.tokenBalance(), TOKENS - DEPOSIT);
  const account = await owner.accountId();
  await page.getByRole("button", { name: `Account ${account}` }).waitFor();
  await buy(page);
  await withdraw(page);
  await paidOut(page);
  await page.getByRole("button", { name: "Claim 100.00 USDC" }).click();
  await page.getByRole("dialog").getByText("100.00 USDC are in the wallet.").waitFor();
  assert.equal(await owner.tokenBalance(), TOKENS - DEPOSIT + WITHDRAWAL);
  assert.deepEqual(wallet.asked, [
    ...["eth_requestAccounts", "wallet_switchEthereumChain", "wallet_addEthereumChain"],
    ...["wallet_switchEthereumChain", ...SENDS],
  ]);
}

/** One signature for the key; a declined approval, then approval, deposit and claim. */
const SENDS = ["eth_signTypedData_v4", ...Array<string>(4).fill("eth_sendTransaction")];

const options = { timeout: TIMEOUT_MS };

test("clients of a whole devnet", options, async (context) => {
  const { url, directory } = await startDevnet(context);
  const inBrowser = "terminal: deposit, trade, withdrawal and a verified proof";
  await context.test(inBrowser, { skip: browserMissing }, (own) =>
    withTerminal(own, url, useTerminal),
  );
  const byWallet = "terminal: the same by a wallet that has to be brought to the chain";
  await context.test(byWallet, { skip: browserMissing }, async (own) => {
    const chain = await chainOf(url, WALLET_ACCOUNT);
    const at = { index: WALLET_ACCOUNT, chainId: OTHER_CHAIN, chains: {} };
    let wallet: TestWallet;
    const install = async (browser: BrowserContext): Promise<void> => {
      wallet = await installWallet(browser, at);
    };
    await withTerminal(own, url, (page) => useWallet(page, wallet, chain), install);
  });
  // After it: so many orders at once make the venue wait for proofs, and refuse others meanwhile.
  await context.test("ccxt: every method once", async () => {
    const exchange = await openCcxt(url, directory);
    try {
      await runCcxt(exchange);
    } finally {
      await exchange.close();
    }
  });
});
