/** What the engine throws when it is asked for a step that no proof could follow. */

/** A caller's bug or a dishonest batch: the node must stop, not answer a trader. */
export class EngineAssertion extends Error {
  override name = "EngineAssertion";
}

/** Throws {@link EngineAssertion} unless `condition` holds. */
export function assertEngine(condition: boolean, message: string): asserts condition {
  if (!condition) throw new EngineAssertion(message);
}

/** For what is asked at every fill: the text is made only where it is needed. */
export function failEngine(message: string): never {
  throw new EngineAssertion(message);
}
