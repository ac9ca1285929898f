pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "../gadgets/HashVector.circom";
include "../gadgets/MerkleUpdate.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../state/Book.circom";
include "Table.circom";

// The opening of a book.
//
// Proves (where enabled):
//   1. The book's leaf was 0, or that of a book that is not open.
//   2. The new leaf has the given weights, at least one of them not 0, today's generation and two
//      empty sides; booksRootAfter is the root with it. Else booksRootAfter = booksRoot.
// Assumes: enabled is 0 or 1.
// Twin: sequencer/engine/transactions/openBook.ts
template OpenBook(slots, depth, bookLevels) {
    signal input enabled;
    signal input book;
    signal input weightWords[2];
    signal input booksRoot;
    input WorkingSeries() table[slots];
    signal input oldExists;
    signal input oldWeights[2];
    signal input oldGeneration;
    signal input oldSides[2];
    signal input siblings[bookLevels][3];
    signal output booksRootAfter;

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
    signal oldHash <== Poseidon(5)([oldWeights[0], oldWeights[1], oldGeneration,
        oldSides[0], oldSides[1]]);

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
    component emptySide = HashVector(depth);
    for (var j = 0; j < depth; j++) {
        emptySide.in[j] <== (1 << ENTRY_BITS()) - 1;
    }
    signal newHash <== Poseidon(5)([weightWords[0], weightWords[1], generation.out,
        emptySide.out, emptySide.out]);

    component path = MerkleUpdate(bookLevels);
    path.id <== book;
    path.leafBefore <== oldExists * oldHash;
    path.leafAfter <== newHash;
    path.siblings <== siblings;
    enabled * (path.rootBefore - booksRoot) === 0;
    booksRootAfter <== booksRoot + enabled * (path.rootAfter - booksRoot);
}
