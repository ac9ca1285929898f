pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "../gadgets/Range.circom";
include "../gadgets/Row.circom";
include "../gadgets/Select.circom";
include "../gadgets/SideLocate.circom";
include "../gadgets/Unpack.circom";
include "BookAccess.circom";
include "Message.circom";
include "Side.circom";
include "Verdict.circom";
include "Working.circom";

// One step of the trade circuit: SPEC section 6. Whether an order fills, and what it then moves, is
// for a fill unit to find (FillUnit); the step says what comes of it, and hands it over.
//
// Proves:
//   1. A message extends the chain of the key that signs it, and takes the next seq (I5).
//   2. No message, purge or liquidation while an order is being carried; an order that proceeds is
//      the carried one.
//   3. Orders go only to open books; reduce-only ones only to plain books.
//   4. Rows 0 to 4 of SPEC section 6, in order (I2, I3), rows 5 to 8 as far as books go, and what
//      cancel, cancel-all and purge do.
//   5. A fill-or-kill order that does not fill within F steps leaves its side as it was.
//   6. isHandedOver = 1 if the order meets an entry with which it may trade, is a liquidation's or
//      aborts; `meeting` then says what of whom, every field within its width (MeetingWord).
//   7. Without isHandedOver nothing fills.
//   8. A liquidation voids the account's orders, locks it, and is never carried.
//   9. A locked account places nothing.
// Assumes: the working set is what the batch opened or the step before left; fixed.* are computed
//   by trade.circom from opened leaves; a fill unit takes what is handed over.
// Twin: sequencer/engine/trade.ts and sequencer/engine/transactions/*.ts
template TradeStep(A, G, B, D, F) {
    input StepInput() step;
    input Outcome() outcome;
    input Fixed(A, B, G) fixed;
    input Working(A, B, G, D) before;
    input Carried() carried;
    output Working(A, B, G, D) after;
    output Carried() carriedAfter;
    output Meeting() meeting;
    signal output isHandedOver;

    // 1. The message and its chain.
    component message = TradeMessage();
    message.step <== step;
    message.time <== fixed.time;
    signal isSigned <== step.isPlace + step.isCancel + step.isCancelAll;
    signal isSigner[G] <== SelectByIndex(G)(step.signer, isSigned);
    signal head <== Dot(G)(isSigner, before.head);
    signal headAfter <== Poseidon(2)([head, step.word]);
    for (var g = 0; g < G; g++) {
        after.head[g] <== before.head[g] + isSigner[g] * (headAfter - before.head[g]);
    }
    after.nextSeq <== before.nextSeq + isSigned;

    // 2. The order: placed now, or carried.
    (isSigned + step.isPurge + step.isLiquidate) * carried.isActive === 0;
    step.isProceed * (1 - carried.isActive) === 0;
    signal isOrder <== step.isPlace + step.isProceed + step.isLiquidate;
    signal book <== carried.book + message.fields.book;
    signal isSell <== carried.isSell + message.fields.isSell;
    signal price <== carried.price + message.fields.price;
    signal orderLots <== carried.lots + message.fields.lots;
    signal isIoc <== carried.isIoc + message.fields.isIoc;
    signal isFok <== carried.isFok + message.fields.isFok;
    signal isPostOnly <== carried.isPostOnly + message.fields.isPostOnly;
    signal isReduceOnly <== carried.isReduceOnly + message.fields.isReduceOnly;
    signal orderSeq <== carried.seq + step.isPlace * before.nextSeq;
    signal isDoomed <== carried.isDoomed + step.isDoomed;
    IsBoolean()(step.isDoomed);
    step.isDoomed * (1 - message.fields.isFok) === 0;

    // No account is -1: a signer that is not enabled, whose signature nobody checks, has none.
    signal signersAccount <== Dot(G)(isSigner, fixed.signersAccount);
    signal liquidated <== step.isLiquidate * message.fields.seq;
    signal proceeding <== step.isProceed * carried.account;
    signal actor <== signersAccount + liquidated + proceeding;
    signal isActor[A] <== SelectById(A)(
        fixed.accountIds, actor, isSigned + step.isProceed + step.isLiquidate);
    signal isActorLocked <== Dot(A)(isActor, before.isLocked);
    step.isPlace * isActorLocked === 0;

    // 3. The book.
    signal namesBook <== isOrder + step.isCancel + step.isPurge;
    signal isBook[B] <== SelectById(B)(fixed.bookIds, book, namesBook);
    signal isOpen <== Dot(B)(isBook, fixed.isOpen);
    signal isPlain <== Dot(B)(isBook, fixed.isPlain);
    (step.isPlace + step.isCancel + step.isLiquidate) * (1 - isOpen) === 0;
    signal reducesHere <== (step.isPlace + step.isLiquidate) * isReduceOnly;
    reducesHere * (1 - isPlain) === 0;
    // Row 0: a carried order whose book has closed is killed.
    signal isLive <== step.isPlace + step.isLiquidate + step.isProceed * isOpen;

    // 4. The best opposite entry.
    signal top <== OppositeTop(B, D)(before.sides, isBook, isSell);
    var widths[4];
    widths[0] = ENTRY_LOTS_BITS();
    widths[1] = ENTRY_ACCOUNT_BITS();
    widths[2] = ENTRY_SEQ_BITS();
    widths[3] = ENTRY_PRICE_KEY_BITS();
    component entry = Unpack(4, widths);
    entry.word <== top;
    signal limitKey <== price + isSell * (PRICE_KEY_MAX() - 2 * price);
    signal ownKey <== PRICE_KEY_MAX() - limitKey;

    signal isWithin <== IsNonNegative(PRICE_BITS())(limitKey - entry.fields[3]);
    signal crosses <== isLive * isWithin;
    signal noCross <== isLive - crosses;
    signal rests <== noCross * (1 - isIoc - isFok);

    // 5. The side that changes: the order's own where it rests, the named one for cancel and
    //    purge, else the opposite one; and the place in it.
    signal isFokUncrossed <== isFok * noCross;
    signal isOpposite <== crosses + isFokUncrossed;
    signal isSide[2 * B] <== ChosenSide(B)(isBook, isSell + isOpposite * (1 - 2 * isSell));
    signal sides[2 * B][D];
    for (var b = 0; b < B; b++) {
        sides[2 * b] <== before.sides[b][0];
        sides[2 * b + 1] <== before.sides[b][1];
    }
    // Pinned where the step writes it back.
    signal side[D] <== ReadRow(2 * B, D)(isSide, sides);
    signal seqHere <== orderSeq + message.fields.seq;
    signal priority <== (ownKey * (1 << SEQ_BITS()) + seqHere) * (1 << ENTRY_SEQ_OFFSET());
    component place = SideLocate(D);
    place.side <== side;
    place.enabled <== crosses + rests + step.isCancel + step.isPurge;
    // Where the order crosses the place is the first: a bound that no entry lies below.
    place.bound <== priority + crosses * (1 - priority);
    step.isPurge * (1 - place.isExact) === 0;
    signal isActorsOwn <== IsEqual()([place.account, actor]);
    signal isFound <== place.isExact * isActorsOwn;
    signal isCancelled <== step.isCancel * isFound;

    // 6. Who owns the entry that is met or purged, and which case this is.
    signal topOwner <== crosses * entry.fields[1];
    signal purgedOwner <== step.isPurge * place.account;
    signal isMaker[A] <== SelectById(A)(
        fixed.accountIds, topOwner + purgedOwner, crosses + step.isPurge);
    signal watermark <== Dot(A)(isMaker, before.watermark);
    signal datedSeq <== message.fields.seq + crosses * (entry.fields[2] - message.fields.seq);
    signal isNotVoid <== IsNonNegative(SEQ_BITS())(datedSeq - watermark);
    step.isPurge * isNotVoid === 0;
    // A liquidated account's own order, which this very step voids, goes as void or as self-trade.
    component verdict = OrderCase();
    verdict.crosses <== crosses;
    verdict.isTopVoid <== 1 - isNotVoid;
    verdict.isOwnTop <== Dot(A)(isMaker, isActor);
    verdict.isPostOnly <== isPostOnly;
    // What the fill unit must find: whether the maker's margin fails, or so many lots fill.
    IsBoolean()(outcome.makerFails);
    IsBoolean()(outcome.fills);
    outcome.makerFails * outcome.fills === 0;
    (1 - verdict.isMet) * (outcome.makerFails + outcome.fills) === 0;
    InRange(LOTS_BITS())(outcome.filledLots);
    (1 - outcome.fills) * outcome.filledLots === 0;
    signal takerEnds <== verdict.isMet - outcome.makerFails - outcome.fills;

    // 7. What becomes of order and entry.
    signal lotsLeft <== orderLots - outcome.filledLots;
    signal isOrderDone <== IsZero()(lotsLeft);
    signal isDone <== outcome.fills * isOrderDone;
    signal isEntryUsedUp <== IsZero()(entry.fields[0] - outcome.filledLots);
    signal isEntryDone <== outcome.fills * isEntryUsedUp;
    signal goesOnFreely <== verdict.isVoid + verdict.isSelf + outcome.makerFails + outcome.fills
        - isDone;
    signal isLastStep <== IsEqual()([carried.fokSteps + 1, F]);
    signal isFokAtEnd <== isFok * isLastStep;
    signal isOutOfSteps <== isFokAtEnd * goesOnFreely;
    signal abort <== isFok * (noCross + takerEnds) + isOutOfSteps;
    abort * (1 - isDoomed) === 0;
    isDone * isDoomed === 0;
    signal goesOn <== goesOnFreely * (1 - step.isLiquidate) - isOutOfSteps;

    component change = SideChange(D);
    change.side <== side;
    change.isBefore <== place.isBefore;
    change.isAt <== place.isAt;
    change.at <== place.at;
    change.previous <== place.previous;
    change.insert <== rests;
    change.remove <== verdict.isVoid + verdict.isSelf + outcome.makerFails + isEntryDone
        + isCancelled + step.isPurge;
    change.replace <== outcome.fills - isEntryDone;
    change.restore <== abort;
    signal resting <== priority + actor * (1 << ENTRY_ACCOUNT_OFFSET()) + orderLots;
    change.put <== top - outcome.filledLots + rests * (resting - top);
    signal isFokStart <== step.isPlace * message.fields.isFok;
    for (var j = 0; j < D; j++) {
        after.savedSide[j] <== before.savedSide[j] + isFokStart * (side[j] - before.savedSide[j]);
        change.saved[j] <== after.savedSide[j];
    }
    signal written[2 * B][D] <== ReplaceRow(2 * B, D)(isSide, sides, side, change.after);
    for (var b = 0; b < B; b++) {
        after.sides[b][0] <== written[2 * b];
        after.sides[b][1] <== written[2 * b + 1];
    }

    // 8. What is carried on.
    component next = CarryOn();
    next.carried <== carried;
    next.isOrder <== isOrder;
    next.goesOn <== goesOn;
    next.order.isActive <== 1;
    next.order.account <== actor;
    next.order.book <== book;
    next.order.isSell <== isSell;
    next.order.price <== price;
    next.order.lots <== lotsLeft;
    next.order.isIoc <== isIoc;
    next.order.isFok <== isFok;
    next.order.isPostOnly <== isPostOnly;
    next.order.isReduceOnly <== isReduceOnly;
    next.order.seq <== orderSeq;
    next.order.fokSteps <== (carried.fokSteps + 1);
    next.order.isDoomed <== isDoomed;
    carriedAfter <== next.after;

    // 9. Watermarks and locks.
    signal raises[A];
    signal locks <== step.isLiquidate * (1 - isActorLocked);
    for (var a = 0; a < A; a++) {
        raises[a] <== (step.isCancelAll + step.isLiquidate) * isActor[a];
        after.watermark[a] <== before.watermark[a]
            + raises[a] * (before.nextSeq - before.watermark[a]);
        after.isLocked[a] <== before.isLocked[a] + isActor[a] * locks;
    }

    // 10. What a fill unit is handed.
    signal isMetOrLiquidate <== verdict.isMet + step.isLiquidate
        - verdict.isMet * step.isLiquidate;
    isHandedOver <== isMetOrLiquidate + abort - isMetOrLiquidate * abort;
    var taker = 0;
    var maker = 0;
    var bookPlace = 0;
    for (var a = 0; a < A; a++) {
        taker += a * isActor[a];
        maker += a * isMaker[a];
    }
    for (var b = 0; b < B; b++) {
        bookPlace += b * isBook[b];
    }
    meeting.taker <== taker;
    meeting.maker <== maker;
    meeting.book <== bookPlace;
    meeting.isMet <== verdict.isMet;
    meeting.isLiquidate <== step.isLiquidate;
    meeting.isReduceOnly <== isReduceOnly;
    meeting.isSell <== isSell;
    meeting.restores <== abort;
    meeting.isKept <== carriedAfter.isFok;
    meeting.makerFails <== outcome.makerFails;
    meeting.fills <== outcome.fills;
    meeting.stands <== outcome.fills * (1 - isDoomed);
    meeting.price <== price;
    meeting.topPrice <== entry.fields[3] + isSell * (PRICE_KEY_MAX() - 2 * entry.fields[3]);
    meeting.orderLots <== orderLots;
    meeting.topLots <== entry.fields[0];
    meeting.filledLots <== outcome.filledLots;
}

