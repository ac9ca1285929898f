import assert from "node:assert/strict";
import { test } from "node:test";
import { wireSignature } from "../../../sequencer/client/exchange.ts";
import { publicKeyOf, sign } from "../../../sequencer/protocol/eddsa.ts";
import { readRequestHash } from "../../../sequencer/protocol/receipt.ts";
import { sessionHash } from "../../../sequencer/protocol/session.ts";
import { DOMAIN } from "../roles/market.ts";
import { type RpcSocket, startRpc } from "./rpcFixture.ts";

async function challengeOf(socket: RpcSocket): Promise<string> {
  const { result } = await socket.call("straddle/get_challenge");
  return (result as { challenge: string }).challenge;
}

function answered(challenge: string, secret: bigint, account = 3, signedFor = account) {
  const asked = { domain: DOMAIN, account: signedFor, keyIndex: 0, challenge: BigInt(challenge) };
  const signature = wireSignature(sign(secret, sessionHash(asked)));
  return { account, key_index: 0, challenge, signature };
}

test("a session needs the key's signature over this connection's newest challenge", async (c) => {
  const { maker, taker, ...rpc } = await startRpc(c);
  const [socket, other] = [await rpc.socket(), await rpc.socket()];
  const early = await socket.call("private/get_positions");
  assert.equal(early.error?.code, 10000);
  const first = await challengeOf(socket);
  const second = await challengeOf(socket);
  assert.notEqual(first, second);
  const foreign = await challengeOf(other);
  const refused = [answered(first, maker.secret), answered(foreign, maker.secret)];
  for (const params of refused) {
    const { error } = await socket.call("public/auth", params);
    assert.equal(error?.code, 13009);
    assert.match(error?.data.reason ?? "", /newest challenge/);
  }
  const wrong = [
    { code: 13009, of: (text: string) => answered(text, taker.secret) },
    { code: 13009, of: (text: string) => answered(text, maker.secret, 3, 4) },
    { code: 13004, of: (text: string) => answered(text, maker.secret, 99) },
    { code: 13004, of: (text: string) => ({ ...answered(text, maker.secret), key_index: 3 }) },
  ];
  for (const { code, of } of wrong) {
    const { error } = await socket.call("public/auth", of(await challengeOf(socket)));
    assert.equal(error?.code, code);
  }
  const good = answered(await challengeOf(socket), maker.secret);
  assert.equal((await socket.call("public/auth", good)).error, undefined);
  const again = await other.call("public/auth", good);
  assert.equal(again.error?.code, 13009, "a signature opens one session on one connection");
  assert.equal((await socket.call("public/auth", good)).error?.code, 13009, "and only once");
  assert.equal((await socket.call("private/get_positions")).error, undefined);
  assert.equal((await other.call("private/get_positions")).error?.code, 10000);
  await socket.call("private/subscribe", { channels: ["user.portfolio.USDC"] });
  await socket.call("private/logout");
  assert.equal((await socket.call("private/get_positions")).error?.code, 10000);
  const left = await socket.call("public/subscribe", { channels: ["platform_state"] });
  assert.deepEqual(left.result, ["platform_state"], "its channels have ended with it");
});

test("a key that is replaced or expires ends its sessions and what they hear", async (context) => {
  const { maker, taker, world, ...rpc } = await startRpc(context);
  const socket = await rpc.socket();
  await socket.login(maker);
  const channel = "user.orders.any.any.raw";
  await socket.call("private/subscribe", { channels: [channel] });
  const { account, owner } = maker;
  const key = publicKeyOf(taker.secret);
  const keyExpiry = Math.floor(world.clock.now() / 1000) + 1000;
  world.settlement.enqueue({ kind: "registerKey", account, owner, keyIndex: 0, key, keyExpiry });
  for (let count = 0; count < 5; count++) await world.step(400);
  const { error } = await socket.call("private/get_account_summary");
  assert.equal(error?.message, "authorization_required", "the session is over at once");
  const left = await socket.call("public/subscribe", { channels: ["platform_state"] });
  assert.deepEqual(left.result, ["platform_state"], "it hears of the account no more");
  const renewed = await socket.call(
    "public/auth",
    answered(await challengeOf(socket), taker.secret),
  );
  assert.equal(renewed.error, undefined);
  world.clock.advance(1_000_000);
  assert.equal((await socket.call("private/get_account_summary")).error?.code, 13009);
});

test("who logs in as another hears nothing more of the first", async (context) => {
  const { maker, taker, ...rpc } = await startRpc(context);
  const socket = await rpc.socket();
  await socket.login(maker);
  const own = ["user.orders.any.any.raw", "user.portfolio.any"];
  await socket.call("private/subscribe", { channels: [...own, "platform_state"] });
  assert.equal((await socket.login(maker)).error, undefined);
  const kept = await socket.call("public/subscribe", { channels: ["platform_state"] });
  assert.deepEqual(kept.result, [...own, "platform_state"], "the same account goes on");
  assert.equal((await socket.login(taker)).error, undefined);
  const left = await socket.call("public/subscribe", { channels: ["platform_state"] });
  assert.deepEqual(left.result, ["platform_state"]);
});

test("over HTTP each request is signed, for a minute and one account", async (context) => {
  const { maker, taker, world, ...rpc } = await startRpc(context);
  const header = (secret: bigint, time: number, id = "3/0") => {
    const [account = 0, keyIndex = 0] = id.split("/").map(Number);
    const hash = readRequestHash({ domain: DOMAIN, account, keyIndex, time });
    const { r8x, r8y, s } = wireSignature(sign(secret, hash));
    return { authorization: `straddle-eddsa id=${id},ts=${time},sig=${r8x}:${r8y}:${s}` };
  };
  const now = world.clock.now();
  const method = "private/get_account_summary";
  const own = await rpc.post(method, {}, header(maker.secret, now));
  assert.equal((own.result as { id: number }).id, 3);
  const cases: readonly (readonly [Record<string, string>, number])[] = [
    [{}, 10000],
    [{ authorization: "Bearer token" }, 10000],
    [header(taker.secret, now), 13009],
    [header(maker.secret, now - 60_001), 13009],
    [header(maker.secret, now + 60_001), 13009],
    [header(maker.secret, now, "3/1"), 13004],
  ];
  for (const [headers, code] of cases) {
    assert.equal((await rpc.post(method, {}, headers)).error?.code, code);
  }
  const needs = await rpc.post("private/subscribe", { channels: ["user.portfolio.USDC"] });
  assert.equal(needs.error?.code, 10030);
});
