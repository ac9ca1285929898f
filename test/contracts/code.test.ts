// D6: the code itself. No proxy, no initializer, nothing that could be made to run other code, and
// no more of it than a chain takes. B9: what the hatch costs.
import assert from "node:assert/strict";
import { test } from "node:test";
import hre from "hardhat";
import { gasBenchmarks } from "../../scripts/benchmarks/gas.ts";

const CONTRACTS = ["Rollup", "CollateralVault", "ValidatorRegistry", "Governance"] as const;
/** Bytes of code that a chain takes, and of what creates it (EIP-170, EIP-3860). */
const CODE_MAX = 24_576;
const INITCODE_MAX = 49_152;
const OPCODES = { callcode: 0xf2, delegatecall: 0xf4, selfdestruct: 0xff, create2: 0xf5 } as const;
const PREMIUM_PAID_BY = [
  "deposit",
  "forceCancelAll",
  "forceClose",
  "forceWithdraw",
  "registerKey",
].map((name) => `Rollup.${name}`);
const PUSH1 = 0x60;
const PUSH32 = 0x7f;

/** The opcodes of deployed code: constants and the metadata at its end are no code. */
function opcodesOf(bytecode: string): Set<number> {
  const bytes = Buffer.from(bytecode.slice(2), "hex");
  const metadata = bytes.readUInt16BE(bytes.length - 2) + 2;
  const found = new Set<number>();
  for (let at = 0; at < bytes.length - metadata; at++) {
    const opcode = bytes[at]!;
    found.add(opcode);
    if (opcode >= PUSH1 && opcode <= PUSH32) at += opcode - PUSH1 + 1;
  }
  return found;
}

test("D6: no contract can run another's code in its place, or end itself", async () => {
  for (const name of CONTRACTS) {
    const { deployedBytecode } = await hre.artifacts.readArtifact(name);
    const found = opcodesOf(deployedBytecode);
    for (const [opcode, code] of Object.entries(OPCODES)) {
      assert.ok(!found.has(code), `${name} has ${opcode}`);
    }
  }
  // The reader does find what is there.
  const proxy = await hre.artifacts.readArtifact("ERC1967Proxy");
  assert.ok(opcodesOf(proxy.deployedBytecode).has(OPCODES.delegatecall));
});

test("D6: nothing is initialised after its birth, and only the queue takes ether", async () => {
  const payable: string[] = [];
  for (const name of CONTRACTS) {
    const { abi } = await hre.artifacts.readArtifact(name);
    for (const item of abi) {
      const label = "name" in item ? `${name}.${item.name}` : `${name} ${item.type}`;
      assert.ok(!/initiali|upgrade|implementation|delegate/i.test(label), label);
      // The timelock may carry ether to what it calls; the queue burns its premium, and gives back
      // what is above it (B4). The others could never give it back.
      if (name === "Governance") continue;
      assert.ok(!["receive", "fallback"].includes(item.type), label);
      if ("stateMutability" in item && item.stateMutability === "payable") payable.push(label);
    }
  }
  assert.deepEqual(payable.sort(), PREMIUM_PAID_BY);
});

test("D6: every contract fits into a block and a chain", async () => {
  for (const name of CONTRACTS) {
    const { bytecode, deployedBytecode } = await hre.artifacts.readArtifact(name);
    const [code, initcode] = [deployedBytecode, bytecode].map((hex) => hex.length / 2 - 1);
    assert.ok(code! <= CODE_MAX && initcode! <= INITCODE_MAX, `${name}: ${code}, ${initcode}`);
  }
});

test("B9: freeze, exit and a large batch cost no more than they may", async () => {
  const costs = new Map((await gasBenchmarks()).map(({ name, value }) => [name, value]));
  const limits = {
    "gas.freeze": 100_000,
    "gas.exit": 500_000,
    "gas.batchOverhead.large": 260_000,
  };
  for (const [name, limit] of Object.entries(limits)) {
    assert.ok(costs.get(name)! <= limit, `${name}: ${costs.get(name)}, at most ${limit}`);
  }
});
