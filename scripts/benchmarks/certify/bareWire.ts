/** Frames over a plain socket: four bytes of length, then as many. A turn is one write. */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const LENGTH_BYTES = 4;
const RETRY_MS = 20;

export function sendFrame(socket: Socket, frame: Uint8Array): void {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(frame.length);
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  socket.write(length);
  socket.write(frame);
}

export function onFrame(socket: Socket, take: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readUInt32BE(0);
      if (rest.length < end) return;
      take(rest.subarray(LENGTH_BYTES, end));
      rest = rest.subarray(end);
    }
  });
}

/** Tries until the other end listens. */
export async function dial(port: number): Promise<Socket> {
  for (;;) {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    if (isOpen) return socket;
    await sleep(RETRY_MS);
  }
}
