pragma circom 2.2.0;

include "../generated/Constants.circom";

// One change of a sorted side at a located place.
//
// Proves:
//   1. after = side with `put` inserted before the place and the last entry dropped (insert),
//      without the entry there (remove), with `put` in its stead (replace), the saved side
//      (restore), or unchanged. Inserting behind the last entry of a full side changes nothing.
// Assumes: insert + remove + replace <= 1, all flags 0 or 1; isBefore, isAt, at and previous are
//   SideLocate's.
// Twin: sequencer/engine/book (side)
template SideChange(depth) {
    signal input side[depth];
    signal input saved[depth];
    signal input isBefore[depth];
    signal input isAt[depth];
    signal input at;
    signal input previous;
    signal input insert;
    signal input remove;
    signal input replace;
    signal input restore;
    signal input put;
    signal output after[depth];

    var sentinel = (1 << ENTRY_BITS()) - 1;
    signal inserted <== insert * (put - previous);
    signal replaced <== replace * (put - at);
    signal fromLeft[depth];
    signal fromRight[depth];
    signal shifted[depth];
    signal placed[depth];
    signal changed[depth];
    for (var j = 0; j < depth; j++) {
        var left = 0;
        var right = sentinel;
        if (j > 0) {
            left = side[j - 1];
        }
        if (j < depth - 1) {
            right = side[j + 1];
        }
        fromLeft[j] <== insert * (left - side[j]);
        fromRight[j] <== remove * (right - side[j]);
        shifted[j] <== (1 - isBefore[j]) * (fromLeft[j] + fromRight[j]);
        placed[j] <== isAt[j] * (inserted + replaced);
        changed[j] <== side[j] + shifted[j] + placed[j];
        after[j] <== changed[j] + restore * (saved[j] - changed[j]);
    }
}
