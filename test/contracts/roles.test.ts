// D4: the table of who may call what, line by line, asked of the contracts with every caller.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import {
  type Abi,
  type AbiFunction,
  type AbiParameter,
  type Address,
  encodeFunctionData,
  zeroHash,
} from "viem";
import { builtAbis } from "../../scripts/generate.ts";
import { ACCESS, changingFunctions, ROLES, type Role, rolesText } from "../../scripts/roles.ts";
import {
  alice,
  bob,
  carol,
  clients,
  DEADLINE,
  deployRollup,
  deposit,
  eve,
  networkHelpers,
  operator,
  publicClient,
  STAKE,
  viem,
} from "./rollupChain.ts";

const { time } = networkHelpers;
const DELAY = 42 * 86_400;
const [validatorOwner, active, candidate] = clients.slice(10) as [
  (typeof clients)[number],
  (typeof clients)[number],
  (typeof clients)[number],
];
/** Errors that say "not you"; every other one says "not now" or "not this". */
const REFUSALS = [
  "CallerNotGovernance",
  "CallerMayNotPause",
  "CallerNotRollup",
  "CallerNotOwner",
  "SubmitterNotOperator",
  "SubmitterNotPlain",
  "AccessControlUnauthorizedAccount",
  "TimelockUnauthorizedCaller",
];
const STOPPED = { paused: "PausedUntil", frozen: "AlreadyFrozen", live: "NotFrozen" } as const;
const abis = builtAbis();

async function deployAll() {
  const [proposer, guardian] = [bob, carol];
  const governance = await viem.deployContract("Governance", [
    BigInt(DELAY),
    proposer.account.address,
    guardian.account.address,
  ]);
  const owner = validatorOwner.account.address;
  const it = await deployRollup({
    governance: governance.address,
    validators: {
      candidates: [active, candidate].map(({ account }) => ({ signer: account.address, owner })),
      ...{ stake: STAKE, evidenceWindow: 1n, unbondingDelay: 2n },
    },
  });
  const registryAddress = await it.rollup.read.validators();
  const registry = await viem.getContractAt("ValidatorRegistry", registryAddress);
  const as = { account: validatorOwner.account };
  await it.token.write.mint([owner, 2n * STAKE]);
  await it.token.write.approve([registry.address, 2n * STAKE], as);
  await registry.write.bond([active.account.address], as);
  const addresses: Record<string, Address> = {
    Rollup: it.rollup.address,
    CollateralVault: it.vault.address,
    ValidatorRegistry: registry.address,
    Governance: governance.address,
  };
  const callers: Record<Role, Address> = {
    anyone: eve.account.address,
    operator: operator.account.address,
    guardian: guardian.account.address,
    proposer: proposer.account.address,
    timelock: governance.address,
    validatorOwner: owner,
    rollup: it.rollup.address,
  };
  return { ...it, guardian, addresses, callers };
}

type Everything = Awaited<ReturnType<typeof deployAll>>;

/** Something of each type that gets a call past the decoder. */
function dummy(parameter: AbiParameter): unknown {
  const { type } = parameter;
  const components = "components" in parameter ? parameter.components : [];
  const size = type.match(/\[(\d*)\]$/);
  if (size !== null) {
    const inner = { ...parameter, type: type.slice(0, -size[0].length) } as AbiParameter;
    return Array.from({ length: Number(size[1] || 0) }, () => dummy(inner));
  }
  if (type === "tuple") {
    return Object.fromEntries(components.map((part) => [part.name, dummy(part)]));
  }
  if (type === "address") return active.account.address;
  if (type === "bytes") return "0x";
  if (type === "bool") return false;
  if (type.startsWith("bytes")) return zeroHash.slice(0, 2 + 2 * Number(type.slice(5)));
  return /int(8|16|24|32|40|48)$/.test(type) ? 0 : 0n;
}

function argumentsOf({ callers }: Everything, { name, inputs }: AbiFunction, caller: Role) {
  if (name === "updateDelay") return [BigInt(DELAY)];
  if (name === "bond") return [candidate.account.address];
  // Only for oneself, whoever that is; a role of the zero hash is nobody's.
  if (name === "renounceRole") return [zeroHash, callers[caller]];
  return inputs.map(dummy);
}

/** The error that a call ends in; undefined if it would succeed. */
async function outcome(it: Everything, contract: string, item: AbiFunction, caller: Role) {
  const args = argumentsOf(it, item, caller);
  const data = encodeFunctionData({ abi: abis[contract] as Abi, functionName: item.name, args });
  const call = { account: it.callers[caller], to: it.addresses[contract]!, data };
  try {
    await publicClient.call(call);
    return undefined;
  } catch (error) {
    return String((error as Error).message).match(/custom error '?"?(\w+)/)?.[1] ?? "another";
  }
}

const lines = Object.entries(ACCESS).flatMap(([contract, table]) =>
  changingFunctions(abis[contract] as Abi).map((item) => ({
    ...{ contract, item },
    access: table[item.name]!,
  })),
);

test("D4: the table in the docs is the access that is tested here", () => {
  const file = path.join(import.meta.dirname, "../../contracts/ROLES.md");
  assert.equal(readFileSync(file, "utf8"), rolesText(abis));
  assert.throws(() => rolesText({ ...abis, Rollup: [] }), /surplus `deposit/);
  const { CollateralVault: vault = [], Governance: governance = [] } = abis;
  assert.throws(
    () => rolesText({ ...abis, CollateralVault: [...vault, ...governance] }),
    /missing/,
  );
});

test("D4: whoever the table does not name is refused, whoever it names is not", async () => {
  const it = await networkHelpers.loadFixture(deployAll);
  let refusals = 0;
  for (const { contract, item, access } of lines) {
    const forAll = access.who.includes("anyone");
    for (const role of ROLES) {
      const error = await outcome(it, contract, item, role);
      const isRefused = REFUSALS.includes(error ?? "");
      const allowed = forAll || access.who.includes(role);
      assert.equal(isRefused, !allowed, `${contract}.${item.name} as ${role}: ${error}`);
      if (isRefused) refusals += 1;
    }
  }
  assert.ok(refusals > 80, `${refusals} refusals`);
});

/** Whether each line is stopped by a state exactly where the table says so. */
async function checkStops(it: Everything, states: readonly (keyof typeof STOPPED)[]) {
  for (const { contract, item, access } of lines) {
    const [role = "anyone"] = access.who;
    const error = await outcome(it, contract, item, role);
    for (const state of Object.keys(STOPPED) as (keyof typeof STOPPED)[]) {
      const wanted = states.includes(state) && (access.stops ?? []).includes(state);
      const message = `${contract}.${item.name} under ${states.join()}: ${error}`;
      // Of two reasons to stop a call gives one.
      if (wanted) assert.ok(Object.values(STOPPED).includes(error as never), message);
      else if (error === STOPPED[state]) assert.fail(message);
    }
  }
}

test("A4: a pause stops what the table says and nothing else, and so does the freeze", async () => {
  const it = await networkHelpers.loadFixture(deployAll);
  await checkStops(it, ["live"]);
  const pause = () => it.rollup.write.pause({ account: it.guardian.account });
  await pause();
  await checkStops(it, ["live", "paused"]);
  await time.increase(4 * 86_400);
  await deposit(it, alice, 5n);
  await time.increase(DEADLINE);
  await pause();
  await it.rollup.write.freeze();
  await checkStops(it, ["frozen", "paused"]);
  assert.notEqual(await it.rollup.read.frozenAt(), 0n);
});
