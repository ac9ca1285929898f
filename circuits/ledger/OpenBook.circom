pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";
include "../state/Book.circom";
include "Table.circom";

// Proves: the word has the layout bookFees, and a maker's rebate is at least 1 and at most the
//   taker's rate.
// Assumes: nothing.
// Twin: sequencer/protocol/state.ts (feesWord)
template BookFees() {
    signal input word;
    var widths[3];
    widths[0] = BOOK_FEES_TAKER_BITS();
    widths[1] = BOOK_FEES_MAKER_BITS();
    widths[2] = BOOK_FEES_IS_REBATE_BITS();
    component rates = Unpack(3, widths);
    rates.word <== word;
    InRange(FEE_BITS())(rates.fields[2] * (rates.fields[0] - rates.fields[1]));
    signal hasNoRate <== IsZero()(rates.fields[1]);
    rates.fields[2] * hasNoRate === 0;
}

// The opening of a book.
//
// Proves:
//   1. leafBefore is 0, or where enabled that of a book that is not open.
//   2. leafAfter is the leaf of a book with the given weights, where enabled at least one of them
//      not 0, the given fee rates, today's generation and two empty sides.
//   3. The fees are a word of the layout bookFees, a rebate from 1 to the taker's rate.
// Assumes: enabled is 0 or 1.
// Twin: sequencer/engine/transactions/openBook.ts
template OpenBook(slots, depth) {
    signal input enabled;
    signal input weightWords[2];
    signal input fees;
    input WorkingSeries() table[slots];
    signal input oldExists;
    signal input oldWeights[2];
    signal input oldGeneration;
    signal input oldFees;
    signal input oldSides[BookSidesTold(depth)];
    signal output leafBefore;
    signal output leafAfter;

    IsBoolean()(oldExists);
    component live = LiveGenerations(slots);
    for (var m = 0; m < slots; m++) {
        live.generation[m] <== table[m].fields.generation;
        live.isListed[m] <== table[m].fields.listed;
        live.isUnexpired[m] <== table[m].isUnexpired;
    }
    component old = Weights(slots);
    old.words <== oldWeights;
    for (var m = 0; m < slots; m++) {
        _ <== old.weights[m];
    }
    signal wasOpen <== IsBookOpen(slots)(oldExists, old.squares, oldGeneration, live.out);
    enabled * wasOpen === 0;
    leafBefore <== OpenedBookLeaf(depth)(
        oldExists, oldWeights, oldGeneration, oldFees, oldSides);

    component new = Weights(slots);
    new.words <== weightWords;
    var norm = 0;
    component generation = Dot(slots);
    for (var m = 0; m < slots; m++) {
        _ <== new.weights[m];
        norm += new.squares[m];
        generation.a[m] <== new.squares[m];
        generation.b[m] <== table[m].fields.generation;
    }
    signal isEmpty <== IsZero()(norm);
    enabled * isEmpty === 0;
    component after = BookLeaf(depth);
    after.exists <== 1;
    after.weightWords <== weightWords;
    after.generation <== generation.out;
    after.fees <== fees;
    for (var j = 0; j < depth; j++) {
        after.bids[j] <== (1 << ENTRY_BITS()) - 1;
        after.asks[j] <== (1 << ENTRY_BITS()) - 1;
    }
    leafAfter <== after.leaf;

    BookFees()(fees);
}
