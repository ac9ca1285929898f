pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Select.circom";
include "Fees.circom";
include "Fill.circom";
include "Handover.circom";
include "Liquidation.circom";
include "Verdict.circom";
include "Working.circom";

// One fill, as far as accounts go: SPEC section 6. Most steps rest or cancel, so that a batch has
// fewer of these than steps.
//
// Proves:
//   1. Rows 5 to 8 of SPEC section 6, in order (I4): the step's makerFails, fills and filledLots
//      are what margin and exposure say.
//   2. Both sides of a fill pay the book's fees, and what they pay is added to `fees` (I1).
//   3. What a fill-or-kill order has moved is moved back where it aborts.
//   4. A liquidation meets L1 to L4, and relieves its account if it is reduce-only, else is
//      admissible for it.
//   5. The public word tells the fill if it stands, else nothing.
//   6. A unit that is not taken changes nothing.
// Assumes: word is MeetingWord's of a step of this batch if isTaken, else 0; isTaken is 0 or 1;
//   terms are computed by trade.circom from opened leaves.
// Twin: sequencer/engine/book/book.ts (fillIfAdmissible)
template FillUnit(A, B, S, unit) {
    signal input isTaken;
    signal input word;
    signal input scenario;
    input Terms(A, B, S) terms;
    input Balances(A, B, S) before;
    output Balances(A, B, S) after;
    signal output publicWord;

    component fields = MeetingFields();
    fields.word <== word;
    Meeting() meeting <== fields.meeting;
    signal isTaker[A] <== SelectByIndex(A)(meeting.taker, isTaken);
    signal isMaker[A] <== SelectByIndex(A)(meeting.maker, meeting.isMet);
    signal isBook[B] <== SelectByIndex(B)(meeting.book, isTaken);
    signal direction <== 1 - 2 * meeting.isSell;

    // 1. What the order can fill of the entry.
    signal exposure <== ExposureNow(A, B)(
        isTaker, isBook, terms.exposure, before.net, terms.gram);
    component tested = TestedLots();
    tested.isMet <== meeting.isMet;
    tested.isReduceOnly <== meeting.isReduceOnly;
    tested.exposureAgainst <== -direction * exposure;
    tested.orderLots <== meeting.orderLots;
    tested.topLots <== meeting.topLots;

    // 2. What both sides can bear.
    signal rates[S + 1] <== SelectRow(B, S + 1)(isBook, terms.bookRisk);
    signal takerRoom[S + 1] <== SelectRow(A, S + 1)(isTaker, before.headroom);
    signal makerRoom[S + 1] <== SelectRow(A, S + 1)(isMaker, before.headroom);
    signal feeRates[3] <== SelectRow(B, 3)(isBook, terms.feeRates);
    component liquidation = Liquidation(S);
    liquidation.enabled <== meeting.isLiquidate;
    liquidation.scenario <== scenario;
    liquidation.headroom <== takerRoom;
    liquidation.excess <== Dot(A)(isTaker, terms.excess);
    liquidation.rates <== rates;
    liquidation.price <== meeting.price - PRICE_OFFSET();
    liquidation.lots <== meeting.orderLots;
    liquidation.direction <== direction;
    liquidation.takerRate <== feeRates[0];
    component fees = FillFees();
    fees.rates <== feeRates;
    fees.price <== meeting.topPrice - PRICE_OFFSET();
    component fill = FillVerdict(S);
    fill.isTested <== tested.isTested;
    fill.rates <== rates;
    fill.takerRoom <== takerRoom;
    fill.makerRoom <== makerRoom;
    fill.price <== meeting.topPrice - PRICE_OFFSET();
    fill.lots <== tested.lots;
    fill.direction <== direction;
    fill.takerFee <== fees.takerFee;
    fill.makerFee <== fees.makerFee;
    signal isRelief <== meeting.isLiquidate * meeting.isReduceOnly;
    fill.isRelief <== isRelief;
    fill.level <== isRelief * liquidation.maintenance;

    // 3. The step has said so.
    fill.makerFails === meeting.makerFails;
    fill.fills === meeting.fills;
    fill.fills * tested.lots === meeting.filledLots;
    _ <== tested.hasNothing;
    _ <== fill.takerFails;

    // 4. Cash, fees, lots and headrooms.
    component moved = ApplyFill(A, B, S, unit);
    moved.isTaker <== isTaker;
    moved.isMaker <== isMaker;
    moved.isBook <== isBook;
    moved.rates <== rates;
    moved.signedLots <== direction * meeting.filledLots;
    moved.takerPays <== fill.fills * fill.takerPays;
    moved.makerPays <== fill.fills * fill.makerPays;
    moved.restore <== meeting.restores;
    moved.isKept <== meeting.isKept;
    moved.headroom <== before.headroom;
    moved.cash <== before.cash;
    moved.net <== before.net;
    moved.fees <== before.fees;
    moved.savedLots <== before.savedLots;
    moved.savedCash <== before.savedCash;
    after.headroom <== moved.headroomAfter;
    after.cash <== moved.cashAfter;
    after.net <== moved.netAfter;
    after.fees <== moved.feesAfter;
    after.savedLots <== moved.savedLotsAfter;
    after.savedCash <== moved.savedCashAfter;

    // 5. What goes public.
    signal taker <== Dot(A)(isTaker, terms.accountIds);
    signal maker <== Dot(A)(isMaker, terms.accountIds);
    signal book <== Dot(B)(isBook, terms.bookIds);
    publicWord <== meeting.stands * (TRADE_WORD_KIND_FILL() * (1 << FILL_KIND_OFFSET())
        + taker * (1 << FILL_TAKER_OFFSET()) + maker * (1 << FILL_MAKER_OFFSET())
        + book * (1 << FILL_BOOK_OFFSET()) + meeting.isSell * (1 << FILL_TAKER_IS_SELL_OFFSET())
        + meeting.topPrice * (1 << FILL_PRICE_OFFSET())
        + meeting.filledLots * (1 << FILL_LOTS_OFFSET()));
}
