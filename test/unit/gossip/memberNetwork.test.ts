// Two members with a real stream each way: who is cut off, and who is not.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Message } from "../../../sequencer/consensus/message.ts";
import { createMemberNetwork, type MemberMesh } from "../../../sequencer/gossip/memberNetwork.ts";
import { peerIdOf } from "../../../sequencer/gossip/peerNode.ts";
import type { Logger } from "../../../sequencer/ports.ts";
import { silent } from "../roles/ports.ts";

const SEEDS = ["a1".repeat(32), "b2".repeat(32)];
const REQUEST: Message = { type: "request", block: "cd".repeat(32) };

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !holds(); await sleep(20)) {
    if (performance.now() > end) throw new Error(`not within 20 s: ${what}`);
  }
}

/** Two members that know each other, and what the first one's log has of errors. */
async function createPair(context: TestContext) {
  const peers = await Promise.all(SEEDS.map(peerIdOf));
  const meshes: MemberMesh[] = [];
  const errors: string[] = [];
  const logger: Logger = { ...silent, error: (message) => void errors.push(message) };
  for (const [self, seed] of SEEDS.entries()) {
    const mesh = await createMemberNetwork({
      ...{ listen: "/ip4/127.0.0.1/tcp/0", seed, peers, self },
      addressOf: (member) => meshes[member]?.addresses()[0],
      source: { record: async function* () {} },
      limits: { patienceMs: 50 },
      logger: self === 0 ? logger : silent,
    });
    meshes.push(mesh);
    context.after(() => mesh.stop());
  }
  const [own, other] = meshes as [MemberMesh, MemberMesh];
  const areConnected = () => own.connected().length === 1 && other.connected().length === 1;
  await until("both are connected", areConnected);
  return { own, other, errors };
}

test("whoever sends what has a fault is cut off", async (context) => {
  const { own, other, errors } = await createPair(context);
  own.onMessage(() => "the vote is not signed by its validator");
  other.send([0], REQUEST);
  await until("it is cut off", () => errors.length > 0);
  assert.deepEqual(errors, ["a member breaks the protocol and is cut off"]);
});

test("an error of one's own blames nobody", async (context) => {
  const { own, other, errors } = await createPair(context);
  let taken = 0;
  own.onMessage(() => {
    taken += 1;
    if (taken === 1) throw new TypeError("a bug");
    return undefined;
  });
  other.send([0], REQUEST);
  await until("the first message is taken", () => taken === 1);
  await until("another is taken after it", () => {
    other.send([0], REQUEST);
    return taken > 1;
  });
  assert.deepEqual(errors, []);
});
