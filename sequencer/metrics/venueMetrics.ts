/** What a sequencer's node measures: its log, batches, validators, layer one, market and API. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ExchangeEvent, ExchangeService } from "../exchangeService.ts";
import type { Status } from "../protocol/status.ts";
import { USDC } from "../protocol/usdc.ts";
import { createPackageMetrics } from "./packageMetrics.ts";
import { createGauges } from "./registry.ts";

const WEI = 1e18;

const GAUGES = {
  straddle_log_position: "Records in the order log.",
  straddle_log_epoch: "Number of the log's last writer.",
  straddle_log_append_seconds: "From handing records to the log until they are durable, lately.",
  straddle_open_batch: "Number of the batch that is being filled.",
  straddle_certify_seconds: "From a batch's seal until it is certified, lately.",
  straddle_certified_position: "Records before this position are in a final block.",
  straddle_certification_term: "The validators' present term.",
  straddle_validators_connected: "Validators that follow the log.",
  straddle_validators_dissenting: "Validators whose word contradicts the sequencer's.",
  straddle_snapshot_age_seconds: "Age of the oracles' snapshot in use.",
  straddle_next_queue_id: "Next entry of layer one's queue to be served.",
  straddle_insurance_fund_usdc: "Cash of the insurance fund.",
  straddle_fees_usdc: "Cash of the fee account, and what is not collected yet.",
  straddle_locked_accounts: "Accounts in liquidation.",
  straddle_overloaded: "1 at the backlog bound: only cancels are taken.",
  straddle_halted: "1 when the node no longer sequences.",
  straddle_layer_one_head: "Newest block of layer one that passed all checks.",
  straddle_layer_one_confirmed: "Newest block whose queue entries count.",
  straddle_layer_one_paused: "1 while nothing is read from layer one or sent to it.",
  straddle_layer_one_reorgs: "Reorgs of layer one that were seen.",
  straddle_layer_one_replacements: "Transactions sent again with higher fees.",
  straddle_layer_one_spent_hour_eth: "Fees of the last hour.",
  straddle_layer_one_spent_day_eth: "Fees of the last day.",
} as const;

const MODES = ["open", "paused", "cancelOnly"] as const;
const STAGES = ["sealed", "certified", "proven", "anchored"] as const;
/** Of an acknowledgement: a synced write is some milliseconds, a quorum of validators some more. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface VenueMetrics {
  readonly registry: Registry;
  /** The service, measured. */
  readonly service: ExchangeService;
  /** For the API: a call has ended, with the name of its error if it failed. */
  onCall(method: string, ms: number, error: string | undefined): void;
  /** Brings the gauges up to date. */
  read(): Promise<void>;
  /** Why no orders can be taken now; undefined: they can. */
  reasonNotReady(): Promise<string | undefined>;
  stop(): void;
}

/** `labels`: the process', as {@link createProcessMetrics} has them. */
export function createVenueMetrics(labels: object, service: ExchangeService): VenueMetrics {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  const registers = [registry];
  const read = createStatusReader(registry, service);
  const ofPackages = createPackageMetrics(registry, service.packages);
  const count = createEventCounter(registry);
  const unsubscribe = service.subscribe((event) => {
    count(event);
    ofPackages.onEvent(event);
  });
  const acknowledged = new Histogram({
    ...{ name: "straddle_acknowledgement_seconds", registers, buckets: SECONDS },
    help: "From a signed message's arrival until it is durable, or refused.",
    labelNames: ["result"] as const,
  });
  const calls = new Histogram({
    ...{ name: "straddle_api_call_seconds", registers, buckets: SECONDS },
    help: "Calls of the API, by method and result.",
    labelNames: ["method", "result"] as const,
  });
  return {
    service: {
      ...service,
      packages: ofPackages.packages,
      async submit(submission) {
        const began = performance.now();
        const result = await service.submit(submission);
        const label = result.accepted ? "accepted" : result.code;
        acknowledged.observe({ result: label }, (performance.now() - began) / 1000);
        return result;
      },
    },
    onCall: (method, ms, error) => calls.observe({ method, result: error ?? "ok" }, ms / 1000),
    registry,
    read,
    reasonNotReady: async () => reasonOf(await service.status()),
    stop: unsubscribe,
  };
}

