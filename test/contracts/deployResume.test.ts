// A deployment's transactions that are slow to be mined: replaced, never doubled.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { createWalletClient, http, type PublicClient, TransactionReceiptNotFoundError } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import { createSender } from "../../scripts/deploy/deployer.ts";
import { openJournal } from "../../scripts/deploy/journal.ts";
import { startHardhat, stopNodes } from "../support/localNode.ts";

const root = path.join(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(tmpdir(), "straddle-resume-"));
const at = (name: string): string => path.join(folder, name);
const deployer = mnemonicToAccount("test test test test test test test test test test test junk", {
  addressIndex: 9,
});
const node = startHardhat();
const onHardhat = () => node;

after(() => {
  stopNodes();
  rmSync(folder, { recursive: true, force: true });
});

test("a transaction that is not mined is replaced at a higher fee", async (context) => {
  const { client: publicClient, rpc } = await onHardhat();
  const walletClient = createWalletClient({
    ...{ chain: hardhat, transport: http(rpc), account: deployer },
  });
  const file = at("stuck.json");
  const from = deployer.address;
  const before = await publicClient.getTransactionCount({ address: from });
  const artifactFile = "artifacts/contracts/mocks/AcceptingVerifier.sol/AcceptingVerifier.json";
  const artifact = JSON.parse(readFileSync(path.join(root, artifactFile), "utf8"));
  const attempt = () => {
    const journal = openJournal(file, { chainId: 31337, from });
    const sender = createSender({
      ...{ publicClient, walletClient, journal, minedWithinSeconds: 0 },
    });
    return { journal, done: sender.deploy("AcceptingVerifier", artifact, []) };
  };
  const mining = (isOn: boolean) =>
    publicClient.request({ method: "evm_setAutomine", params: [isOn] } as never);
  context.after(() => mining(true));
  await mining(false);
  const first = attempt();
  await assert.rejects(first.done, /not mined in `0` seconds: run the same command/);
  const second = attempt();
  await assert.rejects(second.done, /not mined/);
  const { attempts } = second.journal.steps()[0]!;
  assert.equal(attempts.length, 2);
  const [low, high] = attempts.map(({ maxFeePerGas }) => BigInt(maxFeePerGas));
  assert.ok(high! * 8n > low! * 9n);
  await publicClient.request({ method: "evm_mine", params: [] } as never);
  await mining(true);
  const { address } = await attempt().done;
  assert.ok(await publicClient.getCode({ address }));
  assert.equal(await publicClient.getTransactionCount({ address: from }), before + 1);
});

test("what is mined while the next run begins is not sent again", async (context) => {
  const { client, rpc } = await onHardhat();
  const walletClient = createWalletClient({
    ...{ chain: hardhat, transport: http(rpc), account: deployer },
  });
  const from = deployer.address;
  const before = await client.getTransactionCount({ address: from });
  const artifactFile = "artifacts/contracts/mocks/AcceptingVerifier.sol/AcceptingVerifier.json";
  const artifact = JSON.parse(readFileSync(path.join(root, artifactFile), "utf8"));
  const attempt = (publicClient: PublicClient) => {
    const journal = openJournal(at("raced.json"), { chainId: 31337, from });
    const options = { publicClient, walletClient, journal, minedWithinSeconds: 0 };
    return createSender(options).deploy("AcceptingVerifier", artifact, []);
  };
  const request = (method: string, params: unknown[] = []) =>
    client.request({ method, params } as never);
  context.after(() => request("evm_setAutomine", [true]));
  await request("evm_setAutomine", [false]);
  await assert.rejects(attempt(client), /not mined/);
  // Mined just before the nonce is told, by a machine that is ahead of the one with receipts.
  let late = 2;
  const racing: PublicClient = {
    ...client,
    getTransactionCount: async (of) => {
      await request("evm_mine");
      return client.getTransactionCount(of);
    },
    getTransactionReceipt: async ({ hash }) => {
      if (late-- > 0) throw new TransactionReceiptNotFoundError({ hash });
      return client.getTransactionReceipt({ hash });
    },
    getCode: async (of) => (late >= 0 ? undefined : client.getCode(of)),
  };
  const { address } = await attempt(racing);
  assert.ok(late < 0 && (await client.getCode({ address })) !== undefined);
  assert.equal(await client.getTransactionCount({ address: from }), before + 1);
});
