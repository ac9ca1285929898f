import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { privateKeyToAddress } from "viem/accounts";
import {
  type AttestationDomain,
  createAttester,
  isSignedRefusal,
  recoverAttester,
} from "../../../sequencer/l1/attestation.ts";
import { developmentAccount } from "../../../sequencer/l1/developmentAccount.ts";
import {
  decryptKey,
  encryptKey,
  KeystoreError,
  readKeystore,
  writeKeystore,
} from "../../../sequencer/l1/keystore.ts";
import { loadPrivateKey } from "../../../sequencer/node/keys.ts";

const PRIVATE_KEY = `0x${"1b".repeat(32)}` as const;

// The scrypt example of the Web3 Secret Storage Definition.
const PUBLISHED = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "83dbcc02d8ccb40e466191a123791e0e" },
    ciphertext: "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
    kdf: "scrypt",
    kdfparams: {
      dklen: 32,
      n: 262144,
      r: 1,
      p: 8,
      salt: "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
    },
    mac: "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};

test("the published keystore opens with its password", async () => {
  const text = JSON.stringify(PUBLISHED);
  const key = await decryptKey(text, "testpassword");
  assert.equal(key, "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d");
});

test("a wrong password is refused", async () => {
  const { crypto } = PUBLISHED;
  // Cheap parameters: every password is wrong for them.
  const kdfparams = { ...crypto.kdfparams, n: 2, p: 1 };
  const text = JSON.stringify({ ...PUBLISHED, crypto: { ...crypto, kdfparams } });
  await assert.rejects(decryptKey(text, "testpassword"), /the password is wrong/);
});

test("a key comes back from its file, which nobody else can read or overwrite", async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), "straddle-keystore-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "key.json");
  const options = { file, privateKey: PRIVATE_KEY, password: "pässword" };
  await writeKeystore(options);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(!(await readFile(file, "utf8")).includes(PRIVATE_KEY.slice(2)));
  // Composed and decomposed letters are the same password.
  assert.equal(await readKeystore(file, "pässword"), PRIVATE_KEY);
  await assert.rejects(writeKeystore(options), { code: "EEXIST" });
});

test("what is no keystore is refused with a reason", async () => {
  const { crypto } = PUBLISHED;
  const greedy = { ...crypto, kdfparams: { ...crypto.kdfparams, n: 2 ** 30 } };
  const texts = [
    "{",
    JSON.stringify({ ...PUBLISHED, version: 1 }),
    JSON.stringify({ ...PUBLISHED, crypto: { ...crypto, cipher: "aes-128-cbc" } }),
    JSON.stringify({ ...PUBLISHED, crypto: { ...crypto, kdf: "pbkdf2" } }),
    JSON.stringify({ ...PUBLISHED, crypto: greedy }),
  ];
  for (const text of texts) await assert.rejects(decryptKey(text, "testpassword"), KeystoreError);
  await assert.rejects(encryptKey("0x12", "short key"), RangeError);
});

