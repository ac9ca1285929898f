// What the oldest supported Node runs in portable.test.ts: url, account and secret are arguments.
import { WebSocket } from "ws";
import { openLocalBook } from "../../../sequencer/client/localBook.ts";
import { createRpcConnection } from "../../../sequencer/client/rpcConnection.ts";
import { createTrader } from "../../../sequencer/client/trader.ts";

const [url = "", account = "", secret = "", now = ""] = process.argv.slice(2);
const rpc = createRpcConnection({ url, webSocket: WebSocket });
const key = { secret: BigInt(secret) };
const clock = () => Number(now);
const trader = await createTrader({
  ...{ node: rpc, account: Number(account), keyIndex: 0, key, now: clock },
});
const [instrument] = await rpc.call("public/get_instruments", { currency: "any" });
const book = await openLocalBook(rpc, { instrument: instrument!.instrument_name, interval: "raw" });
const changed = new Promise((resolve) => book.on("update", resolve));
const { receipt } = await trader.sell({
  ...{ instrument_name: book.instrument, amount: 0.1, price: 51 },
});
await changed;
const { asks } = book.current()!;
process.stdout.write(
  JSON.stringify({ outcome: receipt.outcome, asks, orders: await trader.openOrders() }),
);
trader.close();
