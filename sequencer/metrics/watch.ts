/** Serves what a process measures, and for a sequencer what its venue does, as long as it runs. */
import type { ExchangeService } from "../exchangeService.ts";
import type { Logger } from "../ports.ts";
import { createProcessMetrics } from "./registry.ts";
import { startMetricsServer } from "./server.ts";
import { createVenueMetrics, type VenueMetrics } from "./venueMetrics.ts";

/** Of a node's configuration. */
export interface MetricsConfig {
  readonly port: number;
  readonly host?: string | undefined;
  /** How this process is called in figures; its role where absent. */
  readonly name?: string | undefined;
}

export interface Watched {
  readonly logger: Logger;
  /** The venue that this process runs from now on. Absent: nobody asks for figures. */
  readonly watch?: ((service: ExchangeService) => VenueMetrics) | undefined;
}

export interface WatchOptions {
  readonly role: string;
  /** Absent: nothing is measured. */
  readonly metrics?: MetricsConfig | undefined;
  readonly logger: Logger;
  /** Told once the port is known. */
  onServed?(url: string): void;
}

/** Runs `run` with a logger that counts, and answers for it meanwhile. */
export async function watched(
  { role, metrics, logger, onServed }: WatchOptions,
  run: (parts: Watched) => Promise<void>,
): Promise<void> {
  if (metrics === undefined) return run({ logger });
  const own = createProcessMetrics(role, metrics.name ?? role);
  let venue: VenueMetrics | undefined;
  const watch = (service: ExchangeService): VenueMetrics => {
    const begun = createVenueMetrics(own.labels, service);
    venue = begun;
    const stop = (): void => {
      begun.stop();
      if (venue === begun) venue = undefined;
    };
    return { ...begun, stop };
  };
  const server = await startMetricsServer({
    ...{ logger, port: metrics.port, host: metrics.host },
    read: async () => {
      if (venue === undefined) return own.registry.metrics();
      await venue.read();
      // No name is in both. Merged registries would forget the labels of the process.
      return `${await own.registry.metrics()}\n${await venue.registry.metrics()}`;
    },
    reasonNotReady: async () => {
      if (role !== "sequencer") return undefined;
      return venue === undefined ? "it stands by" : venue.reasonNotReady();
    },
  });
  onServed?.(server.url);
  try {
    await run({ logger: own.counting(logger), watch });
  } finally {
    await server.stop();
  }
}
