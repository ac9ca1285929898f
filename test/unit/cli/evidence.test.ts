// `straddle evidence`: receipts kept in a file, compared with the node's log, and evidence checked
// without a node.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { decodeFunctionData, encodeAbiParameters, type Hex, keccak256 } from "viem";
import { encodeEvidence } from "../../../sequencer/consensus/evidence.ts";
import { createSigner } from "../../../sequencer/consensus/signing.ts";
import { validatorRegistryAbi } from "../../../sequencer/l1/generated/abi.ts";
import { receiptDigest } from "../../../sequencer/protocol/receipt.ts";
import { openStore } from "../../../sequencer/store/store.ts";
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
  for (const command of ["check", "collect", "export"]) {
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

/** A validator of the sitting, as its operator has configured it. */
function validatorConfig(members: readonly string[], dataDir: string, epoch = 1) {
  const address = `0x${"1".repeat(40)}`;
  const oracles = [{ x: "1", y: "2" }];
  const deployed = { chainId: 31337, instance: "tiny", rollup: address, token: address, oracles };
  const peers = members.map(() => `/ip4/127.0.0.1/tcp/1/p2p/${"1".repeat(50)}`);
  return {
    deployment: { ...deployed, domain: String(domain), block: 0 },
    ...{ rpcUrl: "http://127.0.0.1:1", dataDir, sequencer: "/ip4/127.0.0.1" },
    ...{ seed: "0".repeat(64), key: { development: 1 }, vkeys: { trade: "a", ledger: "b" } },
    certification: { epoch, validators: members, peers, listen: "/ip4/127.0.0.1/tcp/0" },
  };
}

test("what a validator has kept against others becomes files that convict", async (context) => {
  const { run, folder } = await startCommandLine(context);
  const { sitting, validators, vote } = sittingOf(domain);
  const save = (name: string, value: unknown) =>
    writeFileSync(path.join(folder, name), JSON.stringify(value));
  // Addresses stand in configurations as people write them.
  const members = sitting.members.map((member) => member.toUpperCase().replace("X", "x"));
  save("validator.json", validatorConfig(members, "data"));
  save("later.json", validatorConfig(members, "data", 2));
  const absent = await run("evidence export validator.json");
  assert.deepEqual([absent.code, /there is no store/.test(absent.err)], [2, true]);
  assert.ok(!existsSync(path.join(folder, "data")), "who looks makes no store");
  const store = await openStore(path.join(folder, "data"), domain);
  const cast = { kind: "notarize", term: 1, view: { term: 1, index: 0 } } as const;
  const [one, other] = ["ab", "cd"].map((byte) => ({ ...cast, block: byte.repeat(32) }));
  const nullify = { ...one!, kind: "nullify" } as const;
  const later = { ...nullify, view: { term: 1, index: 1 } };
  const kept = store.certification(validators.session);
  await kept.accuse({ first: vote(1, one!), second: vote(1, other!) });
  await kept.accuse({ first: vote(2, nullify), second: vote(2, later) });
  // Two votes that an honest one may cast, and what nobody has signed, prove nothing.
  await kept.accuse({ first: vote(3, one!), second: { ...vote(0, other!), validator: 3 } });
  const busy = await run("evidence export validator.json");
  assert.deepEqual([busy.code, /in use: stop the validator first/.test(busy.err)], [2, true]);
  await store.close();
  const shown = await run("evidence export validator.json --out proofs");
  assert.equal(shown.code, 0, shown.err);
  const { written } = JSON.parse((await run("--json evidence export validator.json")).out);
  assert.deepEqual(
    written.map(({ guilty, offence }: Record<string, string>) => [guilty, offence]),
    [
      [sitting.members[1], "two notarized"],
      [sitting.members[2], "two nullified"],
    ],
  );
  for (const { guilty, offence, file } of written) {
    assert.match(shown.out, new RegExp(`${guilty}.*${offence}.*${path.basename(file)}`));
    const verdict = await run(`--json evidence check ${file} --validators ${members.join(",")}`);
    const { isProven, call } = JSON.parse(verdict.out);
    assert.deepEqual([verdict.code, isProven, typeof call], [0, true, "string"]);
    assert.equal(
      readFileSync(path.join(folder, "proofs", path.basename(file)), "utf8").length > 0,
      true,
    );
  }
  const none = await run("evidence export later.json");
  assert.deepEqual([none.code, /kept nothing/.test(none.out)], [3, true]);
  assert.equal((await run("evidence export nowhere.json")).code, 2);
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
