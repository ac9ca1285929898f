// Runs one NATS server, and ends it with itself: started like every process of a devnet, so that
// nothing is left running behind it. Argument: the server's configuration file.
import { spawn } from "node:child_process";
import { natsServer } from "./nats.ts";

const server = spawn(natsServer, ["-c", process.argv[2] ?? ""], { stdio: "inherit" });
process.on("exit", () => server.kill("SIGKILL"));
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => server.kill("SIGTERM"));
}
server.once("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
server.once("exit", (code) => process.exit(code ?? 0));
