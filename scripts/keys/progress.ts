/** Progress of a few tasks at once: one live line on a terminal, plain lines elsewhere. */

/** A task being shown. `fraction` is between 0 and 1, or absent when nobody knows. */
export type ProgressTask = {
  readonly update: (stage: string, fraction?: number) => void;
  readonly finish: (message: string) => void;
};

/** Shows tasks until each is finished. */
export type ProgressBoard = { readonly start: (label: string) => ProgressTask };

const REDRAW_MS = 200;
const BAR_WIDTH = 20;
/** Assumed of a terminal that does not say. */
const COLUMNS = 80;
const PLAIN_STEPS = 4;

type Shown = {
  readonly label: string;
  readonly startedAt: number;
  stage: string;
  fraction: number | undefined;
  step: number;
};

/** Starts a board on a stream. Nothing is drawn before the first task. */
export function createProgressBoard(stream: NodeJS.WriteStream = process.stderr): ProgressBoard {
  const shown = new Set<Shown>();
  let timer: NodeJS.Timeout | undefined;

  const clear = (): void => {
    if (stream.isTTY) stream.write("\r\x1b[2K");
  };
  const redraw = (): void => {
    const line = [...shown].map(describe).join(" | ");
    clear();
    stream.write(line.slice(0, (stream.columns || COLUMNS) - 1));
  };
  const say = (line: string): void => {
    clear();
    stream.write(`${line}\n`);
  };

  return {
    start: (label) => {
      const task: Shown = { label, startedAt: Date.now(), stage: "", fraction: undefined, step: 0 };
      shown.add(task);
      if (stream.isTTY && timer === undefined) {
        timer = setInterval(redraw, REDRAW_MS);
        // The board must not keep a finished or failed build alive.
        timer.unref();
      }
      return {
        update: (stage, fraction) => {
          const step = Math.floor((fraction ?? 0) * PLAIN_STEPS);
          const isNews = stage !== task.stage || step > task.step;
          Object.assign(task, { stage, fraction, step });
          if (isNews && !stream.isTTY) say(describe(task));
        },
        finish: (message) => {
          shown.delete(task);
          say(`${label}: ${message} (${elapsed(task)})`);
          if (shown.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
  };
}

function describe(task: Shown): string {
  const parts = [`${task.label}: ${task.stage}`];
  if (task.fraction !== undefined) {
    const filled = Math.round(task.fraction * BAR_WIDTH);
    const percent = Math.floor(task.fraction * 100);
    parts.push(`[${"#".repeat(filled).padEnd(BAR_WIDTH, ".")}] ${percent}%`);
  }
  return [...parts, elapsed(task)].join(" ");
}

function elapsed(task: Shown): string {
  return `${((Date.now() - task.startedAt) / 1000).toFixed(1)} s`;
}
