/** The sequencer's side of bare members: what it orders, it writes, and sends to all of them. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import path from "node:path";
import { encodeJson } from "../../../sequencer/batch/log.ts";
import { sampleEntry } from "../log/load.ts";
import { openTexts } from "../log/texts.ts";
import type { BareStart } from "./bareMember.ts";
import { onFrame, sendFrame } from "./bareWire.ts";
import { startChild } from "./process.ts";
import { MEMBERS } from "./sitting.ts";

export async function createBareWorld(directory: string, ports: readonly number[]) {
  const store = await openTexts(path.join(directory, "sequencer"));
  const alone = await openTexts(path.join(directory, "alone"));
  const lines: Socket[] = [];
  let [ordered, certified, probes] = [0, 0, 0];
  let see: (position: number) => void = () => undefined;
  const server = createServer({ noDelay: true }, (socket) => {
    lines.push(socket);
    onFrame(socket, (words) => {
      certified = Math.max(certified, words.readUInt32BE(0));
      see(certified);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sequencer = (server.address() as { port: number }).port;
  const children = Array.from({ length: MEMBERS }, (_, index) => {
    const given: BareStart = {
      ...{ index, ports, sequencer, directory: path.join(directory, `member-${index}`) },
    };
    return startChild("bareMember.ts", JSON.stringify(given));
  });
  await Promise.all(children.map((child) => once(child, "message")));
  return {
    order: () => {
      const text = encodeJson(sampleEntry(ordered));
      ordered += 1;
      const frame = Buffer.from(text);
      store.append([text]).then(() => {
        for (const line of lines) sendFrame(line, frame);
      });
    },
    ordered: () => ordered,
    certified: () => certified,
    write: async () => {
      const start = performance.now();
      probes += 1;
      await alone.put("probe", String(probes));
      return performance.now() - start;
    },
    watch: (watcher: (position: number) => void) => {
      see = watcher;
    },
    stop: async () => {
      for (const child of children) {
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
      }
      server.close();
      for (const line of lines) line.destroy();
      await store.close();
      await alone.close();
    },
  };
}
