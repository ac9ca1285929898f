/** Receipts in a file, one to a line: what outlives the command that got them. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createReceiptBook, PLACES_MAX, type ReceiptBook } from "../client/receiptBook.ts";
import { readSignedPlace, type SignedPlace } from "../protocol/evidence.ts";
import { UsageError } from "./failure.ts";

/**
 * The book of the deployment's receipts in the file; new ones are appended. Of more lines than are
 * kept, only the newest are written back. A file may hold receipts of several deployments.
 */
export function openReceiptFile(file: string, domain: bigint): ReceiptBook {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  if (lines.length > 2 * PLACES_MAX)
    writeFileSync(file, `${lines.slice(-PLACES_MAX).join("\n")}\n`);
  const saved = lines.slice(-PLACES_MAX).flatMap((line) => readLine(line, { file, domain }));
  const name = nameOf(domain);
  return createReceiptBook({
    ...{ domain, saved },
    onKept: (place) => appendFileSync(file, `${JSON.stringify({ domain: name, ...place })}\n`),
  });
}

function readLine(
  line: string,
  { file, domain }: { readonly file: string; readonly domain: bigint },
): SignedPlace[] {
  try {
    const value = JSON.parse(line) as { readonly domain?: unknown };
    const place = readSignedPlace(value);
    return value.domain === nameOf(domain) ? [place] : [];
  } catch {
    throw new UsageError(`\`${file}\` has a line that is not a receipt: \`${line.slice(0, 80)}\`.`);
  }
}

function nameOf(domain: bigint): string {
  return `0x${domain.toString(16)}`;
}
