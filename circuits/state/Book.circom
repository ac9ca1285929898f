pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "../gadgets/HashVector.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";

// The weights of a book, and whether it is open.
//
// Proves:
//   1. weights[m] are the 4-bit fields of the two words less 8, and no bit stands above slot M.
//   2. squares[m] = weights[m]^2.
// Assumes: nothing.
// Twin: sequencer/protocol/state.ts (weightWords)
template Weights(slots) {
    signal input words[2];
    signal output weights[slots];
    signal output squares[slots];
    var low = slots < WEIGHTS_PER_WORD() ? slots : WEIGHTS_PER_WORD();
    component first = UnpackMany(low, WEIGHT_BITS(), WEIGHTS_PER_WORD());
    first.in[0] <== words[0];
    for (var m = 0; m < low; m++) {
        weights[m] <== first.out[m] - WEIGHT_OFFSET();
    }
    if (slots > low) {
        component second = UnpackMany(slots - low, WEIGHT_BITS(), WEIGHTS_PER_WORD());
        second.in[0] <== words[1];
        for (var m = low; m < slots; m++) {
            weights[m] <== second.out[m - low] - WEIGHT_OFFSET();
        }
    } else {
        words[1] === 0;
    }
    for (var m = 0; m < slots; m++) {
        squares[m] <== weights[m] * weights[m];
    }
}

// What a slot counts for in a book's generation: its generation while it is listed and unexpired,
// else a number above every possible sum, so that one comparison covers all three conditions.
//
// Proves: out = isListed * isUnexpired ? generation : 2^41.
// Assumes: both flags are 0 or 1; sums stay below 64 * 64 * 2^20 = 2^32.
// Twin: sequencer/engine/bookState.ts (isBookOpen)
template LiveGenerations(slots) {
    signal input generation[slots];
    signal input isListed[slots];
    signal input isUnexpired[slots];
    signal output out[slots];
    signal isLive[slots];
    for (var m = 0; m < slots; m++) {
        isLive[m] <== isListed[m] * isUnexpired[m];
        out[m] <== (1 << 41) + isLive[m] * (generation[m] - (1 << 41));
    }
}

// Proves: out = 1 exactly if the book exists and all its legs are live at its own generation.
// Assumes: exists is 0 or 1.
template IsBookOpen(slots) {
    signal input exists;
    signal input squares[slots];
    signal input generation;
    signal input liveGenerations[slots];
    signal output out;
    signal sum <== Dot(slots)(squares, liveGenerations);
    signal isSame <== IsEqual()([sum, generation]);
    out <== exists * isSame;
}

// What the last Poseidon of a book's leaf takes before weights, generation and rates: the hash of
// what stands before, if anything does, then what is left of the asks.
function BookSidesTold(depth) {
    var n = 2 * depth + BOOK_OWN_WORDS();
    return LastBlock(n) - BOOK_OWN_WORDS() + (LastBlock(n) < n ? 1 : 0);
}

// The sides stand before what a book has of its own, so that who knows nothing of the sides can
// open the rest by one Poseidon (OpenedBookLeaf).
//
// Proves: leaf = exists ? hashVector(bids, asks, weights0, weights1, generation, fees) : 0.
// Assumes: exists is 0 or 1.
// Twin: sequencer/protocol/state.ts (bookLeaf)
template BookLeaf(depth) {
    var own = BOOK_OWN_WORDS();
    signal input exists;
    signal input weightWords[2];
    signal input generation;
    signal input fees;
    signal input bids[depth];
    signal input asks[depth];
    signal output leaf;
    component hash = HashVector(2 * depth + own);
    for (var j = 0; j < depth; j++) {
        hash.in[j] <== bids[j];
        hash.in[depth + j] <== asks[j];
    }
    hash.in[2 * depth] <== weightWords[0];
    hash.in[2 * depth + 1] <== weightWords[1];
    hash.in[2 * depth + 2] <== generation;
    hash.in[2 * depth + 3] <== fees;
    leaf <== exists * hash.out;
}

// A book's leaf, whatever its sides are.
//
// Proves: leaf = exists ? that of a book with these weights, generation and fees : 0.
// Assumes: exists is 0 or 1. A leaf that was written is a BookLeaf, and no two of its vectors have
//   the same hash: of the last Poseidon's inputs the last four are the book's own.
// Twin: sequencer/protocol/state.ts (lastBookWords)
template OpenedBookLeaf(depth) {
    var own = BOOK_OWN_WORDS();
    var told = BookSidesTold(depth);
    assert(LastBlock(2 * depth + own) >= own);
    signal input exists;
    signal input weightWords[2];
    signal input generation;
    signal input fees;
    signal input sides[told];
    signal output leaf;
    component hash = Poseidon(told + own);
    for (var i = 0; i < told; i++) {
        hash.inputs[i] <== sides[i];
    }
    hash.inputs[told] <== weightWords[0];
    hash.inputs[told + 1] <== weightWords[1];
    hash.inputs[told + 2] <== generation;
    hash.inputs[told + 3] <== fees;
    leaf <== exists * hash.out;
}
