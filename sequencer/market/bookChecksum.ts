/**
 * The checksum of a book's best levels, by which a follower of its changes knows that it has lost
 * none: CRC-32 (IEEE 802.3, as in zip) of ASCII text (SPEC section 11). Prices and quantities stand
 * in it as integers, ticks and lots, so that no language's way with decimals matters.
 */
import type { BookLevel } from "./publicBook.ts";

/** Levels of each side that count, from the best on. */
export const CHECKSUM_LEVELS = 10;

type Level = Pick<BookLevel, "price" | "lots">;

/** `price:lots` of the asks, best first, then of the bids, joined by `|`. */
export function checksumText(bids: readonly Level[], asks: readonly Level[]): string {
  const best = [...asks.slice(0, CHECKSUM_LEVELS), ...bids.slice(0, CHECKSUM_LEVELS)];
  return best.map(({ price, lots }) => `${price}:${lots}`).join("|");
}

/** Of an empty book 0. */
export function bookChecksum(bids: readonly Level[], asks: readonly Level[]): number {
  return crc32(checksumText(bids, asks));
}

const POLYNOMIAL = 0xedb88320;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** Of text whose characters are ASCII. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let at = 0; at < text.length; at++) {
    crc = (crc >>> 8) ^ TABLE[(crc ^ text.charCodeAt(at)) & 0xff]!;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
