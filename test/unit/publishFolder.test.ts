// A built folder has its name whole or not at all, whoever builds it at the same time.
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { publishFolder } from "../../scripts/publishFolder.ts";

const FILES = ["app.js", "index.html"];

function place(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-publish-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return path.join(folder, "web");
}

function writing(text: string, waitMs = 0) {
  return async (folder: string): Promise<void> => {
    for (const file of FILES) {
      await sleep(waitMs);
      writeFileSync(path.join(folder, file), text);
    }
  };
}

const textsOf = (name: string): string[] =>
  readdirSync(name).map((file) => readFileSync(path.join(name, file), "utf8"));

test("many build at once, and none sees a part of it", async (context) => {
  const name = place(context);
  const builders = [1, 4, 7, 2, 5].map(async (waitMs) => {
    const folder = await publishFolder(name, "a".repeat(64), writing("one", waitMs));
    for (let look = 0; look < 20; look++) {
      assert.deepEqual(textsOf(folder), ["one", "one"]);
      await sleep(1);
    }
  });
  await Promise.all(builders);
  assert.equal(readdirSync(`${name}.builds`).length, 1, "what was built aside is gone");
});

test("other sources take the name at once; the same are not built again", async (context) => {
  const name = place(context);
  await publishFolder(name, "a".repeat(64), writing("one"));
  const stranger = async (): Promise<void> => assert.fail("nothing to build");
  await publishFolder(name, "a".repeat(64), stranger);
  await publishFolder(name, "b".repeat(64), writing("two"));
  assert.deepEqual(textsOf(name), ["two", "two"]);
  await publishFolder(name, "a".repeat(64), stranger);
  assert.deepEqual(textsOf(name), ["one", "one"]);
});

test("a build that lost its files is made again, and one of long ago goes", async (context) => {
  const name = place(context);
  await publishFolder(name, "a".repeat(64), writing("one"));
  rmSync(path.join(name, "index.html"));
  await publishFolder(name, "a".repeat(64), writing("again"));
  assert.deepEqual(textsOf(name), ["again", "again"]);
  const [first] = readdirSync(`${name}.builds`);
  const longAgo = new Date(Date.now() - 2 * 86_400_000);
  utimesSync(path.join(`${name}.builds`, first!), longAgo, longAgo);
  await publishFolder(name, "b".repeat(64), writing("two"));
  assert.deepEqual(readdirSync(`${name}.builds`), ["b".repeat(16)]);
  assert.deepEqual(textsOf(name), ["two", "two"]);
});

test("a build that fails leaves what was there", async (context) => {
  const name = place(context);
  mkdirSync(name);
  writeFileSync(path.join(name, "index.html"), "before");
  const failing = async (): Promise<void> => {
    throw new Error("no");
  };
  await assert.rejects(publishFolder(name, "c".repeat(64), failing), /no/);
  assert.deepEqual(textsOf(name), ["before"]);
  assert.deepEqual(readdirSync(`${name}.builds`), []);
  await publishFolder(name, "c".repeat(64), writing("after"));
  assert.deepEqual(textsOf(name), ["after", "after"]);
});
