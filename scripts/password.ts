/** The password of a key file: from the environment, or asked for without showing it. */
import { askPassword } from "../sequencer/node/passwordPrompt.ts";

const PASSWORD_VARIABLE = "STRADDLE_PASSWORD";

/** Throws where there is neither the variable nor a terminal to ask. */
export async function passwordOf(file: string): Promise<string> {
  const stated = process.env[PASSWORD_VARIABLE] ?? (await askPassword(file));
  if (stated !== undefined) return stated;
  throw new Error(`no terminal to ask for the password of \`${file}\`; set ${PASSWORD_VARIABLE}`);
}
