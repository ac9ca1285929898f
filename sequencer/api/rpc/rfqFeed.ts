/** Who hears of requests for quotes and of what came of them. */
import type { ExchangeEvent } from "../../exchangeService.ts";
import type { RfqNews } from "../../packageTrading.ts";
import { isAskedOf } from "../../protocol/blockRfq.ts";
import type { Catalogue } from "./catalogue.ts";
import { RFQ_ROUTES } from "./rfqRoutes.ts";
import { blockTradeShape, quoteShape, rfqShape } from "./rfqShapes.ts";
import type { Routed } from "./topicOf.ts";

type Routes = ReadonlyMap<string, Iterable<Routed>>;

export function publishRfq(
  routes: Routes,
  catalogue: Catalogue | undefined,
  event: Extract<ExchangeEvent, { type: "rfq" | "rfqTrade" }>,
): void {
  if (catalogue === undefined) return;
  if (event.type === "rfq") publishNews(routes, catalogue, event.news);
  else push(routes, RFQ_ROUTES.trades, blockTradeShape(event.trade, false, catalogue));
}

function push(routes: Routes, route: string, data: unknown): void {
  for (const { stream } of routes.get(route) ?? []) stream?.push(data);
}

function publishNews(routes: Routes, catalogue: Catalogue, news: RfqNews): void {
  const { rfq, quotes, changed } = news;
  for (const quote of changed) {
    push(routes, `${RFQ_ROUTES.quotes}${quote.account}`, quoteShape(quote, rfq, catalogue));
  }
  const seen = news.areQuotesSeen ? quotes : [];
  push(routes, `${RFQ_ROUTES.taker}${rfq.account}`, rfqShape(rfq, seen, catalogue));
  // Makers hear of the request, not of one another's quotes.
  if (changed.length > 0 && rfq.state === "open") return;
  const shape = rfqShape(rfq, undefined, catalogue);
  for (const route of routes.keys()) {
    if (!route.startsWith(RFQ_ROUTES.maker)) continue;
    if (isAskedOf(rfq, Number(route.slice(RFQ_ROUTES.maker.length)))) push(routes, route, shape);
  }
}