// Proves: after = order if goesOn; carried if the step is no order step; else all zero.
// Assumes: goesOn and isOrder are 0 or 1; goesOn only with isOrder.
template CarryOn() {
    input Carried() carried;
    input Carried() order;
    signal input isOrder;
    signal input goesOn;
    output Carried() after;

    var n = 13;
    signal old[n];
    signal new[n];
    old[0] <== carried.isActive;
    old[1] <== carried.book;
    old[2] <== carried.isSell;
    old[3] <== carried.price;
    old[4] <== carried.lots;
    old[5] <== carried.isIoc;
    old[6] <== carried.isFok;
    old[7] <== carried.isPostOnly;
    old[8] <== carried.isReduceOnly;
    old[9] <== carried.seq;
    old[10] <== carried.fokSteps;
    old[11] <== carried.isDoomed;
    new[0] <== order.isActive;
    new[1] <== order.book;
    new[2] <== order.isSell;
    new[3] <== order.price;
    new[4] <== order.lots;
    new[5] <== order.isIoc;
    new[6] <== order.isFok;
    new[7] <== order.isPostOnly;
    new[8] <== order.isReduceOnly;
    new[9] <== order.seq;
    new[10] <== order.fokSteps;
    new[11] <== order.isDoomed;
    old[12] <== carried.account;
    new[12] <== order.account;
    signal kept[n];
    signal out[n];
    for (var i = 0; i < n; i++) {
        kept[i] <== (1 - isOrder) * old[i];
        out[i] <== kept[i] + goesOn * new[i];
    }
    after.isActive <== out[0];
    after.book <== out[1];
    after.isSell <== out[2];
    after.price <== out[3];
    after.lots <== out[4];
    after.isIoc <== out[5];
    after.isFok <== out[6];
    after.isPostOnly <== out[7];
    after.isReduceOnly <== out[8];
    after.seq <== out[9];
    after.fokSteps <== out[10];
    after.isDoomed <== out[11];
    after.account <== out[12];
}
