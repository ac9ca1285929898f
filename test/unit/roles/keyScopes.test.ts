// What a key may do: every scope with every kind of message; nothing beyond it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { privateKeyToAccount } from "viem/accounts";
import { isSignedScope } from "../../../sequencer/l1/keyScope.ts";
import {
  KEY_SCOPES,
  type KeyScope,
  type KeyScopeSetting,
  keyScopeTypedData,
} from "../../../sequencer/protocol/keyScope.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import {
  BUY,
  CANCEL_ALL,
  createHeldMarket,
  DEADLINE,
  type HeldWorld,
  refusedFor,
  submitBy,
  tryHold,
} from "./heldFixture.ts";

/** Which scopes may say it. */
const MAY: readonly (readonly [Message, readonly KeyScope[]])[] = [
  [BUY, ["full", "noWithdrawals", "tradeOnly"]],
  [CANCEL_ALL, ["full", "noWithdrawals", "tradeOnly", "cancelOnly"]],
  [
    { kind: "cancel", book: 0, isSell: false, price: 490, seq: 1, deadline: DEADLINE },
    ["full", "noWithdrawals", "tradeOnly", "cancelOnly"],
  ],
  [{ kind: "withdraw", amount: 1, deadline: DEADLINE }, ["full"]],
  [{ kind: "transfer", amount: 1, to: 4, deadline: DEADLINE }, ["full"]],
  [{ kind: "backstop", from: 4, slot: 0, lots: 1, amount: 1, deadline: DEADLINE }, ["full"]],
];

const signature = (owner: bigint) => `0x${owner.toString(16).padStart(130, "0")}` as const;

let lastTime = 0;

async function setScope(
  { world, maker }: HeldWorld,
  scope: KeyScope,
  change: Partial<KeyScopeSetting> = {},
  owner = maker.owner,
) {
  lastTime = Math.max(lastTime + 1, world.clock.now());
  const setting = { account: maker.account, keyIndex: 1, version: 1, scope, time: lastTime };
  return world.sequencer.service.policy.setScope({ ...setting, ...change }, signature(owner));
}

test("scope by kind of message: nothing goes beyond it, held or sent", async () => {
  for (const scope of Object.keys(KEY_SCOPES) as KeyScope[]) {
    const market = await createHeldMarket();
    const { world, keys } = market;
    lastTime = 0;
    assert.equal(await setScope(market, scope), null);
    for (const [message, scopes] of MAY) {
      const isAllowed = scopes.includes(scope);
      const left = await tryHold(world, keys[0], {
        message,
        conditions: [{ type: "time", at: DEADLINE - 1 }],
      });
      const isTrade = "book" in message || message.kind === "cancelAll";
      const expected = isAllowed ? (isTrade ? undefined : "malformed") : undefined;
      if (!isAllowed && isTrade) assert.equal(refusedFor(left), "forbidden", scope);
      if (expected !== undefined) assert.equal(refusedFor(left), expected, scope);
      const sent = submitBy(world, keys[0], message);
      for (let count = 0; count < 3; count++) await world.step(600);
      const result = await sent;
      const isForbidden = !result.accepted && result.code === "forbidden";
      assert.equal(isForbidden, !isAllowed, `${scope}: ${message.kind}`);
    }
  }
});

test("a scope counts at once, also for what is held already and for what waits", async () => {
  const market = await createHeldMarket();
  const { world, maker, keys } = market;
  const at = world.clock.now() + 1000;
  const held = await tryHold(world, keys[0], { message: BUY, conditions: [{ type: "time", at }] });
  assert.ok(held.accepted);
  const withdrawal = submitBy(world, keys[1], MAY[3]![0]);
  assert.equal(await setScope(market, "cancelOnly"), null);
  assert.equal(await setScope(market, "noWithdrawals", { keyIndex: 2 }), null);
  for (let count = 0; count < 4; count++) await world.step(600);
  assert.equal(refusedFor(await withdrawal), "forbidden");
  const [ended] = await world.sequencer.service.policy.heldHistory(maker.account);
  assert.deepEqual([ended?.state, ended?.reason], ["refused", "forbidden"]);
});

test("only the owner sets it, for this key, and no setting of before comes back", async () => {
  const market = await createHeldMarket();
  const { world, keys } = market;
  const code = async (...given: Parameters<typeof setScope>) => (await setScope(...given))?.code;
  assert.equal(await code(market, "none", {}, 77n), "badSignature");
  assert.equal(await code(market, "none", { version: 2 }), "unknownKey");
  assert.equal(await code(market, "none", { keyIndex: 0, version: 9 }), "unknownKey");
  assert.equal(await code(market, "none", { account: 9 }), "unknownAccount");
  assert.equal(await code(market, "none", { time: world.clock.now() - 600_001 }), "deadlinePassed");
  const time = world.clock.now();
  assert.equal(await code(market, "full", { time }), undefined);
  assert.equal(await code(market, "none", { time: time + 1 }), undefined);
  assert.equal(await code(market, "full", { time }), "wrongHead", "replayed");
  const again = await world.restart();
  const { policy } = again.sequencer.service;
  assert.equal(policy.scope(3, 1), "none", "durable");
  assert.equal((await submitBy(again, keys[0], BUY)).accepted, false);
  assert.equal((await submitBy(again, keys[1], CANCEL_ALL)).accepted, true, "another key");
});

test("a wallet's signature is of every field, and of the deployment", async () => {
  const wallet = privateKeyToAccount(`0x${"7".repeat(64)}`);
  const domain = { chainId: 31337, rollup: `0x${"1".repeat(40)}` } as const;
  const setting = { account: 3, keyIndex: 1, version: 1, scope: "readOnly", time: 5 } as const;
  const signed = await wallet.signTypedData(keyScopeTypedData(domain, setting));
  const owner = BigInt(wallet.address);
  assert.equal(await isSignedScope(setting, signed, { ...domain, owner }), true);
  const others: readonly Partial<KeyScopeSetting>[] = [
    ...[{ account: 4 }, { keyIndex: 2 }, { version: 2 }, { scope: "full" as const }, { time: 6 }],
  ];
  for (const change of others) {
    const isSigned = await isSignedScope({ ...setting, ...change }, signed, { ...domain, owner });
    assert.equal(isSigned, false, JSON.stringify(change));
  }
  const elsewhere = { ...domain, chainId: 1, owner };
  assert.equal(await isSignedScope(setting, signed, elsewhere), false);
  assert.equal(await isSignedScope(setting, signed, { ...domain, owner: owner + 1n }), false);
  assert.equal(await isSignedScope(setting, `0x${"f".repeat(130)}`, { ...domain, owner }), false);
});
