/**
 * `npm run bench -- terminal`: the page in a real browser with every instrument of a large market,
 * each of which changes once a second. The API is the real one, its engine is not: it says that a
 * best bid has moved, and an observer in the page says when that stands on the screen.
 */
import { startApi } from "../../sequencer/api/server.ts";
import { systemClock } from "../../sequencer/node/systemClock.ts";
import { browserMissing } from "../../test/web/browser.ts";
import { buildTerminal } from "../terminal.ts";
import type { BenchLine } from "./benchLine.ts";
import { percentile } from "./percentile.ts";
import { BID_FROM, createLargeMarket, INSTRUMENTS, type LargeMarket } from "./terminal/market.ts";
import { startVisitor, type Visitor } from "./terminal/visitor.ts";

const SECONDS = Number(process.env.STRADDLE_BENCH_SECONDS ?? 60);
const PLENTY = { perSecond: 1e9, burst: 1e9 };
const SLICE_MS = 20;
const SETTLE_MS = 5000;
const SIZE = { width: 1440, height: 900 };
/** How long a page of the chain is read, and how long after a turn nothing is counted. */
const READ_MS = 2500;
const AFTER_TURN_MS = 500;
const TARGET_MS = 100;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Milliseconds of the clock at which the n-th change of an instrument was on the screen. */
type Seen = Record<string, Record<number, number>>;

/** What was in sight, and from when to when (ms of the clock). */
interface Sight {
  readonly names: ReadonlySet<string>;
  readonly from: number;
  until: number;
}

/** Runs in the page: notes the frame after the one in which a bid was written. */
const OBSERVER = `
  globalThis.seen = {};
  new MutationObserver((changes) => {
    const fresh = [];
    for (const { target } of changes) {
      const element = target.nodeType === 1 ? target : target.parentElement;
      const button = element?.closest(".c-bid button") ?? null;
      if (button === null) continue;
      const name = button.getAttribute("aria-label").split(" ")[1];
      const round = Math.round(10 * Number(button.textContent)) - ${BID_FROM};
      fresh.push([name, round]);
    }
    if (fresh.length > 0) requestAnimationFrame(() => {
      const now = performance.timeOrigin + performance.now();
      for (const [name, round] of fresh) (globalThis.seen[name] ??= {})[round] ??= now;
    });
  }).observe(document, { subtree: true, childList: true, characterData: true });
`;

/** Runs in the page before it: counts what comes of tickers, by how each message begins. */
const COUNTER = `
  globalThis.received = 0;
  const Plain = globalThis.WebSocket;
  globalThis.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (data.includes('"channel":"ticker.')) globalThis.received += 1;
      });
    }
  };
`;

const IN_SIGHT = `(() => {
  const { top, bottom } = document.querySelector(".scroll").getBoundingClientRect();
  const names = [];
  for (const button of document.querySelectorAll(".c-bid button")) {
    const place = button.getBoundingClientRect();
    if (place.height > 0 && place.top >= top && place.bottom <= bottom) {
      names.push(button.getAttribute("aria-label").split(" ")[1]);
    }
  }
  return { names, now: performance.timeOrigin + performance.now() };
})()`;

const TURN_PAGE = `(() => {
  const box = document.querySelector(".scroll");
  const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 1;
  box.scrollTop = isAtEnd ? 0 : box.scrollTop + box.clientHeight;
})()`;

/** When the n-th change was told, by instrument. */
async function stream(market: LargeMarket): Promise<Map<string, number[]>> {
  const told = new Map<string, number[]>(market.names.map((name) => [name, []]));
  const start = performance.now();
  let sent = 0;
  const total = SECONDS * INSTRUMENTS;
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - start) * INSTRUMENTS) / 1000));
    for (; sent < due; sent++) {
      const at = sent % INSTRUMENTS;
      told.get(market.names[at]!)!.push(performance.timeOrigin + performance.now());
      market.move(at, 1 + Math.floor(sent / INSTRUMENTS));
    }
    await pause(SLICE_MS);
  }
  return told;
}

/** Leafs through the chain until `signal` aborts. */
async function readOn(page: Visitor, signal: AbortSignal): Promise<Sight[]> {
  const sights: Sight[] = [];
  while (!signal.aborted) {
    await page.evaluate(TURN_PAGE);
    await pause(AFTER_TURN_MS);
    const { names, now } = await page.evaluate<{ names: string[]; now: number }>(IN_SIGHT);
    const sight = { names: new Set(names), from: now, until: now };
    await pause(READ_MS);
    sight.until = performance.timeOrigin + performance.now() - AFTER_TURN_MS;
    sights.push(sight);
  }
  return sights;
}

const isShown = `document.querySelector(".chain tbody tr")`;
const ALL = `document.querySelector('.tabs button[data-key="0"]')`;

async function showAll(page: Visitor): Promise<void> {
  await page.evaluate(`${ALL}.click()`);
  await page.until(`document.querySelectorAll(".chain").length > 1`);
  await pause(SETTLE_MS);
}

export async function terminalBenchmarks(): Promise<BenchLine[]> {
  if (browserMissing !== false) throw new Error(browserMissing);
  const market = createLargeMarket();
  const api = await startApi({
    ...{ service: market.service, clock: systemClock, logger: silent },
    limits: { credits: PLENTY },
    site: { folder: await buildTerminal() },
  });
  const page = await startVisitor(SIZE);
  try {
    const begin = performance.now();
    await page.open(api.url, [COUNTER, OBSERVER]);
    await page.until(isShown);
    const first = performance.now() - begin;
    await showAll(page);
    const before = await page.evaluate<number>("globalThis.received");
    const ended = new AbortController();
    const reading = readOn(page, ended.signal);
    const told = await stream(market);
    ended.abort();
    const sights = await reading;
    await pause(SETTLE_MS);
    const seen = await page.evaluate<Seen>("globalThis.seen");
    const received = (await page.evaluate<number>("globalThis.received")) - before;
    return linesOf({ told, sights, seen, first, received });
  } finally {
    await page.close();
    await api.stop();
  }
}

interface Run {
  readonly told: ReadonlyMap<string, number[]>;
  readonly sights: readonly Sight[];
  readonly seen: Seen;
  readonly first: number;
  readonly received: number;
}

function linesOf({ told, sights, seen, first, received }: Run): BenchLine[] {
  const delays: number[] = [];
  const sighted = new Set<string>();
  let missing = 0;
  for (const { names, from, until } of sights) {
    for (const name of names) {
      sighted.add(name);
      for (const [at, time] of told.get(name)!.entries()) {
        if (time < from || time > until) continue;
        const shown = seen[name]?.[at + 1];
        if (shown === undefined) missing += 1;
        else delays.push(shown - time);
      }
    }
  }
  const note = `${INSTRUMENTS} instruments, ${INSTRUMENTS} changes a second for ${SECONDS} s`;
  const inSight = `${delays.length} changes in sight, of ${sighted.size} instruments`;
  const ms = { unit: "ms", better: "lower" } as const;
  const changes = { unit: "changes", better: "lower", target: 0 } as const;
  const lost = SECONDS * INSTRUMENTS - received;
  return [
    { name: "terminal.firstView", value: first, ...ms, target: 2000 },
    { name: "terminal.toScreen.p50", value: percentile(delays, 50), ...ms, note },
    { name: "terminal.toScreen.p99", value: percentile(delays, 99), ...ms, target: TARGET_MS },
    { name: "terminal.notShown", value: missing, ...changes, note: inSight },
    { name: "terminal.notReceived", value: lost, ...changes, note: "merged or lost on the way" },
  ];
}
