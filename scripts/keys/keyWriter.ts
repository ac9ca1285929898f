/** Writes the sections of a snarkjs .zkey file, in order or into reserved places. */
import { writeSync } from "node:fs";

const VERSION = 1;
const SECTION_HEAD_BYTES = 12;

/** Writes one section after another through an open file. */
export type KeyWriter = {
  readonly beginSection: (id: number) => void;
  readonly append: (bytes: Uint8Array) => void;
  /** Overwrites bytes of the open section, counted from its start. */
  readonly patch: (offset: number, bytes: Uint8Array) => void;
  readonly endSection: () => void;
  /** Adds a section of a known length, to be filled through `writeAt`; returns its position. */
  readonly reserveSection: (id: number, length: number) => number;
  readonly writeAt: (position: number, bytes: Uint8Array) => void;
};

/** Starts a .zkey file with room for `sections` sections. */
export function createKeyWriter(descriptor: number, sections: number): KeyWriter {
  let end = 0;
  let sectionStart = 0;

  const writeAt = (position: number, bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
    }
  };
  const append = (bytes: Uint8Array): void => {
    writeAt(end, bytes);
    end += bytes.length;
  };
  const head = (id: number, length: number): Buffer => {
    const bytes = Buffer.alloc(SECTION_HEAD_BYTES);
    bytes.writeUInt32LE(id, 0);
    bytes.writeBigUInt64LE(BigInt(length), 4);
    return bytes;
  };

  const start = Buffer.alloc(12);
  start.write("zkey", 0, "latin1");
  start.writeUInt32LE(VERSION, 4);
  start.writeUInt32LE(sections, 8);
  append(start);

  return {
    beginSection: (id) => {
      append(head(id, 0));
      sectionStart = end;
    },
    append,
    patch: (offset, bytes) => writeAt(sectionStart + offset, bytes),
    endSection: () => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(end - sectionStart));
      writeAt(sectionStart - 8, length);
    },
    reserveSection: (id, length) => {
      append(head(id, length));
      const position = end;
      end += length;
      return position;
    },
    writeAt,
  };
}
