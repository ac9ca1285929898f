/** Turns a command's function into commander's action: session, exit code, closing. */
import type { Command } from "commander";
import type { Io } from "./output.ts";
import { createSession, type Session } from "./session.ts";
import type { GlobalOptions } from "./settings.ts";

/** Resolves with the exit code; with nothing for 0. */
export type CommandFunction<O> = (
  session: Session,
  args: readonly string[],
  options: O,
) => Promise<unknown>;

export type Run = <O>(command: CommandFunction<O>) => (...given: unknown[]) => Promise<void>;

export function createRun(io: Io, onExitCode: (code: number) => void): Run {
  return (command) =>
    async (...given) => {
      const self = given.at(-1) as Command;
      const session = createSession(self.optsWithGlobals<GlobalOptions>(), io);
      try {
        const code = await command(session, self.args, self.opts() as never);
        onExitCode(typeof code === "number" ? code : 0);
      } finally {
        session.close();
      }
    };
}
