/** What validators say of batches and of the log: counted, kept, and, where they refuse, told. */
import type { Attestation } from "../ports.ts";
import type { BatchTracker } from "./batchTracker.ts";
import { messageOf } from "./loop.ts";
import type { Sealing } from "./sealing.ts";
import type { SequencerPorts } from "./sequencerConfig.ts";
import type { TradingGuard } from "./tradingGuard.ts";

export interface ValidatorReportsOptions {
  readonly ports: Pick<
    SequencerPorts,
    "network" | "logger" | "batches" | "isSignedAttestation" | "isSignedRefusal"
  >;
  readonly batches: BatchTracker;
  readonly sealing: Pick<Sealing, "publishBatches">;
  readonly guard: Pick<TradingGuard, "attested" | "refused">;
}

/** Batches ahead of the newest here that are attested already: validators may hear first. */
const EARLY_MAX = 256;

export function listenToValidators(options: ValidatorReportsOptions): {
  /** A batch is sealed: what was said of it before counts now. */
  sealed(number: number): void;
} {
  const { ports, guard } = options;
  const { network, logger } = ports;
  /** By batch and validator. */
  const early = new Map<number, Map<string, Attestation>>();
  const isEarly = ({ number, validator }: Attestation): boolean => {
    const { sealed } = options.batches.progress();
    const isKnown = options.batches.members().has(validator.toLowerCase());
    return isKnown && number > sealed && number <= sealed + EARLY_MAX;
  };
  network.onAttestation((attestation) => {
    ports
      .isSignedAttestation(attestation)
      .then((isSigned) => {
        if (!isSigned || !isEarly(attestation)) return count(options, attestation, isSigned);
        const { number, validator } = attestation;
        const said = early.get(number) ?? new Map<string, Attestation>();
        early.set(number, said.set(validator.toLowerCase(), attestation));
        return undefined;
      })
      .catch((error: unknown) => logger.warn("an attestation failed", { error: messageOf(error) }));
  });
  network.onRefusal((refusal) => {
    const { validator, position, reason } = refusal;
    ports
      .isSignedRefusal(refusal)
      .then((isSigned) => {
        logger.error("a validator refuses", { validator, position, reason, isSigned });
        if (isSigned) guard.refused(refusal);
      })
      .catch((error: unknown) => logger.warn("a refusal failed", { error: messageOf(error) }));
  });
  return {
    sealed: (number) => {
      const said = [...(early.get(number)?.values() ?? [])];
      for (const known of early.keys()) if (known <= number) early.delete(known);
      for (const attestation of said) {
        count(options, attestation, true).catch((error: unknown) =>
          logger.warn("an attestation failed", { error: messageOf(error) }),
        );
      }
    },
  };
}

async function count(
  { ports, batches, sealing, guard }: ValidatorReportsOptions,
  attestation: Attestation,
  isSigned: boolean,
): Promise<void> {
  const { validator, number } = attestation;
  const counted = isSigned ? batches.attested(attestation) : "its signature is wrong";
  guard.attested(validator, number, typeof counted === "string" ? counted : undefined);
  if (typeof counted === "string") {
    ports.logger.warn("an attestation does not count", { validator, number, reason: counted });
    return;
  }
  sealing.publishBatches(counted);
  await ports.batches.putAttestation(attestation);
}
