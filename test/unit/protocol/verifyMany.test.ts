// Two signatures at a time: each verdict is the one that the claim has alone, whatever its
// neighbour is, on either side of it, with tables of keys and without, and without pairs too.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import {
  type PublicKey,
  publicKeyOf,
  SUBGROUP_ORDER,
  sign,
  verify,
} from "../../../sequencer/protocol/eddsa.ts";
import { KEYS_MAX, USES_BEFORE_TABLE } from "../../../sequencer/protocol/keyTables.ts";
import { type PairAssembly, pairAssembly } from "../../../sequencer/protocol/pairedWasm.ts";
import {
  type Claim,
  createVerifyMany,
  type VerifyMany,
  verifyMany,
} from "../../../sequencer/protocol/verifyMany.ts";
import { runs } from "../../property/runs.ts";
import { CHANGES, HALF_RIGHT, NEUTRAL, signAs } from "./adversarialClaims.ts";
import { loadCircomlib } from "./circomlib.ts";
import { orderFour, orderTwo, plusOrderFour, plusOrderTwo, vanishing } from "./smallOrder.ts";

const skip = pairAssembly ? false : "this host does not multiply and add in one rounding";
const WORD_END = 2n ** 256n;

function claimOf(secret: bigint, message: bigint): Claim {
  return { key: publicKeyOf(secret), message, signature: sign(secret, message) };
}

interface Case {
  readonly name: string;
  readonly claim: Claim;
  readonly holds: boolean;
  /** What circomlibjs says to the same, where it can be asked: its numbers are in the field. */
  readonly isInField: boolean;
}

/** Equations that hold, but of numbers or keys that are refused. */
function refused(good: Claim): (readonly [string, Claim])[] {
  const { key, message, signature } = good;
  const { r8x, r8y, s } = signature;
  const neutral = { r8x: 0n, r8y: 1n, s: 0n };
  const named = (name: string, change: Partial<Claim>) => [name, { ...good, ...change }] as const;
  return [
    ...[FIELD_MODULUS, -FIELD_MODULUS, WORD_END].flatMap((by) => [
      named(`R8 x + ${by}`, { signature: { ...signature, r8x: r8x + by } }),
      named(`R8 y + ${by}`, { signature: { ...signature, r8y: r8y + by } }),
      named(`key x + ${by}`, { key: { ...key, x: key.x + by } }),
      named(`key y + ${by}`, { key: { ...key, y: key.y + by } }),
      named(`message + ${by}`, { message: message + by }),
    ]),
    ...[SUBGROUP_ORDER, -SUBGROUP_ORDER, 7n * SUBGROUP_ORDER, WORD_END].map((by) =>
      named(`S + ${by}`, { signature: { ...signature, s: s + by } }),
    ),
    ...[NEUTRAL, orderTwo, orderFour].map((small) =>
      named(`a key of small order, y = ${small.y}`, { key: small, signature: neutral }),
    ),
  ];
}

function casesOf(secret: bigint, message: bigint): Case[] {
  const good = claimOf(secret, message);
  const { key, signature } = good;
  const ofKey = (name: string, other: PublicKey) => [name, { ...good, key: other }] as const;
  const withPart = [plusOrderTwo(key), plusOrderFour(key)];
  const inField: (readonly [string, Claim])[] = [
    ...CHANGES.map(([name, change]) => [name, { ...good, signature: change(signature) }] as const),
    ...withPart.map((other) => {
      const own = { ...good, key: other, signature: signAs(other, secret, 99n, message) };
      return [`a key with a part of small order, y = ${other.y}`, own] as const;
    }),
    ofKey("another key", publicKeyOf(secret + 1n)),
    ofKey("a key off the curve", { x: key.x, y: key.y + 1n }),
    ofKey("a key of (0, 0)", { x: 0n, y: 0n }),
    ofKey("a key off the curve, with which anything would hold", vanishing),
    ...HALF_RIGHT.map(([name, named]) => {
      const signature = signAs(key, secret, 98n, message, named);
      return [name, { ...good, signature }] as const;
    }),
    ["another message", { ...good, message: message + 1n }],
  ];
  const holding = new Set(["nothing changed", ...inField.slice(12, 14).map(([name]) => name)]);
  return [
    ...inField.map(([name, claim]) => ({
      ...{ name, claim, holds: holding.has(name), isInField: true },
    })),
    ...refused(good).map(([name, claim]) => ({ name, claim, holds: false, isInField: false })),
  ];
}

const SECRET = 2n ** 200n + 17n;
const CASES = casesOf(SECRET, 5n);
/** Its key is that of no case. */
const NEIGHBOUR = claimOf(3n, 11n);

