/** More is asked than there is room for: what was asked is not done, and may be asked again. */
export class BusyError extends Error {
  override name = "BusyError";
}
