// A4: whose silence opens which door, and that a pause, which silences everybody, opens none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getAddress } from "viem";
import {
  alice,
  bob,
  carol,
  deployRollup,
  deposit,
  eve,
  ledgerBatch,
  NO_PROOF,
  networkHelpers,
  nextBlockAt,
  operator,
  refused,
  submit,
  tradeBatch,
  viem,
} from "./rollupChain.ts";

const { time } = networkHelpers;
const DAY = 86_400;
const guardian = carol;
const addressOf = (client: typeof alice) => getAddress(client.account.address);

test("A4: a pause is nobody's silence, neither the operator's nor the validators'", async () => {
  const it = await networkHelpers.loadFixture(deployCertified);
  const as = { account: guardian.account };
  await deposit(it, alice, 40n);
  await it.rollup.write.pause(as);
  const end = await it.rollup.read.pausedUntil();
  const open = end + BigInt(DAY);
  const stranger = async (seconds = end) => {
    const header = { time: seconds * 1000n, snapshotTime: seconds * 1000n };
    const words = await ledgerBatch(it, [], header);
    return it.rollup.write.submitBatch([words, 9n, NO_PROOF, "0x"], { account: eve.account });
  };
  const names = [addressOf(eve), addressOf(operator)];
  for (const moment of [end, open - 1n]) {
    await nextBlockAt(moment);
    await refused(it, stranger(), "SubmitterNotOperator", [...names, open]);
    await refused(it, submit(it, await tradeBatch(it)), "CertificateMissing", [1n, open]);
  }
  await nextBlockAt(open);
  await stranger(open);
  // One that is ended early counts up to its end.
  await time.increaseTo(await it.rollup.read.pausableAt());
  await it.rollup.write.pause(as);
  await it.rollup.write.unpause(as);
  const ended = BigInt(await time.latest());
  assert.equal(await it.rollup.read.pausedUntil(), ended);
  const next = ended + BigInt(DAY);
  await refused(it, stranger(), "SubmitterNotOperator", [...names, next]);
  await refused(it, submit(it, await tradeBatch(it)), "CertificateMissing", [2n, next]);
});

async function deployCertified() {
  const governance = await viem.deployContract("Governance", [
    42n * BigInt(DAY),
    bob.account.address,
    guardian.account.address,
  ]);
  const owner = addressOf(alice);
  const it = await deployRollup({
    governance: governance.address,
    validators: {
      ...{ candidates: [{ signer: owner, owner }], stake: 10n },
      ...{ evidenceWindow: 1n, unbondingDelay: 2n },
    },
  });
  const registry = await viem.getContractAt("ValidatorRegistry", await it.rollup.read.validators());
  const as = { account: alice.account };
  await it.token.write.mint([owner, 10n]);
  await it.token.write.approve([registry.address, 10n], as);
  await registry.write.bond([owner], as);
  return it;
}
