/** Books of combinations, also on demand. */
import { z } from "zod";
import { isBookOf, PACKAGE_LEGS_MAX, type Package } from "../../market/package.ts";
import type { Catalogue, Instrument } from "./catalogue.ts";
import { RpcError } from "./errorTable.ts";
import * as fields from "./fieldSchemas.ts";
import { assertCurrency } from "./marketMethods.ts";
import { type CallContext, infoOf, type Method, method } from "./method.ts";
import * as schemas from "./rfqSchemas.ts";
import { comboShape, packageFrom } from "./rfqShapes.ts";
import { refusal } from "./submissions.ts";

/** A book may be opened for it. */
const CREATE_CALLS = 10;

export const COMBO_METHODS: readonly Method[] = [
  method("private/create_combo", {
    summary: "The book of a combination; opened by the venue where there is none yet.",
    calls: CREATE_CALLS,
    params: z.strictObject({
      trades: z
        .array(schemas.TRADED_LEG.extend({ amount: fields.decimal.default(1) }))
        .min(2)
        .max(PACKAGE_LEGS_MAX)
        .describe("amounts say the ratio of the legs"),
    }),
    result: schemas.COMBO,
    call: async ({ trades }, context) => {
      const { account } = await context.session("place");
      const { catalogue } = await context.market.view();
      const wanted = packageFrom(trades, catalogue);
      const opened = await openCombo(account, wanted, context);
      return comboShape(opened.instrument, opened.catalogue);
    },
  }),
  method("public/get_combos", {
    summary: "Combinations whose books are open.",
    calls: 4,
    params: z.strictObject({ currency: fields.currency }),
    result: z.array(schemas.COMBO),
    call: async ({ currency }, context) => {
      const { catalogue } = await context.market.view();
      assertCurrency(infoOf(context).underlying, currency);
      return combos(catalogue).map((each) => comboShape(each, catalogue));
    },
  }),
  method("public/get_combo_ids", {
    summary: "Their names.",
    calls: 2,
    params: z.strictObject({
      currency: fields.currency,
      state: z.literal("active").default("active"),
    }),
    result: z.array(z.string()),
    call: async ({ currency }, context) => {
      const { catalogue } = await context.market.view();
      assertCurrency(infoOf(context).underlying, currency);
      return combos(catalogue).map(({ name }) => name);
    },
  }),
  method("public/get_combo_details", {
    summary: "The legs of one of them.",
    params: z.strictObject({ combo_id: fields.instrumentName }),
    result: schemas.COMBO,
    call: async ({ combo_id }, { market }) => {
      const instrument = await market.catalogues.find(combo_id);
      const { catalogue } = await market.view();
      if (instrument.kind === "option_combo") return comboShape(instrument, catalogue);
      const text = `\`${instrument.name}\` is not a combination.`;
      throw new RpcError("invalid_or_unsupported_instrument", text, { param: "combo_id" });
    },
  }),
];

function combos({ byName }: Catalogue): Instrument[] {
  return [...byName.values()].filter(({ kind }) => kind === "option_combo");
}

/** The package's book, once it is open. Throws {@link RpcError}. */
export async function openCombo(
  account: number,
  { legs }: Pick<Package, "legs">,
  { service, market }: CallContext,
): Promise<{ readonly instrument: Instrument; readonly catalogue: Catalogue }> {
  const opened = await service.packages.openCombo(account, legs);
  if (!opened.accepted) throw refusal(opened);
  if (opened.book === null) throw new RpcError("combo_pending");
  // Until it is read again the id may mean the combination that it was opened for before.
  const find = ({ byBook }: Catalogue): Instrument | undefined => {
    const found = byBook.get(opened.book ?? -1);
    return isBookOf(found?.summary?.weights ?? [], legs) ? found : undefined;
  };
  const known = market.catalogues.latest();
  const isRead = known !== undefined && find(known) !== undefined;
  const catalogue = isRead ? known : await market.catalogues.refresh();
  const instrument = find(catalogue);
  if (instrument === undefined) throw new RpcError("combo_pending");
  return { instrument, catalogue };
}
