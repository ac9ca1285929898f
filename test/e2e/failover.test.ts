// Whole nodes of which one can be lost. With the `jetstream` log the sequencer is killed, and the
// one that stands by takes over its addresses and its keys; with `simplex` the leader's machine is,
// validator and sequencer at once, and the next leader's sequencer goes on. A trader who only dials
// again loses nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { waitFor } from "../../scripts/devnet/traders.ts";
import { natsMissing } from "../support/natsCluster.ts";
import { assertNobodyRefused, goesOn, openBook } from "./keptBook.ts";
import { WAIT_MS, withNetwork } from "./tradedNetwork.ts";

const TIMEOUT_MS = 30 * 60_000;

test("E5 whole nodes: a standby takes over, and nothing acknowledged is lost", {
  timeout: TIMEOUT_MS,
  skip: natsMissing,
}, async (context) => {
  await withNetwork(async (network, signal, directory) => {
    const book = await openBook(network, signal);
    await waitFor("the standby", WAIT_MS, signal, async () =>
      /standing by/.test(readFileSync(directory.file("logs", "standby.log"), "utf8"))
        ? true
        : undefined,
    );
    assert.equal(book.before.log.engine, "jetstream");
    const killed = performance.now();
    await network.children.kill("sequencer");
    await network.apiUp();
    const took = Math.round(performance.now() - killed);
    // Its batches go on, certified by validators that found it where the first one was.
    await goesOn(book, signal);
    assertNobodyRefused(directory);
    book.exchange.close();
    context.diagnostic(`first answer, API and all, ${took} ms after the kill`);
  }, "jetstream");
});

test("E5 whole nodes: the next leader's sequencer goes on in one term change", {
  timeout: TIMEOUT_MS,
}, async (context) => {
  await withNetwork(async (network, signal, directory) => {
    const book = await openBook(network, signal);
    assert.equal(book.before.log.engine, "simplex");
    const { certification } = await book.exchange.status();
    const leader = certification!.members.findIndex(
      ({ validator }) => validator === certification!.leader,
    );
    assert.ok(leader >= 0, "a leader is known");
    const killed = performance.now();
    await Promise.all([
      network.children.kill(`sequencer-${leader}`),
      network.children.kill(`validator-${leader}`),
    ]);
    await network.apiUp();
    const took = Math.round(performance.now() - killed);
    await goesOn(book, signal);
    const terms = (await book.exchange.status()).logEpoch - book.before.logEpoch;
    assertNobodyRefused(directory);
    book.exchange.close();
    context.diagnostic(`first answer, API and all, ${took} ms after the kill, ${terms} terms on`);
  }, "simplex");
});
