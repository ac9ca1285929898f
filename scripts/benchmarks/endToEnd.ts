/**
 * From a signed order over a WebSocket to its durable, signed receipt, at rates that do not wait
 * for answers (an order is late from the moment at which it was due), beside a bare `ws` echo at
 * the same rates. Four of five messages are orders that rest, each fifth cancels all of an
 * account's.
 */
import type { BenchLine } from "./benchLine.ts";
import { createTraders, openLoop, ordersOf, type Run, startVenue } from "./endToEnd/load.ts";
import { TRADERS } from "./endToEnd/plan.ts";
import { percentile } from "./percentile.ts";

const RATES = [500, 1000, 2000, 4000, 10_000];
/** Orders before the first rate is measured. */
const WARM_UP = 2000;
/** Of the orders a second that were due: fewer, and the queue grew. */
const SUSTAINED_SHARE = 0.95;
const SECONDS = 10;
const TARGET_RATE = 10_000;
const TARGETS = { 50: 5, 99: 25 } as const;

function linesOf(rate: number, own: Run, peer: Run): BenchLine[] {
  const note = `${SECONDS} s, ${TRADERS} connections; log synced to disk; refused ${own.refused}`;
  const beside = { peer: "bare ws echo" };
  const isTarget = rate === TARGET_RATE;
  return [
    {
      ...{ name: `end-to-end/${rate}/answered`, unit: "orders/s", better: "higher", ...beside },
      ...{ value: own.perSecond, peerValue: peer.perSecond, note },
      ratio: own.perSecond / peer.perSecond,
      ...(isTarget ? { target: rate } : {}),
    },
    ...([50, 99] as const).map((share): BenchLine => {
      const [value, peerValue] = [percentile(own.ms, share), percentile(peer.ms, share)];
      const figure = { name: `end-to-end/${rate}/p${share}`, value, unit: "ms" } as const;
      const target = isTarget ? { target: TARGETS[share] } : {};
      return {
        ...figure,
        better: "lower",
        ...beside,
        peerValue,
        ratio: value / peerValue,
        ...target,
      };
    }),
  ];
}

/** Each rate with its peer's before it; higher ones only while the one before was sustained. */
export async function endToEndBenchmarks(): Promise<BenchLine[]> {
  const { child, socketUrl: url, echoUrl, deadline } = await startVenue();
  try {
    const traders = createTraders();
    console.error(`warming up with ${WARM_UP} orders`);
    await openLoop(url, ordersOf(traders, WARM_UP, deadline), WARM_UP / 4);
    const lines: BenchLine[] = [];
    for (const rate of RATES) {
      const list = ordersOf(traders, rate * SECONDS, deadline);
      const peer = await openLoop(echoUrl, list, rate);
      const own = await openLoop(url, list, rate);
      const p50 = percentile(own.ms, 50).toFixed(1);
      console.error(`${rate} a second: ${own.perSecond.toFixed(0)} answered, p50 ${p50} ms`);
      lines.push(...linesOf(rate, own, peer));
      if (own.ms.length < list.length || own.perSecond < rate * SUSTAINED_SHARE) break;
    }
    return lines;
  } finally {
    if (child.connected) child.disconnect();
  }
}
