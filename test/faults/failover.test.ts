// E5, the part of the log: servers of the stream die under load, and a standby takes over from a
// sequencer that dies. Real servers, real processes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { decodeJson, encodeJson, type LogRecord } from "../../sequencer/batch/log.ts";
import type { Receipt } from "../../sequencer/exchangeService.ts";
import { openJetstreamLog } from "../../sequencer/jetstream/jetstreamLog.ts";
import { openStandbyLog } from "../../sequencer/jetstream/standbyLog.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { runs } from "../property/runs.ts";
import { type NatsCluster, natsMissing, startNatsCluster } from "../support/natsCluster.ts";
import { PLACE } from "../unit/roles/market.ts";
import { silent } from "../unit/roles/ports.ts";
import { collect } from "../unit/store/logConformance.ts";
import { DOMAIN, sampleEntry, temporaryFolder } from "../unit/store/sampleEntries.ts";
import type { Known, Told } from "./sequencerChild.ts";
import { createSurroundings, send, startProcess } from "./venue.ts";

const CHILD = fileURLToPath(new URL("sequencerChild.ts", import.meta.url));
const TAKEOVER_MS_MAX = 5000;
const TIMES = { patienceMs: 30_000, probeMs: 1000 };
const skip = natsMissing;

let cluster: NatsCluster;
before(async () => {
  if (natsMissing === false) cluster = await startNatsCluster();
});
after(async () => {
  await cluster?.stop();
});

const optionsOf = (stream: string) => ({
  ...{ servers: cluster.servers, monitors: cluster.monitors, stream, replicas: 3, ...TIMES },
});

/** Index of the server that leads the stream. */
async function leaderOf(stream: string): Promise<number> {
  const connection = await connect({ servers: [...cluster.servers] });
  const { cluster: state } = await (await jetstreamManager(connection)).streams.info(stream);
  await connection.close();
  return Number(state?.leader?.slice(1));
}

test("E5 the stream's leader dies under load: nothing acknowledged is lost, and writing goes on", {
  skip,
}, async (context) => {
  const store = await openStore(await temporaryFolder(context), DOMAIN);
  const stream = "FAILOVER";
  const log = await openJetstreamLog({ ...optionsOf(stream), copy: store.log, logger: silent });
  const acknowledged: LogRecord[] = [];
  let [longest, last, isOn] = [0, performance.now(), true];
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let number = writer; isOn; number += 4) {
      acknowledged.push(...(await log.append([sampleEntry(number)])));
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }
  });
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(500);
  const leader = await leaderOf(stream);
  await cluster.kill(leader, "SIGKILL");
  const before = acknowledged.length;
  while (acknowledged.length < before + 200) await pause(50);
  await cluster.start(leader);
  await pause(500);
  isOn = false;
  await Promise.all(writers);
  await log.close();
  await store.close();
  // A node that has nothing yet must find all of it.
  const fresh = await openStore(await temporaryFolder(context), DOMAIN);
  const again = await openJetstreamLog({ ...optionsOf(stream), copy: fresh.log, logger: silent });
  const found = await collect(again.read(0));
  assert.equal(found.length, acknowledged.length, "each append once");
  for (const { position, hash } of acknowledged) assert.equal(found[position]?.hash, hash);
  await again.close();
  await fresh.close();
  context.diagnostic(`${found.length} records, longest silence ${Math.round(longest)} ms`);
});

interface Life {
  readonly receipts: Receipt[];
  readonly sinceKillMs: number;
}

/** A sequencer trades, is killed, and this process, which stood by, takes its first order. */
async function takenOver(context: TestContext, stream: string): Promise<Life> {
  const around = createSurroundings(await temporaryFolder(context));
  const { clock, settlement, receipts } = around;
  const known: Known = { time: clock.now(), anchored: [], stream: optionsOf(stream) };
  const folder = await temporaryFolder(context);
  const child = spawn(process.execPath, [CHILD, folder, "1", encodeJson(known)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const stopping = new AbortController();
  context.after(() => {
    stopping.abort();
    child.kill("SIGKILL");
  });
  let ours = 0;
  let standby: ReturnType<typeof startProcess> | undefined;
  let killedAt = 0;
  const standBy = () =>
    startProcess(
      around,
      (run) => run(),
      async (copy) =>
        openStandbyLog({
          ...{ ...optionsOf(stream), copy, logger: silent, takeoverMs: 3000 },
          signal: stopping.signal,
          onTakeover: async () => {
            ours = performance.now();
          },
        }),
    );
  for await (const line of createInterface(child.stdout)) {
    const told = decodeJson(line) as Told;
    if ("time" in told) clock.advance(told.time - clock.now());
    else if ("anchored" in told) settlement.anchoredBatches.push(told.anchored);
    else receipts.push(told.receipt as Receipt);
    standby ??= standBy();
    if (receipts.length < 12 || killedAt !== 0) continue;
    killedAt = performance.now();
    child.kill("SIGKILL");
  }
  await exited;
  assert.ok(standby !== undefined && killedAt > 0 && ours === 0, "it stands by until then");
  const told = receipts.slice();
  const venue = await standby;
  assert.ok(ours > killedAt);
  await venue.step(400);
  const deadline = clock.now() + 60_000;
  await send(venue, around, 3, { ...PLACE, deadline });
  const sinceKillMs = performance.now() - killedAt;
  assert.equal(receipts.length, told.length + 1, "the standby takes orders");
  const records = await collect(venue.log.read(0));
  for (const { logPosition, logHash } of receipts) {
    assert.equal(records[logPosition]?.hash, logHash, "what the dead one acknowledged is there");
  }
  await venue.sequencer.stop();
  await venue.log.close();
  await venue.close();
  return { receipts: told, sinceKillMs };
}

test("E5 a standby takes its first order within 5 s of the writer's death", {
  skip,
}, async (context) => {
  const { numRuns } = runs(2, 10);
  const times: number[] = [];
  for (let run = 0; run < numRuns; run++) {
    const { sinceKillMs, receipts } = await takenOver(context, `STANDBY${run}`);
    assert.ok(receipts.length >= 12);
    times.push(Math.round(sinceKillMs));
  }
  context.diagnostic(`from the kill to the standby's first receipt: ${times.join(", ")} ms`);
  assert.ok(Math.max(...times) <= TAKEOVER_MS_MAX, times.join(", "));
});
