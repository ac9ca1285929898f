// One point of a curve in a process of its own: its heap, and what collecting it costs, are those
// of a market of that size. It does what it is asked to, and else nothing.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createScaleMarket } from "./market.ts";
import type { Size, Wanted } from "./plan.ts";

const size = JSON.parse(process.argv[2] ?? "") as Size;
const market = createScaleMarket(size);
// Else the first rounds pay for what filling the market has left behind.
setFlagsFromString("--expose-gc");
(runInNewContext("gc") as () => void)();
process.on("message", async (wanted: Wanted) => void process.send?.(await market[wanted]()));
process.on("disconnect", () => process.exit(0));
process.send?.({ residentBytes: process.memoryUsage().rss });
