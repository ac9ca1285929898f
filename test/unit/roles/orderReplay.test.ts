// D5, the sequencer's part: orders are EdDSA signatures on a key's chain, which begins with domain
// (chain and contract), account, key index and version. None of them counts anywhere else or twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import {
  publicKeyOf,
  type Signature,
  SUBGROUP_ORDER,
  sign,
} from "../../../sequencer/protocol/eddsa.ts";
import { firstHead, messageWord, nextHead } from "../../../sequencer/protocol/messages.ts";
import {
  createMarket,
  createTrader,
  DOMAIN,
  EXPIRY,
  PLACE,
  type TestTrader,
  type World,
} from "./market.ts";

interface Begin {
  readonly domain?: bigint;
  readonly account?: number;
  readonly keyIndex?: number;
  readonly version?: number;
}

function order(world: World) {
  return { ...PLACE, deadline: world.clock.now() + 60_000 };
}

/** The trader's first order, signed as if the chain began so. */
function signedFrom(world: World, trader: TestTrader, begin: Begin) {
  const word = messageWord(order(world));
  const chain = { domain: DOMAIN, account: trader.account, keyIndex: 0, version: 1, ...begin };
  return { word, signature: sign(trader.secret, nextHead(firstHead(chain), word)) };
}

async function answer(
  world: World,
  account: number,
  signed: { word: bigint; signature: Signature },
): Promise<string> {
  const result = await world.sequencer.service.submit({ account, keyIndex: 0, ...signed });
  return result.accepted ? "accepted" : result.code;
}

test("D5: an order for another chain, contract, account, key or version is refused", async () => {
  const { world, maker } = await createMarket();
  const others: readonly Begin[] = [
    { domain: DOMAIN + 1n },
    { account: 4 },
    { keyIndex: 1 },
    { version: 2 },
  ];
  for (const other of others) {
    const signed = signedFrom(world, maker, other);
    assert.equal(
      await answer(world, 3, signed),
      "badSignature",
      JSON.stringify(Object.keys(other)),
    );
  }
  assert.equal(await answer(world, 3, signedFrom(world, maker, {})), "accepted");
});

test("D5: an order does not count for another account, not even of the same key", async () => {
  const { world, maker } = await createMarket();
  const twin = { ...createTrader(5), secret: maker.secret };
  assert.deepEqual(publicKeyOf(twin.secret), publicKeyOf(maker.secret));
  world.open(twin, 1_000_000_000);
  for (let count = 0; count < 5; count++) await world.step(400);
  const signed = signedFrom(world, maker, {});
  assert.equal(await answer(world, 5, signed), "badSignature");
  assert.equal(await answer(world, 4, signed), "badSignature");
  assert.equal(await answer(world, 5, signedFrom(world, twin, {})), "accepted");
});

test("D5: the chain is the nonce: an order counts once, and in its turn only", async () => {
  const { world, maker } = await createMarket();
  const first = maker.next(order(world));
  const second = maker.next(order(world));
  assert.equal(await answer(world, 3, second), "badSignature");
  assert.equal(await answer(world, 3, first), "accepted");
  assert.equal(await answer(world, 3, first), "wrongHead");
  assert.equal(await answer(world, 3, second), "accepted");
  assert.equal(await answer(world, 3, first), "badSignature");
});

test("D5: an order past its deadline, and one of a key that expired, are refused", async () => {
  const { world, maker } = await createMarket();
  const signed = maker.peek({ ...order(world), deadline: world.clock.now() + 1000 });
  await world.step(10_000);
  assert.equal(await answer(world, 3, signed), "deadlinePassed");
  world.clock.advance(2 * (EXPIRY * 1000 - world.clock.now()) + 200 * 3_600_000);
  await world.step(1000);
  assert.equal(await answer(world, 3, maker.peek(order(world))), "keyExpired");
});

test("D5: the same signature with a larger s, or of another point, is refused", async () => {
  const { world, maker } = await createMarket();
  const { word, signature } = maker.peek(order(world));
  const { r8x, r8y, s } = signature;
  const forms: Signature[] = [
    { r8x, r8y, s: s + SUBGROUP_ORDER },
    { r8x, r8y, s: SUBGROUP_ORDER - s },
    { r8x: FIELD_MODULUS - r8x, r8y, s },
    { r8x: r8x + FIELD_MODULUS, r8y, s },
    { r8x: r8y, r8y: r8x, s },
  ];
  for (const form of forms) {
    assert.equal(await answer(world, 3, { word, signature: form }), "badSignature");
  }
  assert.equal(await answer(world, 3, { word, signature }), "accepted");
});