function assertVerdicts(many: VerifyMany, cases: readonly Case[]): void {
  assert.deepEqual(
    many(cases.map(({ claim }) => claim)),
    cases.map(({ holds }) => holds),
    cases.map(({ name }) => name).join(" beside "),
  );
}

function assertEveryPair(manyOf: () => VerifyMany): void {
  for (const first of CASES) {
    for (const second of CASES) assertVerdicts(manyOf(), [first, second]);
  }
}

test("the cases' verdicts are `verify`'s, and circomlibjs' where it can be asked", async () => {
  const reference = await loadCircomlib();
  assert.equal(CASES.filter(({ holds }) => holds).length, 3);
  for (const { name, claim, holds, isInField } of CASES) {
    const { key, message, signature } = claim;
    assert.equal(verify(key, message, signature), holds, name);
    if (isInField) assert.equal(reference.verify(key, message, signature), holds, name);
  }
});

test("every claim beside every other one, before keys have tables", () => {
  assertEveryPair(() => createVerifyMany(pairAssembly));
});

test("the same when keys that can have tables have them", () => {
  const many = createVerifyMany(pairAssembly);
  for (let use = 0; use < USES_BEFORE_TABLE; use++) {
    for (const one of CASES) assertVerdicts(many, [one]);
  }
  assertEveryPair(() => many);
});

test("at each use up to the one that fills a table, and after", () => {
  for (const one of CASES) {
    for (const isFirst of [true, false]) {
      const many = createVerifyMany(pairAssembly);
      const claims = isFirst ? [one.claim, NEIGHBOUR] : [NEIGHBOUR, one.claim];
      for (let use = 1; use <= USES_BEFORE_TABLE + 1; use++) {
        const wanted = isFirst ? [one.holds, true] : [true, one.holds];
        assert.deepEqual(many(claims), wanted, `${one.name}, use ${use}`);
      }
    }
  }
});

test("by `verify` where there are no pairs", () => {
  const many = createVerifyMany(undefined);
  assertVerdicts(many, CASES);
  for (const one of CASES) assertVerdicts(many, [one]);
  assert.deepEqual(many([]), []);
});

/** As the module, and counts what it is asked. */
function counted(module: PairAssembly) {
  const calls = { alone: 0, none: 0, mixed: 0, both: 0 };
  const counting: PairAssembly = {
    ...module,
    verifiesAlone(table) {
      calls.alone += 1;
      return module.verifiesAlone(table);
    },
    verifiesPair(first, second) {
      const tables = Math.sign(first) + Math.sign(second);
      calls[(["none", "mixed", "both"] as const)[tables]!] += 1;
      return module.verifiesPair(first, second);
    },
  };
  return { many: createVerifyMany(counting), calls };
}

test("pairs have no table, one or two; a last claim is judged alone", { skip }, () => {
  const { many, calls } = counted(pairAssembly!);
  const [one, other, third] = [claimOf(21n, 1n), claimOf(22n, 2n), claimOf(23n, 3n)];
  const bad = { ...one, message: 2n };
  for (let use = 1; use < USES_BEFORE_TABLE; use++) assert.deepEqual(many([one]), [true]);
  assert.deepEqual(calls, { alone: USES_BEFORE_TABLE - 1, none: 0, mixed: 0, both: 0 });
  for (const pair of [
    [one, other],
    [other, one],
  ]) {
    assert.deepEqual(many(pair), [true, true]);
  }
  assert.deepEqual(many([bad, other]), [false, true]);
  assert.deepEqual(many([other, bad]), [true, false]);
  assert.deepEqual(calls, { alone: USES_BEFORE_TABLE - 1, none: 0, mixed: 4, both: 0 });
  for (let use = 0; use < USES_BEFORE_TABLE; use++) many([other]);
  Object.assign(calls, { alone: 0, mixed: 0 });
  assert.deepEqual(many([one, other, bad, other, other]), [true, true, false, true, true]);
  assert.deepEqual(calls, { alone: 1, none: 0, mixed: 0, both: 2 });
  assert.deepEqual(many([third, third]), [true, true]);
  assert.deepEqual(calls, { alone: 1, none: 1, mixed: 0, both: 2 });
  // What fits no word takes nobody's lane.
  const unfit = { ...one, message: -1n };
  assert.deepEqual(many([one, unfit, other, unfit]), [true, false, true, false]);
  assert.deepEqual(calls, { alone: 1, none: 1, mixed: 0, both: 3 });
});

