// What the contracts do at the edges of their rules, where the other tests do not look: found by
// measuring coverage and by mutating the contracts (contracts/MUTANTS.md).
import assert from "node:assert/strict";
import { test } from "node:test";
import { getAddress, zeroAddress } from "viem";
import {
  alice,
  bob,
  carol,
  DEADLINE,
  deployRollup,
  deposit,
  networkHelpers,
  operator,
  refused,
  serve,
  viem,
  WINDOW,
} from "./rollupChain.ts";

const DAY = 86_400n;
const deployWorld = () => deployRollup();
const world = () => networkHelpers.loadFixture(deployWorld);
const addressOf = (client: typeof alice) => getAddress(client.account.address);
const registryConfig = {
  candidates: [],
  stake: 1n,
  evidenceWindow: 14n * DAY,
  unbondingDelay: 21n * DAY,
};

async function deployRegistry(overrides: Partial<typeof registryConfig> = {}) {
  const { token } = await world();
  const config = { ...registryConfig, ...overrides };
  const insurance = addressOf(carol);
  const args = [config, token.address, addressOf(alice), insurance, DAY] as const;
  return viem.deployContract("ValidatorRegistry", args);
}

test("a registry whose stakes are nothing, or gone before evidence, is not created", async () => {
  const rollup = await deployRegistry();
  const evidenceWindow = registryConfig.evidenceWindow;
  await refused({ rollup } as never, deployRegistry({ stake: 0n }), "StakeZero", []);
  for (const unbondingDelay of [evidenceWindow - 1n, evidenceWindow]) {
    const call = deployRegistry({ unbondingDelay });
    const values = [unbondingDelay, evidenceWindow];
    await refused({ rollup } as never, call, "UnbondingTooShort", values);
  }
  await deployRegistry({ unbondingDelay: evidenceWindow + 1n });
});

test("a rollup without governance cannot be paused, by anybody", async () => {
  const { rollup } = await world();
  for (const { account } of [operator, alice]) {
    for (const call of [rollup.write.pause, rollup.write.unpause]) {
      const caller = [getAddress(account.address)];
      await refused({ rollup }, call({ account }), "CallerMayNotPause", caller);
    }
  }
  assert.equal(await rollup.read.governance(), zeroAddress);
});

test("a late claim is reported as claimed and as paid", async () => {
  const it = await world();
  await deposit(it, alice, 100n);
  const owner = addressOf(alice);
  await serve(it, [{ kind: "deposit", account: 3, owner, amount: 100n }]);
  await it.rollup.write.forceCancelAll({ account: alice.account });
  await networkHelpers.time.increase(DEADLINE);
  await it.rollup.write.freeze();
  await networkHelpers.time.increase(WINDOW);
  await it.rollup.write.exitLate([3n, owner, 60n, [0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n]], {
    account: bob.account,
  });
  const [claimed] = await it.rollup.getEvents.ExitClaimed();
  assert.deepEqual(claimed?.args, { account: 3n, owner, amount: 60n });
  const [paid] = await it.rollup.getEvents.ExitPaid();
  assert.deepEqual(paid?.args, { account: 3n, owner, amount: 60n });
});
