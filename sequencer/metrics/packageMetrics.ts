/** What requests for quotes and blocks come to: asked, quoted, executed, refused. */
import { Counter, type Registry } from "prom-client";
import type { ExchangeEvent, ExchangeService } from "../exchangeService.ts";

type Packages = ExchangeService["packages"];

/** Steps of a package that can be refused; `check` is of one side of a block. */
type Step = "combo" | "request" | "cancel" | "quote" | "edit" | "accept" | "check" | "block";

export interface PackageMetrics {
  /** The same, counted. */
  readonly packages: Packages;
  onEvent(event: ExchangeEvent): void;
}

export function createPackageMetrics(registry: Registry, packages: Packages): PackageMetrics {
  const registers = [registry];
  const requests = new Counter({
    ...{ name: "straddle_rfq_requests_total", registers },
    help: "Requests for quotes that were opened.",
  });
  const quotes = new Counter({
    ...{ name: "straddle_rfq_quotes_total", registers, labelNames: ["step"] as const },
    help: "Quotes that were left, or changed.",
  });
  const executions = new Counter({
    ...{ name: "straddle_rfq_executions_total", registers },
    help: "Packages that were traded, by requests and as blocks.",
  });
  const lots = new Counter({
    ...{ name: "straddle_rfq_lots_total", registers },
    help: "Lots of their books that were traded by them.",
  });
  const refusals = new Counter({
    ...{ name: "straddle_rfq_refusals_total", registers, labelNames: ["step", "code"] as const },
    help: "Refused, by what was asked for and why.",
  });
  const noted = <T extends { readonly accepted: boolean; readonly code?: string }>(
    step: Step,
    result: T,
  ): T => {
    if (!result.accepted) refusals.inc({ step, code: result.code ?? "unknown" });
    return result;
  };
  return {
    packages: {
      ...packages,
      openCombo: async (...of) => noted("combo", await packages.openCombo(...of)),
      request: async (...of) => {
        const result = noted("request", await packages.request(...of));
        if (result.accepted) requests.inc();
        return result;
      },
      cancelRequest: async (...of) => noted("cancel", await packages.cancelRequest(...of)),
      quote: async (...of) => {
        const result = noted("quote", await packages.quote(...of));
        if (result.accepted) quotes.inc({ step: "quote" });
        return result;
      },
      editQuote: async (...of) => {
        const result = noted("edit", await packages.editQuote(...of));
        if (result.accepted) quotes.inc({ step: "edit" });
        return result;
      },
      accept: async (...of) => noted("accept", await packages.accept(...of)),
      checkBlock: async (...of) => {
        const refused = await packages.checkBlock(...of);
        return refused === null ? null : noted("check", refused);
      },
      block: async (...of) => noted("block", await packages.block(...of)),
    },
    onEvent: (event) => {
      if (event.type !== "rfqTrade") return;
      executions.inc();
      lots.inc(event.trade.lots);
    },
  };
}