function reasonOf({ halted, trading, isOverloaded, snapshotTime }: Status): string | undefined {
  if (halted !== null) return `halted: ${halted}`;
  if (trading.mode !== "open") return `${trading.mode}: ${trading.reason ?? ""}`;
  if (snapshotTime === null) return "there is no snapshot of the oracles yet";
  return isOverloaded ? "at the backlog bound: only cancels are taken" : undefined;
}

/** Reads the status into gauges: only when somebody asks, nothing of it is on an order's way. */
function createStatusReader(registry: Registry, service: ExchangeService): () => Promise<void> {
  const set = createGauges(registry, GAUGES);
  const registers = [registry];
  const batches = new Gauge({
    ...{ name: "straddle_batches", registers, labelNames: ["stage"] as const },
    help: "Number of the newest batch at each stage.",
  });
  const mode = new Gauge({
    ...{ name: "straddle_trading_mode", registers, labelNames: ["mode"] as const },
    help: "1 for the mode that trading is in.",
  });
  const lag = new Gauge({
    ...{ name: "straddle_validator_lag_records", registers, labelNames: ["validator"] as const },
    help: "How far a validator is behind.",
  });
  return async () => {
    const status = await service.status();
    set(valuesOf(status));
    for (const stage of STAGES) batches.set({ stage }, status[stage]);
    for (const each of MODES) mode.set({ mode: each }, status.trading.mode === each ? 1 : 0);
    lag.reset();
    for (const { validator, lag: behind } of status.certification?.members ?? []) {
      if (behind !== null) lag.set({ validator }, behind);
    }
  };
}

function valuesOf(status: Status): { readonly [K in keyof typeof GAUGES]: number | null } {
  const { trading, layerOne, certification } = status;
  const seconds = (ms: number | null) => (ms === null ? null : ms / 1000);
  return {
    straddle_log_position: status.logPosition,
    straddle_log_epoch: status.logEpoch,
    straddle_log_append_seconds: seconds(trading.append.latencyMs),
    straddle_open_batch: status.openBatch,
    straddle_certify_seconds: seconds(trading.certification.latencyMs),
    straddle_certified_position: certification?.position ?? null,
    straddle_certification_term: certification?.term ?? null,
    straddle_validators_connected: status.validatorsConnected,
    straddle_validators_dissenting: trading.dissenting,
    straddle_snapshot_age_seconds:
      status.snapshotTime === null ? null : seconds(status.time - status.snapshotTime),
    straddle_next_queue_id: status.nextQueueId,
    straddle_insurance_fund_usdc: status.insuranceFund / USDC,
    straddle_fees_usdc: (status.feeAccount + status.feesUncollected) / USDC,
    straddle_locked_accounts: status.lockedAccounts,
    straddle_overloaded: status.isOverloaded ? 1 : 0,
    straddle_halted: status.halted === null ? 0 : 1,
    straddle_layer_one_head: layerOne.head,
    straddle_layer_one_confirmed: layerOne.confirmed,
    straddle_layer_one_paused: layerOne.paused === null && layerOne.stopped === null ? 0 : 1,
    straddle_layer_one_reorgs: layerOne.reorgs,
    straddle_layer_one_replacements: layerOne.replacements,
    straddle_layer_one_spent_hour_eth: Number(layerOne.spentHour) / WEI,
    straddle_layer_one_spent_day_eth: Number(layerOne.spentDay) / WEI,
  };
}

function createEventCounter(registry: Registry): (event: ExchangeEvent) => void {
  const registers = [registry];
  const trades = new Counter({
    ...{ name: "straddle_trades_total", registers, help: "Fills." },
  });
  const lots = new Counter({
    ...{ name: "straddle_traded_lots_total", registers, help: "Lots of all fills." },
  });
  const events = new Counter({
    ...{ name: "straddle_events_total", registers, labelNames: ["type"] as const },
    help: "What the engine has told its listeners, by type.",
  });
  return (event) => {
    events.inc({ type: event.type });
    if (event.type !== "trade") return;
    trades.inc();
    lots.inc(event.trade.lots);
  };
}
