// The key file that a program trades with: written once, for its owner's eyes, without the wallet.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parseKeyFile } from "../../../sequencer/client/keyFile.ts";
import { INFO, ROLLUP } from "../api/fakeService.ts";
import { startCommandLine, walletSecret } from "./commandLine.ts";

test("a registered trading key is kept in a file, and no file is written over", async (context) => {
  const { run, folder, service } = await startCommandLine(context);
  const { code, out, err } = await run("key --export bot.json --dev-account 0");
  assert.equal(code, 0, err);
  const file = path.join(folder, "bot.json");
  const { account } = (await service.account({ id: 7 }))!;
  const kept = parseKeyFile(readFileSync(file, "utf8"));
  assert.deepEqual(kept, {
    ...{ chainId: INFO.chainId, rollup: ROLLUP, account },
    keys: [{ index: 0, secret: await walletSecret() }],
  });
  assert.match(out, /kept key 0 of account/);
  assert.ok(!out.includes(kept.keys[0]!.secret.toString(16)));
  if (process.platform !== "win32") assert.equal(statSync(file).mode & 0o777, 0o600);
  const again = await run("key --export bot.json --dev-account 0");
  assert.equal(again.code, 2);
  assert.match(again.err, /exists already/);
});

test("a second key goes with it, where it is registered and another one", async (context) => {
  const { run, folder, service } = await startCommandLine(context);
  const asked = "key --export two.json --dev-account 0 --guard-index";
  for (const [line, pattern] of [
    [`${asked} 1`, /key `1` is not registered yet: `straddle --key-index 1 key --register`/],
    [`${asked} 0`, /must be another key/],
    [`${asked} 4`, /from 0 to 3. Got `4`/],
    ["key --guard-index 1 --dev-account 0", /goes with `--export` only/],
    ["key --export a.json --revoke --dev-account 0", /exclude each other/],
  ] as const) {
    const { code, err } = await run(line);
    assert.equal(code, 2, line);
    assert.match(err, pattern);
  }
  const account = service.account;
  service.account = async (who) => {
    const found = await account(who);
    const [first] = found?.keys ?? [];
    return found && first ? { ...found, keys: [first, { ...first, keyIndex: 1 }] } : found;
  };
  assert.equal((await run(`${asked} 1`)).code, 0);
  const { keys } = parseKeyFile(readFileSync(path.join(folder, "two.json"), "utf8"));
  assert.deepEqual(
    keys.map(({ index }) => index),
    [0, 1],
  );
  assert.notEqual(keys[0]!.secret, keys[1]!.secret);
});
