/** Asks for the password of a key file, without showing what is typed. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** Undefined where there is no terminal to ask. */
export async function askPassword(file: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
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