test("any number of claims of any keys, as `verify` and as it was meant", () => {
  const many = createVerifyMany(pairAssembly);
  const one = fc
    .tuple(
      fc.bigInt({ min: 1n, max: 12n }),
      fc.oneof(
        fc.constantFrom(0n, 1n, FIELD_MODULUS - 2n),
        fc.bigInt({ min: 0n, max: FIELD_MODULUS - 2n }),
      ),
      fc.oneof(fc.constant(0), fc.nat({ max: CASES.length - 1 })),
    )
    .map(([secret, message, kind]) => casesOf(secret, message)[kind]!);
  fc.assert(
    fc.property(fc.array(one, { maxLength: 7 }), (cases) => {
      assertVerdicts(many, cases);
      assertVerdicts(verifyMany, cases);
      for (const { claim, holds, name } of cases) {
        assert.equal(verify(claim.key, claim.message, claim.signature), holds, name);
      }
    }),
    runs(60),
  );
});

test("every bit of either claim of a pair matters, and only to its own verdict", () => {
  const many = createVerifyMany(pairAssembly);
  const good = claimOf(SECRET, 5n);
  const field = fc.constantFrom("r8x" as const, "r8y" as const, "s" as const, "message" as const);
  const bit = fc.nat({ max: 255 });
  fc.assert(
    fc.property(field, bit, fc.boolean(), (name, index, isFirst) => {
      const { signature, message } = good;
      const flip = 1n << BigInt(index);
      const bad =
        name === "message"
          ? { ...good, message: message ^ flip }
          : { ...good, signature: { ...signature, [name]: signature[name] ^ flip } };
      const claims = isFirst ? [bad, NEIGHBOUR] : [NEIGHBOUR, bad];
      assert.deepEqual(many(claims), [!isFirst, isFirst]);
    }),
    runs(300),
  );
});

test("a table is its key's alone, also after it has been another's", { skip }, () => {
  const { many, calls } = counted(pairAssembly!);
  const claims = Array.from({ length: KEYS_MAX + 50 }, (_, i) => claimOf(BigInt(i) + 500n, 5n));
  const first = claims[0]!;
  const mirrored = { x: first.key.x, y: FIELD_MODULUS - first.key.y };
  const other: Claim = { ...first, key: mirrored };
  const fill = (claim: Claim): void => {
    for (let use = 0; use < USES_BEFORE_TABLE; use++) assert.deepEqual(many([claim]), [true]);
  };
  fill(first);
  fill(claims[1]!);
  // Neither has the other's table, whichever comes first and takes the place.
  assert.deepEqual(many([first, other]), [true, false]);
  assert.deepEqual(many([other, first]), [false, true]);
  assert.equal(calls.both, 0);
  fill(first);
  assert.deepEqual(many([first, claims[1]!]), [true, true]);
  assert.equal(calls.both, 1);
  assert.deepEqual(
    many(claims),
    claims.map(() => true),
  );
  const forged = claims.map((claim, at) => ({ ...claim, key: claims[at ^ 1]!.key }));
  assert.ok(!many(forged).includes(true));
  Object.assign(calls, { none: 0, both: 0 });
  assert.deepEqual(many([first, claims[1]!]), [true, true]);
  assert.equal(calls.none, 1, "both were forgotten");
  // The forgotten keys' memory is another's now.
  fill(claims[300]!);
  fill(claims[301]!);
  assert.deepEqual(many([claims[300]!, claims[301]!, first]), [true, true, true]);
  assert.deepEqual(many([{ ...first, key: claims[300]!.key }, claims[301]!]), [false, true]);
});

test("keys of every size of secret, two at a time", () => {
  const many = createVerifyMany(pairAssembly);
  const secrets = Array.from({ length: 250 }, (_, bit) => 1n << BigInt(bit));
  const claims = [...secrets, SUBGROUP_ORDER - 1n].map((secret) => claimOf(secret, 1n));
  for (let use = 0; use <= USES_BEFORE_TABLE; use += 4) {
    assert.ok(!many(claims).includes(false));
  }
});

test("the first verification of a process is as good as the later ones", () => {
  const { key, message, signature } = claimOf(5n, 7n);
  const module = new URL("../../../sequencer/protocol/verifyMany.ts", import.meta.url).href;
  const { r8x, r8y, s } = signature;
  for (const count of [1, 2]) {
    const script = `
      const { verifyMany } = await import("${module}");
      const signature = { r8x: ${r8x}n, r8y: ${r8y}n, s: ${s}n };
      const claim = { key: { x: ${key.x}n, y: ${key.y}n }, message: ${message}n, signature };
      const claims = new Array(${count}).fill(claim);
      console.log([...verifyMany(claims), ...verifyMany(claims)].join());`;
    const args = ["--input-type=module", "--eval", script];
    const said = execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
    assert.equal(said, new Array(2 * count).fill("true").join());
  }
});
