/** What one process measures of itself: CPU, memory, event loop, log lines; roles add their own. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { Logger } from "../ports.ts";

export interface ProcessMetrics {
  readonly registry: Registry;
  /** Of every figure of this process. */
  readonly labels: { readonly role: string; readonly name: string };
  /** Counts lines by level on their way to `logger`. */
  counting(logger: Logger): Logger;
}

/** `name`: how log lines call the process. */
export function createProcessMetrics(role: string, name: string): ProcessMetrics {
  const registry = new Registry();
  const labels = { role, name };
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  const lines = new Counter({
    name: "straddle_log_lines_total",
    help: "Lines of the structured log, by level.",
    labelNames: ["level"] as const,
    registers: [registry],
  });
  return {
    ...{ registry, labels },
    counting: (logger) => {
      const counted =
        (level: keyof Logger): Logger[keyof Logger] =>
        (message, context) => {
          lines.inc({ level });
          logger[level](message, context);
        };
      return {
        debug: counted("debug"),
        info: counted("info"),
        warn: counted("warn"),
        error: counted("error"),
      };
    },
  };
}

/** Gauges by their names, each with its text. */
export type GaugeTexts = Readonly<Record<string, string>>;

/** Gauges without labels, and a setter: what is not known is not told. */
export function createGauges<const T extends GaugeTexts>(registry: Registry, texts: T) {
  const gauges = new Map(
    Object.entries(texts).map(([name, help]) => {
      return [name, new Gauge({ name, help, registers: [registry] })] as const;
    }),
  );
  return (values: { readonly [K in keyof T]: number | null }): void => {
    for (const [name, value] of Object.entries(values)) {
      const gauge = gauges.get(name)!;
      if (value === null) gauge.reset();
      else gauge.set(value);
    }
  };
}
