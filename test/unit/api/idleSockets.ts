// A process of its own that opens connections and says nothing: PORT COUNT. Tells its parent how
// many of them are still open, whenever it is asked.
import { connect, type Socket } from "node:net";

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const open = new Set<Socket>();
let tried = 0;

function one(): void {
  if (tried++ >= count) return;
  const socket = connect({ port, host: "127.0.0.1" });
  open.add(socket);
  // Without reading, nobody hears that the other end has closed.
  socket.resume();
  const end = (): void => {
    open.delete(socket);
  };
  socket.on("error", end);
  socket.on("close", end);
  socket.on("connect", () => setImmediate(one));
}

for (let parallel = 0; parallel < 50; parallel++) one();
process.on("message", () => process.send?.({ tried, open: open.size }));
process.on("disconnect", () => process.exit(0));
