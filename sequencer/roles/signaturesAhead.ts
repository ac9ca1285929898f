/**
 * Has the signature of a message looked at while the message waits for the door, in the order in
 * which messages came. The head that it should extend is a guess then: what its key has sent before
 * may still be refused. A wrong guess costs time only, for the door asks by the head that is.
 */

import type { Author } from "../engine/records.ts";
import type { SignatureDesk } from "../ports.ts";
import { nextHeadOnce } from "../protocol/remembered.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Signed } from "./doorChecks.ts";
import type { KeyLanes, Started } from "./keyLanes.ts";

/** The door looks at each by itself, at once. */
export const AT_THE_DOOR: SignatureDesk = {
  ahead: (_, done) => done(),
  flush: () => undefined,
  stop: async () => undefined,
};

export interface SignaturesAhead {
  /** Takes the message when its signature has been looked at: now, or in its turn. */
  start(signed: Signed, take: () => Started): Started;
  /** Takes all messages now if the key has one that waits. */
  settle(author: Author): void;
  /** Takes all messages now. */
  flush(): void;
}

/** After the last message of a key that waits. */
interface Guess {
  head: bigint;
  waiting: number;
}

export function createSignaturesAhead(options: {
  readonly state: MemoryState;
  readonly lanes: Pick<KeyLanes, "chain">;
  readonly desk: SignatureDesk;
}): SignaturesAhead {
  const { state, lanes, desk } = options;
  const guesses = new Map<string, Guess>();

  function start({ author, word, submission }: Signed, take: () => Started): Started {
    const { x, y, head } = state.session(author.account).keys[author.keyIndex]!;
    if (x === 0n && y === 0n) return take();
    const lane = `${author.account}/${author.keyIndex}`;
    const guess = guesses.get(lane) ?? { head: lanes.chain(author)?.head ?? head, waiting: 0 };
    const message = nextHeadOnce(guess.head, word);
    guess.head = message;
    guess.waiting += 1;
    guesses.set(lane, guess);
    const turn = createTurn(take);
    desk.ahead({ key: { x, y }, message, signature: submission.signature }, () => {
      guess.waiting -= 1;
      if (guess.waiting === 0) guesses.delete(lane);
      turn.run();
    });
    return turn.started();
  }

  return {
    start,
    settle: ({ account, keyIndex }) => {
      if (guesses.has(`${account}/${keyIndex}`)) desk.flush();
    },
    flush: desk.flush,
  };
}

/** What `take` gives, though it may come later; where it comes at once, so does what is thrown. */
function createTurn(take: () => Started): { run(): void; started(): Started } {
  let begun: Started | undefined;
  let later: ((begin: () => Started) => void) | undefined;
  return {
    run: () => {
      if (later === undefined) begun = take();
      else later(take);
    },
    started: () => {
      if (begun !== undefined) return begun;
      const promise = new Promise<Started>((resolve, reject) => {
        later = (begin) => {
          try {
            resolve(begin());
          } catch (error) {
            reject(error);
          }
        };
      });
      return {
        answer: promise.then(({ answer }) => answer),
        executed: promise.then(({ executed }) => executed).catch(() => undefined),
      };
    },
  };
}