test("development accounts exist on development chains only", () => {
  const { address } = developmentAccount(0, 31337);
  assert.equal(address, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
  assert.notEqual(developmentAccount(1, 1337).address, address);
  for (const chainId of [1, 11155111, 0]) {
    assert.throws(() => developmentAccount(0, chainId), RangeError);
  }
});

test("E19 a refusal counts for who signed it, on its own chain and contract", async () => {
  const domain: AttestationDomain = { chainId: 31337, rollup: `0x${"aa".repeat(20)}` };
  const attester = createAttester(PRIVATE_KEY, domain);
  const said = { position: 12, logHash: "cd".repeat(32), reason: "the root differs" };
  const refusal = await attester.refuse(said);
  assert.equal(await isSignedRefusal(refusal, domain), true);
  const changed = [
    { ...refusal, position: 13 },
    { ...refusal, position: -1 },
    { ...refusal, logHash: "ce".repeat(32) },
    { ...refusal, logHash: "cd" },
    { ...refusal, reason: "the words differ" },
    { ...refusal, validator: createAttester(`0x${"2c".repeat(32)}`, domain).address },
    { ...refusal, signature: "0x" },
  ];
  for (const item of changed) assert.equal(await isSignedRefusal(item, domain), false);
  assert.equal(await isSignedRefusal(refusal, { ...domain, chainId: 1 }), false);
});

test("D5: an attestation counts for who signed it, on its own chain and contract", async () => {
  const domain: AttestationDomain = { chainId: 31337, rollup: `0x${"aa".repeat(20)}` };
  const attester = createAttester(PRIVATE_KEY, domain);
  assert.equal(attester.address, privateKeyToAddress(PRIVATE_KEY));
  const attestation = await attester.attest({
    ...{ number: 7, root: 2n ** 253n + 5n },
    ...{ wordsHash: "ab".repeat(32), logHash: "cd".repeat(32) },
  });
  assert.equal(await recoverAttester(attestation, domain), attester.address);
  const other = createAttester(`0x${"2c".repeat(32)}`, domain).address;
  const { root, signature } = attestation;
  const changed = [
    { ...attestation, number: 8 },
    { ...attestation, number: -1 },
    { ...attestation, root: root.replace("5", "6") },
    { ...attestation, root: "0x5" },
    { ...attestation, wordsHash: "ac".repeat(32) },
    { ...attestation, wordsHash: "ab" },
    { ...attestation, logHash: "ce".repeat(32) },
    { ...attestation, validator: other },
    { ...attestation, signature: signature.replace(/..$/, "ff") },
    { ...attestation, signature: "0x" },
  ];
  for (const item of changed) assert.equal(await recoverAttester(item, domain), undefined);
  const elsewhere = [
    { ...domain, chainId: 1 },
    { ...domain, rollup: `0x${"ab".repeat(20)}` as const },
  ];
  for (const item of elsewhere) assert.equal(await recoverAttester(attestation, item), undefined);
});

test("D5: the sequencer takes attestations in the one form that layer one takes", async () => {
  const domain: AttestationDomain = { chainId: 31337, rollup: `0x${"aa".repeat(20)}` };
  const attester = createAttester(PRIVATE_KEY, domain);
  const hashes = { wordsHash: "ab".repeat(32), logHash: "cd".repeat(32) };
  const attestation = await attester.attest({ number: 7, root: 5n, ...hashes });
  const { signature } = attestation;
  const [r, s, v] = [signature.slice(2, 66), signature.slice(66, 130), signature.slice(130)];
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const highS = (order - BigInt(`0x${s}`)).toString(16).padStart(64, "0");
  const parity = v === "1b" ? 0n : 1n;
  const compactS = (BigInt(`0x${s}`) | (parity << 255n)).toString(16).padStart(64, "0");
  const forms = {
    "high s": `${r}${highS}${v === "1b" ? "1c" : "1b"}`,
    "v of 0 or 1": `${r}${s}0${parity}`,
    "v of EIP-155": `${r}${s}25`,
    compact: `${r}${compactS}`,
    "a byte more": `${r}${s}${v}00`,
    "another's parity": `${r}${s}${v === "1b" ? "1c" : "1b"}`,
  };
  for (const [name, form] of Object.entries(forms)) {
    const other = { ...attestation, signature: `0x${form}` };
    assert.equal(await recoverAttester(other, domain), undefined, name);
  }
  assert.equal(await recoverAttester(attestation, domain), attester.address);
});

test("E11 a node's keystore opens with a file, never by the environment", async (context) => {
  const folder = await mkdtemp(path.join(tmpdir(), "straddle-keystore-"));
  context.after(() => rm(folder, { recursive: true }));
  const [keystore, passwordFile] = [path.join(folder, "key.json"), path.join(folder, "password")];
  await writeKeystore({ file: keystore, privateKey: PRIVATE_KEY, password: "open it" });
  await writeFile(passwordFile, "open it\n");
  assert.equal(await loadPrivateKey({ keystore, passwordFile }, 1), PRIVATE_KEY);
  const absent = path.join(folder, "none");
  await assert.rejects(loadPrivateKey({ keystore, passwordFile: absent }, 1), /cannot be read/);
  // No terminal here: a child of the test has none either.
  const script = `
    import { loadPrivateKey } from "./sequencer/node/keys.ts";
    await loadPrivateKey({ keystore: process.argv[1] }, 1).catch((error) => {
      process.stdout.write(error.message);
    });
  `;
  const { stdout } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", script, keystore],
    { encoding: "utf8", env: { ...process.env, STRADDLE_PASSWORD: "open it" }, input: "" },
  );
  assert.match(stdout, /no terminal to ask for the password of .*; name a `passwordFile`/);
});
