import assert from "node:assert/strict";
import { test } from "node:test";
import { privateKeyToAccount } from "viem/accounts";
import {
  deriveTradingKey,
  keyFromSignature,
  tradingKeyTypedData,
  WalletSignatureError,
} from "../../../sequencer/client/tradingKey.ts";

/** The first of Hardhat's ready-made accounts. */
const wallet = privateKeyToAccount(
  "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
);
const rollup = "0x5fbdb2315678afecb367f032d93f642f64180aa3";
const VECTOR = {
  x: 9381209569172082335821035606741447498657058849822741416734013214596440933856n,
  y: 720919855030880904646551887449656231908678212240656564778415115085649716380n,
};
const scope = { chainId: 31337, rollup, keyIndex: 0 } as const;

test("the derivation is fixed: another one would lock owners out of their keys", async () => {
  const { publicKey } = await deriveTradingKey(wallet, scope);
  assert.deepEqual(publicKey, VECTOR);
});

test("D5: chain, contract, index and version give different keys", async () => {
  const other = "0x0000000000000000000000000000000000000001";
  const scopes = [
    scope,
    { ...scope, chainId: 1 },
    { ...scope, rollup: other },
    { ...scope, keyIndex: 1 },
    { ...scope, version: "2" },
  ] as const;
  const secrets = new Set<bigint>();
  for (const item of scopes) secrets.add((await deriveTradingKey(wallet, item)).secret);
  assert.equal(secrets.size, scopes.length);
});

test("the form of the signature does not matter: v of 0 or 27, high or low s", async () => {
  const signature = await wallet.signTypedData(tradingKeyTypedData(scope));
  const r = signature.slice(0, 66);
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const high = (order - s).toString(16).padStart(64, "0");
  const { secret } = keyFromSignature(signature);
  const forms = [`${signature.slice(0, 130)}00`, `${r}${high}1b`] as `0x${string}`[];
  for (const form of forms) assert.equal(keyFromSignature(form).secret, secret);
});

test("D5: signatures that would not be found again are refused", async () => {
  const sign = (signature: `0x${string}`) => ({
    address: wallet.address,
    signTypedData: async () => signature,
  });
  await assert.rejects(deriveTradingKey(sign("0x1234"), scope), /65 bytes.*Got `2` bytes/);
  // Compact, and what a contract wallet answers.
  for (const bytes of [64, 96]) {
    const form = `0x${"11".repeat(bytes)}` as const;
    await assert.rejects(deriveTradingKey(sign(form), scope), new RegExp(`Got \`${bytes}\``));
  }
  const elsewhere = await wallet.signTypedData(tradingKeyTypedData({ ...scope, chainId: 1 }));
  await assert.rejects(deriveTradingKey(sign(elsewhere), scope), WalletSignatureError);
  const good = await wallet.signTypedData(tradingKeyTypedData({ ...scope, keyIndex: 1 }));
  await assert.rejects(deriveTradingKey(sign(good), scope), WalletSignatureError);
  await assert.rejects(deriveTradingKey(wallet, { ...scope, keyIndex: 4 }), /0 to 3. Got `4`/);
});
