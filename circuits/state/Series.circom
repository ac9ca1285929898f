pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/HashVector.circom";
include "../gadgets/Range.circom";
include "../gadgets/Unpack.circom";

// One slot of the series table. status: listed + 2 * settled.
bus SeriesFields() {
    signal mark;
    signal holders;
    signal generation;
    signal listed;
    signal settled;
    signal isCall;
    signal strike;
    signal expiry;
}

// The series table as words, unpacked.
//
// Proves:
//   1. root = hashVector(words), and every field within its width.
//   2. isUnexpired[m] = 1 exactly if the terms of slot m expire after `seconds`.
// Assumes: seconds < 2^39.
// Twin: sequencer/protocol/state.ts (seriesWord, seriesRoot)
template SeriesTable(slots) {
    signal input words[slots];
    signal input seconds;
    output SeriesFields() fields[slots];
    signal output isUnexpired[slots];
    signal output root;

    component hash = HashVector(slots);
    hash.in <== words;
    root <== hash.out;

    component unpacked[slots];
    for (var m = 0; m < slots; m++) {
        var widths[8];
        widths[0] = SERIES_MARK_BITS();
        widths[1] = SERIES_HOLDERS_BITS();
        widths[2] = SERIES_GENERATION_BITS();
        widths[3] = 1;
        widths[4] = 1;
        widths[5] = SERIES_IS_CALL_BITS();
        widths[6] = SERIES_STRIKE_BITS();
        widths[7] = SERIES_EXPIRY_BITS();
        unpacked[m] = Unpack(8, widths);
        unpacked[m].word <== words[m];
        fields[m].mark <== unpacked[m].fields[0];
        fields[m].holders <== unpacked[m].fields[1];
        fields[m].generation <== unpacked[m].fields[2];
        fields[m].listed <== unpacked[m].fields[3];
        fields[m].settled <== unpacked[m].fields[4];
        fields[m].isCall <== unpacked[m].fields[5];
        fields[m].strike <== unpacked[m].fields[6];
        fields[m].expiry <== unpacked[m].fields[7];
        isUnexpired[m] <== IsNonNegative(39)(fields[m].expiry - seconds - 1);
    }
}

// Proves: root = hashVector of the packed fields.
// Assumes: every field within its width.
template SeriesTableRoot(slots) {
    input SeriesFields() fields[slots];
    signal output root;
    component hash = HashVector(slots);
    for (var m = 0; m < slots; m++) {
        hash.in[m] <== fields[m].mark * (1 << SERIES_MARK_OFFSET())
            + fields[m].holders * (1 << SERIES_HOLDERS_OFFSET())
            + fields[m].generation * (1 << SERIES_GENERATION_OFFSET())
            + (fields[m].listed + 2 * fields[m].settled) * (1 << SERIES_STATUS_OFFSET())
            + fields[m].isCall * (1 << SERIES_IS_CALL_OFFSET())
            + fields[m].strike * (1 << SERIES_STRIKE_OFFSET())
            + fields[m].expiry * (1 << SERIES_EXPIRY_OFFSET());
    }
    root <== hash.out;
}
