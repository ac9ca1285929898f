/**
 * Whether a thread is there at all, for somebody who stands still and waits for it: events of its
 * end need an event loop, and a thread that the limit of its heap has ended says nothing itself.
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";

export interface ThreadLife {
  /** For the thread: it holds it as long as it is there, and reads nothing. */
  readonly held: MessagePort;
  hasEnded(): boolean;
  close(): void;
}

/**
 * Asked by a message that nobody reads. Node says that there is nobody to take it once the thread
 * has let go of the other end, however it came to its own. It does not promise to say so: where it
 * says nothing, no thread is taken to have ended, and whoever waits has only his patience. Nobody
 * reads the messages, so they stay: to be asked now and then, not at each turn of a loop.
 */
export function createThreadLife(): ThreadLife {
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const hasTaker = (): boolean => (port1.postMessage(null) as unknown) === true;
  const isTold = hasTaker();
  return {
    held: port2,
    hasEnded: () => isTold && !hasTaker(),
    close: () => port1.close(),
  };
}
