pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/bitify.circom";
include "../gadgets/Range.circom";
include "../gadgets/Unpack.circom";

// The fee rates of a book.
//
// Proves:
//   1. rates[0], rates[1] (ticks for each lot) and rates[2] are `word`'s fields taker, maker and
//      isRebate, and no bit stands above them.
// Assumes: nothing.
// Twin: sequencer/protocol/state.ts (feesFromWord)
template FeeRates() {
    signal input word;
    signal output rates[3];
    var widths[3];
    widths[0] = BOOK_FEES_TAKER_BITS();
    widths[1] = BOOK_FEES_MAKER_BITS();
    widths[2] = BOOK_FEES_IS_REBATE_BITS();
    component fields = Unpack(3, widths);
    fields.word <== word;
    rates <== fields.fields;
}

// What a fill costs its two sides: SPEC section 4.
//
// Proves:
//   1. takerFee = min(taker's rate, ceil(|price| / 8)), in ticks for each lot.
//   2. makerFee = min(maker's rate, ceil(|price| / 8)), negative for a rebate.
// Assumes: -2^23 <= price < 2^23; rates are FeeRates'. A rebate is at most the taker's rate
//   (OpenBook), so that both fees together are at least 0.
// Twin: sequencer/engine/fees.ts (takerFee, makerFee)
template FillFees() {
    signal input rates[3];
    signal input price;
    signal output takerFee;
    signal output makerFee;

    signal cap <== PremiumCap()(price);
    var bits = PRICE_BITS() - FEE_CAP_SHIFT();
    takerFee <== Minimum(bits)(rates[0], cap);
    signal size <== Minimum(bits)(rates[1], cap);
    makerFee <== size - 2 * rates[2] * size;
}

// Proves: cap = ceil(|price| / 8): the quotient of |price| + 7, whose remainder has three bits.
// Assumes: -2^23 <= price < 2^23.
template PremiumCap() {
    var shift = FEE_CAP_SHIFT();
    var total = PRICE_BITS();
    signal input price;
    signal output cap;
    signal isNonNegative <== IsNonNegative(total - 1)(price);
    signal size <== (2 * isNonNegative - 1) * price;
    component bits = Num2Bits(total);
    bits.in <== size + (1 << shift) - 1;
    var quotient = 0;
    for (var bit = 0; bit < total; bit++) {
        if (bit < shift) {
            _ <== bits.out[bit];
        } else {
            quotient += bits.out[bit] * (1 << (bit - shift));
        }
    }
    cap <== quotient;
}
