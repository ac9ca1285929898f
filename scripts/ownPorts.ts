/**
 * Ports for servers that are told where to listen, or that come back to where they listened. They
 * lie below those that systems hand out by themselves, which any connection going out may take
 * between two uses, and no two processes have the same.
 */
import { createServer, type Server } from "node:net";

const HOST = "127.0.0.1";
const LOWEST = 10_000;
const BLOCKS = 100;
const BLOCK_SIZE = 100;

/** The process's own block: its first port is held as long as the process lives, by listening. */
interface Block {
  readonly base: number;
  used: number;
}

let claimed: Promise<Block> | undefined;

/** So many ports that nothing uses, each given once in this process. */
export async function ownPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = await next();
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function next(): Promise<number> {
  claimed ??= claimBlock();
  const own = claimed;
  const block = await own;
  block.used += 1;
  if (block.used < BLOCK_SIZE) return block.base + block.used;
  if (claimed === own) claimed = undefined;
  return next();
}

async function claimBlock(): Promise<Block> {
  const first = Math.floor(Math.random() * BLOCKS);
  for (let tried = 0; tried < BLOCKS; tried++) {
    const base = LOWEST + ((first + tried) % BLOCKS) * BLOCK_SIZE;
    const server = await listen(base);
    if (server === undefined) continue;
    server.unref();
    return { base, used: 0 };
  }
  throw new Error(
    `no block of ports is free between ${LOWEST} and ${LOWEST + BLOCKS * BLOCK_SIZE}`,
  );
}

/** Whether nothing listens there on loopback. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** Undefined where something else listens. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(undefined);
      else reject(error);
    });
    server.listen(port, HOST, () => resolve(server));
  });
}
