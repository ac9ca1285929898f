// D6: the code itself. No proxy, no initializer, nothing that could be made to run other code, no
// more of it than a chain takes, each variable in its place, and no finding of the linter. B9: what
// the hatch costs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import hre from "hardhat";
import { gasBenchmarks } from "../../scripts/benchmarks/gas.ts";
import { findingsIn, lintContracts, remaining } from "../../scripts/lintContracts.ts";

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
const STORAGE = {
  Rollup: [
    "0+0 tradeVerifier t_contract(IVerifier)",
    "1+0 ledgerVerifier t_contract(IVerifier)",
    "2+0 exitVerifier t_contract(IExitVerifier)",
    "3+0 oracleSetHash t_uint256",
    "4+0 minimumDeposit t_uint256",
    "5+0 stateRoot t_uint256",
    "6+0 _progress t_struct(Progress)",
    "7+0 _seat t_struct(State)",
    "8+0 _accounts t_struct(State)",
    "11+0 _queue t_struct(State)",
    "15+0 _withdrawals t_struct(State)",
    "17+0 _exits t_struct(State)",
  ],
  CollateralVault: ["0+0 held t_uint256"],
  ValidatorRegistry: [
    "0+0 admitted t_uint256",
    "1+0 credit t_mapping(t_address,t_uint256)",
    "2+0 _validators t_mapping(t_address,t_struct(Validator))",
    "3+0 _set t_struct(State)",
  ],
  Governance: [
    "0+0 _roles t_mapping(t_bytes32,t_struct(RoleData))",
    "1+0 _timestamps t_mapping(t_bytes32,t_uint256)",
    "2+0 _minDelay t_uint256",
  ],
};
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

test("D6: the linter finds nothing in the contracts but what is deliberate", () => {
  assert.deepEqual(lintContracts(), []);
  const source = "pragma solidity ^0.4.0;\ncontract A { function f() { tx.origin; } }\n";
  const rules = new Set(findingsIn("A.sol", source).map(({ rule }) => rule));
  for (const rule of ["compiler-version", "func-visibility", "avoid-tx-origin"]) {
    assert.ok(rules.has(rule), `${rule} of ${[...rules].join()}`);
  }
  const entry = { file: "A.sol", rule: "reentrancy", count: 1, why: "" };
  const found = { file: "A.sol", rule: "reentrancy", line: 3, message: "" };
  assert.deepEqual(remaining([found], [entry]), []);
  assert.equal(remaining([found, found], [entry]).length, 1);
  assert.equal(remaining([], [entry]).length, 1);
});

/** `slot+offset label type` of every variable, as the compiler lays them out. */
async function storageOf(names: readonly string[]): Promise<Map<string, string[]>> {
  const id = await hre.artifacts.getBuildInfoId(`contracts/${names[0]}.sol:${names[0]}`);
  const file = await hre.artifacts.getBuildInfoPath(id!);
  const { input } = JSON.parse(readFileSync(file!, "utf8"));
  input.settings.outputSelection = { "*": { "*": ["storageLayout"] } };
  const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };
  const { contracts } = JSON.parse(solc.compile(JSON.stringify(input)));
  return new Map(
    names.map((name) => {
      const { storage } = contracts[`project/contracts/${name}.sol`][name].storageLayout;
      const variables = storage as { slot: string; offset: number; label: string; type: string }[];
      const shown = variables.map(({ slot, offset, label, type }) => {
        // The compiler numbers the types' declarations anew with every change elsewhere.
        return `${slot}+${offset} ${label} ${type.replaceAll(/\)\d+(_storage)?/g, ")")}`;
      });
      return [name, shown] as const;
    }),
  );
}

test("D6: each variable is where auditors and tools have seen it", async () => {
  const found = await storageOf(CONTRACTS);
  assert.deepEqual(Object.fromEntries(found), STORAGE);
});

test("B9: freeze, exit and a batch of 64 fills cost no more than they may", async (context) => {
  const costs = new Map((await gasBenchmarks()).map(({ name, value }) => [name, value]));
  const limits = {
    "gas.freeze": 100_000,
    "gas.exit": 500_000,
    "gas.batchOverhead.wide": 260_000,
  };
  for (const [name, limit] of Object.entries(limits)) {
    assert.ok(costs.get(name)! <= limit, `${name}: ${costs.get(name)}, at most ${limit}`);
  }
  const measured = Object.keys(limits).map((name) => `${name.slice(4)} ${costs.get(name)}`);
  context.diagnostic(`B9: ${measured.join(", ")} gas`);
});
