/** Money in and out by layer one, through the wallet. */
import { createOwner, type Owner } from "../../client/l1.ts";
import { catalogue, exchange, nodeNow } from "../state/venue.ts";
import { currentWallet, open, ownKey } from "./session.ts";

/** A trading key that a deposit registers is good for so long. */
const KEY_SECONDS = 180 * 86_400;

export interface Funds {
  /** 1e-6 USDC. */
  readonly held: number;
  readonly pending: number;
}

function owner(): Owner {
  const wallet = currentWallet();
  const { info } = catalogue.get();
  if (wallet === undefined || info === undefined) throw new Error("connect a wallet first");
  const { transport, chain, account } = wallet;
  if (transport === undefined) throw new Error("this page knows no way to layer one");
  return createOwner({ transport, chain, account, rollup: info.rollup as `0x${string}` });
}

export async function readFunds(): Promise<Funds> {
  const own = owner();
  const [held, pending] = await Promise.all([own.tokenBalance(), own.pending()]);
  return { held, pending };
}

/** For what the wallet sends: it must be on this venue's chain. */
async function sender(): Promise<Owner> {
  const own = owner();
  await currentWallet()?.ready();
  return own;
}

/** Test tokens, where the token gives them to anybody. */
export async function mint(amount: number): Promise<void> {
  await (await sender()).mint(amount);
}

const registration = async (keyIndex: number) => ({
  index: keyIndex,
  key: (await ownKey(keyIndex)).publicKey,
  expiry: Math.floor(nodeNow() / 1000) + KEY_SECONDS,
});

/** With the key, where the account has not got it yet. Resolves once layer two has it. */
export async function deposit(
  amount: number,
  keyIndex: number | undefined,
  onStep: (text: string) => void,
): Promise<void> {
  onStep("Waiting for the wallet");
  const own = await sender();
  const key = keyIndex === undefined ? undefined : await registration(keyIndex);
  const { account } = await own.deposit({ amount, ...(key && { key }) });
  onStep("Mined; the venue credits it with its next batch");
  await arrived(account, key?.key.x, keyIndex);
  if (keyIndex !== undefined) await open(keyIndex);
}

export async function registerKey(keyIndex: number, onStep: (text: string) => void): Promise<void> {
  onStep("Waiting for the wallet");
  const key = await registration(keyIndex);
  const { account } = await (await sender()).registerKey(key);
  onStep("Mined; the venue takes the key with its next batch");
  await arrived(account, key.key.x, keyIndex);
  await open(keyIndex);
}

export async function claim(): Promise<number> {
  return (await (await sender()).claim()).amount;
}

const POLL_MS = 500;
const POLLS_MAX = 240;

async function arrived(account: number, x?: bigint, keyIndex?: number): Promise<void> {
  if (x === undefined) return;
  for (let count = 0; count < POLLS_MAX; count++) {
    const known = await exchange.account({ account }).catch(() => undefined);
    const key = known?.keys.find((each) => each.keyIndex === keyIndex);
    if (key !== undefined && BigInt(key.key.x) === x) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error("layer two has not taken the key yet: look again later");
}
