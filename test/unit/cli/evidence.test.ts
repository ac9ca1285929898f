// `straddle evidence`: receipts kept in a file, compared with the node's log, and evidence checked
// without a node.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { decodeFunctionData, encodeAbiParameters, type Hex, keccak256 } from "viem";
import { encodeEvidence } from "../../../sequencer/consensus/evidence.ts";
import { createSigner } from "../../../sequencer/consensus/signing.ts";
import { validatorRegistryAbi } from "../../../sequencer/l1/generated/abi.ts";
import { receiptDigest } from "../../../sequencer/protocol/receipt.ts";
import {
  entryOf,
  keyOf,
  logOf,
  partOf,
  receiptOf,
  sittingOf,
  twoReceipts,
} from "../../support/histories.ts";
import { DOMAIN, INFO, ROLLUP, SEQUENCER, signDigest } from "../api/fakeService.ts";
import { startCommandLine } from "./commandLine.ts";

// Of the deployment that the devnet's file names.
const types = [{ type: "uint256" }, { type: "address" }] as const;
const domain = BigInt(keccak256(encodeAbiParameters(types, [31_337n, ROLLUP]))) >> 8n;
const signer = createSigner(keyOf(9));
const entries = Array.from({ length: 8 }, (_, salt) => entryOf(salt));
const honest = logOf(domain, entries);
const forked = logOf(domain, entries.with(2, entryOf(99)));
const two = twoReceipts({ signer, domain, logs: [honest, forked], p: 3, q: 6 });

test("evidence is checked by the file alone; each answer has its exit code", async (context) => {
  const { run, folder } = await startCommandLine(context);
  const save = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
  save("two.json", encodeEvidence(two));
  const good = await run("evidence check two.json");
  assert.equal(good.code, 0);
  assert.match(good.out, new RegExp(`guilty +${signer.address} \\(compare whose key`));
  assert.match(good.out, /two histories/);
  assert.match(good.out, /can punish it/);
  const named = await run(
    `evidence check two.json --signers ${signer.address.toUpperCase().replace("X", "x")}`,
  );
  assert.deepEqual([named.code, /compare/.test(named.out)], [0, false]);
  const other = await run(`evidence check two.json --signers 0x${"11".repeat(20)}`);
  assert.equal(other.code, 3);
  assert.match(other.out, /Proves nothing: .* neither a sequencer nor a validator/);
  const called = JSON.parse((await run("--json evidence check two.json")).out);
  const { functionName, args } = decodeFunctionData({
    abi: validatorRegistryAbi,
    data: called.call,
  });
  assert.equal(functionName, "slashReceipts");
  assert.equal((args![0] as { position: bigint }).position, 3n);
  assert.deepEqual([called.isProven, called.guilty], [true, signer.address]);
  const away = await run("evidence check two.json --domain 7");
  assert.deepEqual([away.code, /another deployment/.test(away.out)], [3, true]);
  save("tampered.json", encodeEvidence({ ...two, records: two.records.slice(1) }));
  assert.equal((await run("evidence check tampered.json")).code, 3);
  save("cut.json", encodeEvidence(two).slice(0, -30));
  const cut = await run("evidence check cut.json");
  assert.deepEqual([cut.code, /cut off/.test(cut.err)], [2, true]);
  assert.equal((await run("evidence check nowhere.json")).code, 2);
  assert.equal((await run("evidence check two.json --domain x")).code, 2);
  assert.equal((await run("evidence check two.json --signers bob")).code, 2);
  for (const command of ["check", "collect"]) {
    const help = await run(`evidence ${command} --help`);
    assert.deepEqual([help.code, /Exit codes: 0/.test(help.out)], [0, true]);
  }
});

