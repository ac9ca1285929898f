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

// The series table as words, two slots in each, unpacked. If slots are odd, the last word has one.
//
// Proves:
//   1. root = hashVector(words), and every field within its width, so that words determine fields.
//   2. isUnexpired[m] = 1 exactly if the terms of slot m expire after `seconds`.
// Assumes: seconds < 2^39.
// Twin: sequencer/protocol/state.ts (seriesWords, seriesRoot)
template SeriesTable(slots) {
    var perWord = SERIES_PER_WORD();
    var n = (slots + perWord - 1) \ perWord;
    signal input words[n];
    signal input seconds;
    output SeriesFields() fields[slots];
    signal output isUnexpired[slots];
    signal output root;

    component hash = HashVector(n);
    hash.in <== words;
    root <== hash.out;

    var widths[8 * perWord];
    for (var i = 0; i < perWord; i++) {
        widths[8 * i] = SERIES_MARK_BITS();
        widths[8 * i + 1] = SERIES_HOLDERS_BITS();
        widths[8 * i + 2] = SERIES_GENERATION_BITS();
        widths[8 * i + 3] = 1;
        widths[8 * i + 4] = 1;
        widths[8 * i + 5] = SERIES_IS_CALL_BITS();
        widths[8 * i + 6] = SERIES_STRIKE_BITS();
        widths[8 * i + 7] = SERIES_EXPIRY_BITS();
    }
    component unpacked[n];
    for (var w = 0; w < n; w++) {
        var first = w * perWord;
        var here = slots - first < perWord ? slots - first : perWord;
        unpacked[w] = Unpack(8 * here, widths);
        unpacked[w].word <== words[w];
        for (var i = 0; i < here; i++) {
            fields[first + i].mark <== unpacked[w].fields[8 * i];
            fields[first + i].holders <== unpacked[w].fields[8 * i + 1];
            fields[first + i].generation <== unpacked[w].fields[8 * i + 2];
            fields[first + i].listed <== unpacked[w].fields[8 * i + 3];
            fields[first + i].settled <== unpacked[w].fields[8 * i + 4];
            fields[first + i].isCall <== unpacked[w].fields[8 * i + 5];
            fields[first + i].strike <== unpacked[w].fields[8 * i + 6];
            fields[first + i].expiry <== unpacked[w].fields[8 * i + 7];
        }
    }
    for (var m = 0; m < slots; m++) {
        isUnexpired[m] <== IsNonNegative(39)(fields[m].expiry - seconds - 1);
    }
}

// Proves: root = hashVector of the packed fields, two slots to a word.
// Assumes: every field within its width.
// Twin: sequencer/protocol/state.ts (seriesWords, seriesRoot)
template SeriesTableRoot(slots) {
    input SeriesFields() fields[slots];
    signal output root;
    component words = PackMany(slots, SERIES_BITS(), SERIES_PER_WORD());
    for (var m = 0; m < slots; m++) {
        words.in[m] <== fields[m].mark * (1 << SERIES_MARK_OFFSET())
            + fields[m].holders * (1 << SERIES_HOLDERS_OFFSET())
            + fields[m].generation * (1 << SERIES_GENERATION_OFFSET())
            + (fields[m].listed + 2 * fields[m].settled) * (1 << SERIES_STATUS_OFFSET())
            + fields[m].isCall * (1 << SERIES_IS_CALL_OFFSET())
            + fields[m].strike * (1 << SERIES_STRIKE_OFFSET())
            + fields[m].expiry * (1 << SERIES_EXPIRY_OFFSET());
    }
    root <== HashVector((slots + SERIES_PER_WORD() - 1) \ SERIES_PER_WORD())(words.out);
}
