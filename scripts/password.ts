/** The password of a key file: from the environment, or asked for without showing it. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

const PASSWORD_VARIABLE = "STRADDLE_PASSWORD";

/** Throws where there is neither the variable nor a terminal to ask. */
export async function passwordOf(file: string): Promise<string> {
  const stated = process.env[PASSWORD_VARIABLE];
  if (stated !== undefined) return stated;
  if (!process.stdin.isTTY) {
    throw new Error(`no terminal to ask for the password of \`${file}\`; set ${PASSWORD_VARIABLE}`);
  }
  process.stderr.write(`Password of ${file}: `);
  // What is typed goes nowhere: readline echoes to its output.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  return new Promise((resolve) => {
    lines.question("", (answer) => {
      lines.close();
      process.stderr.write("\n");
      resolve(answer);
    });
  });
}
