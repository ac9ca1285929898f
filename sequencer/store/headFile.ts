/**
 * The log's head outside of the database. When bytes at the very end of the database's own journal
 * rot, LevelDB drops the last records together with the head written beside them, and the log looks
 * whole but shorter. This file remembers how long it was. It is written after the records are
 * durable and not synced itself: after a power failure it may lag behind the log, never lead it.
 * Only before a cut it is: what it said before would be of records that others have replaced.
 */
import { hash as digest } from "node:crypto";
import { writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { LogHead } from "../batch/log.ts";

export interface HeadFile {
  /** What the file says; undefined when it is new, or torn by a power failure. */
  readonly found: LogHead | undefined;
  write(head: LogHead): Promise<void>;
  /** Makes what was written outlive a power failure. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const NUMBER_DIGITS = 16;
const HASH_LENGTH = 64;
// Fits one disk sector, so that a write is whole or absent.
const BODY_LENGTH = 2 * NUMBER_DIGITS + HASH_LENGTH;

export async function openHeadFile(path: string): Promise<HeadFile> {
  // "a+" would create the file too, but appends whatever position a write names.
  const handle = await open(path, "r+").catch(() => open(path, "w+"));
  return {
    found: await readHead(handle),
    write: async (head) => {
      // Into memory that the system writes out later: a thread's turn would take longer, and every
      // acknowledgement waits for it.
      writeSync(handle.fd, encodeHead(head), 0, "latin1");
    },
    sync: () => handle.sync(),
    close: async () => {
      await handle.sync();
      await handle.close();
    },
  };
}

function encodeHead({ position, epoch, hash }: LogHead): string {
  const numbers = [position, epoch].map((number) => String(number).padStart(NUMBER_DIGITS, "0"));
  const body = numbers.join("") + hash;
  return body + digest("sha256", body, "hex");
}

async function readHead(handle: FileHandle): Promise<LogHead | undefined> {
  const buffer = Buffer.alloc(BODY_LENGTH + HASH_LENGTH);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
  const text = buffer.toString("latin1", 0, bytesRead);
  const epochAt = NUMBER_DIGITS;
  const hashAt = epochAt + NUMBER_DIGITS;
  const head = {
    position: Number(text.slice(0, epochAt)),
    epoch: Number(text.slice(epochAt, hashAt)),
    hash: text.slice(hashAt, BODY_LENGTH),
  };
  return text === encodeHead(head) ? head : undefined;
}
