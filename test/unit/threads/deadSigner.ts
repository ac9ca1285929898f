// A thread that ends at the first digests, without a signature.
import { parentPort } from "node:worker_threads";

parentPort?.once("message", () => {
  throw new Error("no signatures today");
});
