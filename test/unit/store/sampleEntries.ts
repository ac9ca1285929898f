/** Log entries of the usual size; their contents are of no matter to the store. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import type { MessageEntry } from "../../../sequencer/batch/log.ts";

export const DOMAIN = 7n;

/** A message that carries `number`. */
export function sampleEntry(number: number): MessageEntry {
  const big = (1n << 250n) + BigInt(number);
  return {
    type: "message",
    author: { account: number, keyIndex: 0 },
    word: BigInt(number),
    signature: { r8x: big, r8y: big + 1n, s: big + 2n },
    arrived: number,
  };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "straddle-store-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
