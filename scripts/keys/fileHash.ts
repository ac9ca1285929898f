/** The sha256 of a file of any size. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** Hashes a file without loading it whole; returns hex. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}
