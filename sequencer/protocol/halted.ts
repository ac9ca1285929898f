/** The node takes nothing more: another one, or the same after a restart, has to be asked. */
export class HaltedError extends Error {
  override name = "HaltedError";
}
