pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "../gadgets/Range.circom";
include "../gadgets/Unpack.circom";
include "Working.circom";

bus MessageFields() {
    signal book;
    signal isSell;
    signal price;
    signal lots;
    signal isIoc;
    signal isFok;
    signal isPostOnly;
    signal isReduceOnly;
    signal seq;
}

// The fields of a step's word, and that the door did its part.
//
// Proves:
//   1. At most one of the step's flags is set; a step without a word has word 0.
//   2. The word's kind fits the flag, and fields that the kind does not use are 0.
//   3. Price in range, lots above 0, flags that go together (SPEC section 5).
//   4. deadline >= time for signed words.
//   5. A liquidation's word is an immediate-or-cancel order without deadline, with the account
//      in `seq`.
// Assumes: time < 2^48.
// Twin: sequencer/protocol/messages.ts (messageFromWord)
template TradeMessage() {
    input StepInput() step;
    signal input time;
    output MessageFields() fields;

    IsBoolean()(step.isPlace);
    IsBoolean()(step.isCancel);
    IsBoolean()(step.isCancelAll);
    IsBoolean()(step.isProceed);
    IsBoolean()(step.isPurge);
    IsBoolean()(step.isLiquidate);
    signal isSigned <== step.isPlace + step.isCancel + step.isCancelAll;
    signal hasWord <== isSigned + step.isPurge + step.isLiquidate;
    IsBoolean()(hasWord + step.isProceed);
    (1 - hasWord) * step.word === 0;

    var widths[11];
    widths[0] = TRADE_MESSAGE_KIND_BITS();
    widths[1] = TRADE_MESSAGE_BOOK_BITS();
    widths[2] = 1;
    widths[3] = TRADE_MESSAGE_PRICE_BITS();
    widths[4] = TRADE_MESSAGE_LOTS_BITS();
    widths[5] = 1;
    widths[6] = 1;
    widths[7] = 1;
    widths[8] = 1;
    widths[9] = TRADE_MESSAGE_DEADLINE_BITS();
    widths[10] = TRADE_MESSAGE_SEQ_BITS();
    component unpacked = Unpack(11, widths);
    unpacked.word <== step.word;
    unpacked.fields[0] === MESSAGE_KIND_PLACE() * step.isPlace
        + MESSAGE_KIND_CANCEL() * step.isCancel + MESSAGE_KIND_CANCEL_ALL() * step.isCancelAll
        + MESSAGE_KIND_LIQUIDATE() * step.isLiquidate;
    fields.book <== unpacked.fields[1];
    fields.isSell <== unpacked.fields[2];
    fields.price <== unpacked.fields[3];
    fields.lots <== unpacked.fields[4];
    fields.isIoc <== unpacked.fields[5];
    fields.isFok <== unpacked.fields[6];
    fields.isPostOnly <== unpacked.fields[7];
    fields.isReduceOnly <== unpacked.fields[8];
    fields.seq <== unpacked.fields[10];

    // Sums of non-negative fields are 0 only if every one is.
    signal orderOnly <== fields.lots + fields.isIoc + fields.isFok + fields.isPostOnly
        + fields.isReduceOnly;
    (step.isCancel + step.isPurge) * orderOnly === 0;
    step.isCancelAll * (orderOnly + fields.book + fields.isSell + fields.price + fields.seq) === 0;
    step.isPlace * fields.seq === 0;
    step.isLiquidate * (1 - fields.isIoc + fields.isPostOnly + unpacked.fields[9]) === 0;

    signal hasNoLots <== IsZero()(fields.lots);
    (step.isPlace + step.isLiquidate) * hasNoLots === 0;
    signal isPriceLow <== IsZero()(fields.price);
    signal isPriceHigh <== IsEqual()([fields.price, PRICE_KEY_MAX()]);
    (hasWord - step.isCancelAll) * (isPriceLow + isPriceHigh) === 0;
    fields.isIoc * fields.isFok === 0;
    fields.isPostOnly * (fields.isIoc + fields.isFok + fields.isReduceOnly) === 0;
    fields.isReduceOnly * (1 - fields.isIoc - fields.isFok) === 0;

    signal timeLeft <== isSigned * (unpacked.fields[9] - time);
    InRange(TIME_BITS())(timeLeft);
}
