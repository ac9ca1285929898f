// The `jetstream` log in a partition of a real network: three servers, each in a network namespace
// of its own, the writer beside one of them and a standby beside another.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { natsConfigOf, natsServer } from "../../scripts/devnet/nats.ts";
import { until } from "../support/committee.ts";
import { createNamespaces, type Namespaces, namespacesMissing } from "../support/namespaces.ts";
import { natsMissing } from "../support/natsCluster.ts";
import { temporaryFolder } from "../unit/store/sampleEntries.ts";
import type { StreamStart, StreamTold } from "./streamChild.ts";

const CHILD = fileURLToPath(new URL("streamChild.ts", import.meta.url));
const HOSTS = ["host0", "host1", "host2"];
const WAIT_MS_MAX = 60_000;
const skip = namespacesMissing || natsMissing;

type Acknowledged = Extract<StreamTold, { kind: "acknowledged" }>;

interface Node {
  append(count: number): void;
  acknowledged(): readonly Acknowledged[];
  refused(): readonly string[];
  isReady(): boolean;
}

interface Venue {
  readonly network: Namespaces;
  start(host: string, name: string, takeoverMs?: number): Node;
}

async function openVenue(context: TestContext): Promise<Venue> {
  const network = createNamespaces(HOSTS);
  context.after(network.stop);
  const folder = await temporaryFolder(context);
  const places = HOSTS.map((host) => {
    const address = network.addressOf(host);
    return { client: `${address}:4222`, route: `${address}:6222`, monitor: `${address}:8222` };
  });
  for (const [index, host] of HOSTS.entries()) {
    const config = path.join(folder, `${host}.conf`);
    writeFileSync(config, natsConfigOf(index, folder, places));
    network.run(host, [natsServer, "-c", config, "-l", path.join(folder, `${host}.log`)]);
  }
  const stream = {
    servers: places.map(({ client }) => client),
    monitors: places.map(({ monitor }) => `http://${monitor}`),
    ...{ stream: "PARTED", replicas: 3, patienceMs: 30_000, probeMs: 1000 },
  };
  return {
    network,
    start: (host, name, takeoverMs) => {
      const start: StreamStart = {
        ...{ directory: path.join(folder, name), stream },
        ...(takeoverMs === undefined ? {} : { takeoverMs }),
      };
      const told: StreamTold[] = [];
      const child = network.start(host, CHILD, JSON.stringify(start));
      child.on("message", (each) => told.push(each as StreamTold));
      return {
        append: (count) => void child.send(count),
        acknowledged: () => told.filter((each) => each.kind === "acknowledged"),
        refused: () => told.flatMap((each) => (each.kind === "refused" ? [each.reason] : [])),
        isReady: () => told.some(({ kind }) => kind === "ready"),
      };
    },
  };
}

const within = (what: string, isSo: () => boolean) => until(what, isSo, WAIT_MS_MAX);

test("E5 the writer in the minority of a real partition acknowledges nothing", {
  skip,
}, async (context) => {
  const { network, start } = await openVenue(context);
  const writer = start("host0", "writer");
  await within("the writer has the log", writer.isReady);
  writer.append(20);
  await within("the first records", () => writer.acknowledged().length === 20);
  const standby = start("host2", "standby", 3000);
  await sleep(2_000);
  assert.ok(!standby.isReady(), "it stands by while the writer is heard");

  network.split([["host0"], ["host1", "host2"]]);
  writer.append(5);
  const takenOver = await within("the majority has a writer", standby.isReady);
  standby.append(20);
  await within("the majority goes on", () => standby.acknowledged().length === 20);
  assert.equal(writer.acknowledged().length, 20, "the minority acknowledges nothing");

  network.heal();
  await within("the old writer knows that it is none", () => writer.refused().length === 5);
  assert.equal(writer.acknowledged().length, 20);
  // The first epoch's records, the second's, and nothing between.
  const all = [...writer.acknowledged(), ...standby.acknowledged()];
  assert.deepEqual(
    all.map(({ position }) => position).sort((a, b) => a - b),
    Array.from({ length: 40 }, (_, position) => position),
  );
  // It goes on where the majority is, with a copy that it had before.
  const again = start("host0", "again");
  await within("a node beside the healed server has the log", again.isReady);
  again.append(1);
  await within("it writes", () => again.acknowledged().length === 1);
  assert.equal(again.acknowledged()[0]?.position, 40);
  context.diagnostic(
    `taken over ${Math.round(takenOver)} ms after the split; refused: ${writer.refused()[0]}`,
  );
});