test("a certificate counts of named validators only; votes name their own", async (context) => {
  const { run, folder } = await startCommandLine(context);
  const four = sittingOf(domain);
  const { sitting } = four;
  const receipt = receiptOf(signer, domain, honest[3]!);
  const certified = { ...four.certify(forked), ...partOf(forked, 3, 7) };
  const block = { kind: "block", domain, receipt, sitting, ...certified } as const;
  writeFileSync(path.join(folder, "block.json"), encodeEvidence(block));
  assert.equal((await run("evidence check block.json")).code, 3);
  const members = sitting.members.join(",");
  const known = await run(`evidence check block.json --validators ${members}`);
  assert.equal(known.code, 0);
  assert.match(known.out, /against the certified log[\s\S]*cannot take it/);
  const others = sittingOf(domain, 1, [5, 6, 7, 8]).sitting.members.join(",");
  assert.equal((await run(`evidence check block.json --validators ${others}`)).code, 3);
  const cast = { kind: "notarize", term: 1, view: { term: 1, index: 0 } } as const;
  const [first, second] = ["ab", "cd"].map((byte) =>
    four.vote(2, { ...cast, block: byte.repeat(32) }),
  );
  const votes = { kind: "votes", domain, sitting, first: first!, second: second! } as const;
  writeFileSync(path.join(folder, "votes.json"), encodeEvidence(votes));
  const line = await run("evidence check votes.json --calldata");
  assert.deepEqual([line.code, /two notarized[\s\S]*call +0x/.test(line.out)], [0, true]);
  assert.equal((await run(`evidence check votes.json --validators ${others}`)).code, 3);
});

test("receipts outlive the command, and are looked for in the node's log", async (context) => {
  const { run, service, folder } = await startCommandLine(context);
  const file = path.join(folder, "receipts.jsonl");
  for (let count = 0; count < 3; count++) {
    const bought = await run(
      "--receipts receipts.jsonl buy ETH-20261225-3000-C 0.5 12.3 --dev-account 0",
    );
    assert.equal(bought.code, 0, bought.err);
  }
  const lines = readFileSync(file, "utf8").trim().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).position),
    [0, 1, 2],
  );
  const same = await run("--receipts receipts.jsonl evidence collect");
  assert.deepEqual([same.code, same.out], [0, "All 3 receipts are in the node's log.\n"]);
  assert.equal((await run("evidence collect")).code, 2);
  const fromEnvironment = await run("evidence collect", { STRADDLE_RECEIPTS: "receipts.jsonl" });
  assert.equal(fromEnvironment.code, 0);
  // The node shows another log, and signs it.
  const genuine = service.log;
  const hash = "ab".repeat(32);
  service.log = async (from, limit) => {
    const shown = await genuine(from, limit);
    const hashes = shown.hashes.map((real, index) => (from + index === 1 ? hash : real));
    const last = from + hashes.length - 1;
    return { from, hashes, signature: signDigest(receiptDigest(DOMAIN, last, hashes.at(-1)!)) };
  };
  const lying = await run("--receipts receipts.jsonl evidence collect --out proof.json");
  assert.equal(lying.code, 3);
  assert.match(lying.out, /two histories\. Evidence: .*proof\.json/);
  const checked = await run(`evidence check proof.json --domain ${DOMAIN} --signers ${SEQUENCER}`);
  assert.deepEqual([checked.code, /two histories/.test(checked.out)], [0, true]);
  // A log that does not reach its receipts.
  service.log = async (from) => ({ from, hashes: [], signature: null });
  const short = await run("--json --receipts receipts.jsonl evidence collect");
  assert.deepEqual([short.code, JSON.parse(short.out).missing], [3, [0, 1, 2]]);
  // A receipt of another deployment is not this one's; what is no receipt is told.
  const strange = receiptOf(signer, 9n, honest[1]!);
  writeFileSync(file, `${JSON.stringify({ domain: "0x9", ...strange })}\n`);
  service.log = genuine;
  assert.match((await run("--receipts receipts.jsonl evidence collect")).out, /All 0 receipts/);
  writeFileSync(file, "receipts\n");
  assert.equal((await run("--receipts receipts.jsonl evidence collect")).code, 2);
  // Two own receipts that exclude each other need no node.
  const both = [honest[3]!, forked[3]!].map((record) => {
    const place = receiptOf(signer, DOMAIN, record);
    return JSON.stringify({ domain: `0x${DOMAIN.toString(16)}`, ...place });
  });
  writeFileSync(file, `${both.join("\n")}\n`);
  const own = await run("--receipts receipts.jsonl evidence collect");
  assert.deepEqual([own.code, /exclude each other/.test(own.out)], [3, true]);
  assert.equal((await run(`evidence check evidence.json --domain ${DOMAIN}`)).code, 0);
  assert.equal(INFO.sequencer.toLowerCase(), (SEQUENCER as Hex).toLowerCase());
});
