/** What the two processes of the benchmark agree on. */

export interface Ready {
  readonly url: string;
  readonly echoUrl: string;
  /** The venue's clock, unix ms. */
  readonly time: number;
}

/** What the venue answers to any message. */
export interface Memory {
  /** Bytes. */
  readonly heapUsed: number;
  readonly rss: number;
  /** Of it pages of files, LevelDB's tables above all: the system takes them back when it likes. */
  readonly rssFiles: number;
  /** Batches that were sealed and not yet stored and proven when it was asked. */
  readonly waiting: number;
  /** User time since the process began. */
  readonly cpuMs: number;
}

/** As many as sign in one batch of the `large` circuits. */
export const TRADERS = 16;
export const FIRST_TRADER = 5;
export const BOOKS = 8;
