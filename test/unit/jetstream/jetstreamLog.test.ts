// The jetstream engine on a real cluster of three servers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { LogCorruptionError } from "../../../sequencer/batch/log.ts";
import { LogFencedError } from "../../../sequencer/batch/logWriter.ts";
import { encodeBatch } from "../../../sequencer/jetstream/batchMessage.ts";
import { openJetstreamLog } from "../../../sequencer/jetstream/jetstreamLog.ts";
import { openStream, StreamSettingsError } from "../../../sequencer/jetstream/stream.ts";
import type { Log } from "../../../sequencer/ports.ts";
import { openStore } from "../../../sequencer/store/store.ts";
import { type NatsCluster, natsMissing, startNatsCluster } from "../../support/natsCluster.ts";
import { silent } from "../roles/ports.ts";
import { collect, testLog } from "../store/logConformance.ts";
import { DOMAIN, sampleEntry, temporaryFolder } from "../store/sampleEntries.ts";

let cluster: NatsCluster;
let streams = 0;

before(async () => {
  if (natsMissing === false) cluster = await startNatsCluster();
});
after(async () => {
  await cluster?.stop();
});

function optionsOf(stream: string) {
  const { servers, monitors } = cluster;
  const times = { patienceMs: 15_000, probeMs: 1000 };
  return { servers, monitors, stream, replicas: 3, logger: silent, ...times };
}

/** The servers that have made a stream are not yet all that clients reach. */
const PATIENT = { retries: 20 };

const newStream = (): string => `LOG${++streams}`;

/** Opens the log of a stream with the copy in the folder; closing closes both. */
async function open(stream: string, folder: string): Promise<Log> {
  const store = await openStore(folder, DOMAIN);
  try {
    const log = await openJetstreamLog({ ...optionsOf(stream), copy: store.log });
    const close = async (): Promise<void> => {
      await log.close();
      await store.close();
    };
    return { ...log, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

const isCorruptAt = (position: number) => (error: unknown) =>
  error instanceof LogCorruptionError && error.position === position;

testLog({
  name: "jetstream",
  rival: "takes over",
  skip: natsMissing,
  create: async (context) => {
    const stream = newStream();
    const opened = async () => {
      const connection = await openStream(optionsOf(stream));
      context.after(() => connection.close());
      return connection;
    };
    return {
      // A node of its own each time: nothing but the stream is shared.
      open: async () => open(stream, await temporaryFolder(context)),
      forge: async (records) => {
        const { client } = await opened();
        for (const record of records) {
          if (record === undefined) continue;
          const { position, previous } = record;
          const batch = { epoch: 0, writer: "forger", position, previous, records: [record] };
          await client.publish(stream, encodeBatch(batch), PATIENT);
        }
      },
      breakDown: async () => {
        // Another message where the next one belongs, of no writer's epoch.
        const { client } = await opened();
        await client.publish(stream, "rubbish", PATIENT);
      },
    };
  },
});

const skip = natsMissing;

test("a copy that lags catches up, one that leads or differs stops the node", {
  skip,
}, async (context) => {
  const stream = newStream();
  const [a, b] = [await temporaryFolder(context), await temporaryFolder(context)];
  const first = await open(stream, a);
  await first.append([0, 1, 2].map(sampleEntry));
  await first.close();
  const second = await open(stream, b);
  assert.equal(second.head().position, 3);
  await second.append([3, 4].map(sampleEntry));
  await second.close();
  const again = await open(stream, a);
  assert.equal((await collect(again.read(0))).length, 5);
  assert.ok(again.head().epoch >= 1);
  await again.close();
  // A stream of fewer records under a node that has more: records were lost.
  await assert.rejects(open(newStream(), a), isCorruptAt(0));
  // The same length, other records.
  const elsewhere = newStream();
  const other = await open(elsewhere, await temporaryFolder(context));
  await other.append([9, 8, 7, 6, 5].map(sampleEntry));
  await other.close();
  await assert.rejects(open(elsewhere, a), isCorruptAt(4));
});

test("streams and servers that are set up otherwise are refused", { skip }, async () => {
  const stream = newStream();
  const { close } = await openStream(optionsOf(stream));
  await assert.rejects(openStream({ ...optionsOf(stream), replicas: 5 }), StreamSettingsError);
  await close();
  const connection = await connect({ servers: [...cluster.servers] });
  const admin = await jetstreamManager(connection);
  await admin.streams.delete(stream);
  await admin.streams.add({ name: stream, subjects: [stream], num_replicas: 1 });
  await assert.rejects(openStream(optionsOf(stream)), /num_replicas/);
  await admin.streams.update(stream, { num_replicas: 3 });
  await assert.rejects(openStream(optionsOf(stream)), /discard|deny_delete|allow_direct/);
  await connection.close();
});

test("an idle writer that was replaced learns it from its own probe", { skip }, async (context) => {
  const stream = newStream();
  const old = await open(stream, await temporaryFolder(context));
  await old.append([sampleEntry(0)]);
  const next = await open(stream, await temporaryFolder(context));
  const deadline = Date.now() + 5000;
  while (!old.failure.aborted && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(old.failure.reason instanceof LogFencedError, String(old.failure.reason));
  assert.equal((await next.append([sampleEntry(1)])).length, 1);
  await next.close();
  await old.close();
});
