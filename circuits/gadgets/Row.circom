pragma circom 2.2.0;

// A row of a table, read and replaced: one product for each cell, where reading and writing take
// one each. The row that is read is a hint, and pinned where it is replaced: what the whole table
// changes by must be what the row changes by, so that the row can only be the one that is there.

// Computes: row = rows[i] of the chosen i.
// Proves: nothing. ReplaceRow must be given the same row.
// Twin: none (a look-up)
template ReadRow(n, width) {
    signal input chosen[n];
    signal input rows[n][width];
    signal output row[width];
    for (var j = 0; j < width; j++) {
        var sum = 0;
        for (var i = 0; i < n; i++) {
            sum += chosen[i] * rows[i][j];
        }
        // Pinned by ReplaceRow.
        row[j] <-- sum;
    }
}

// Proves:
//   1. row = rows[i] of the chosen i.
//   2. out = rows with that row replaced by `by`.
// Assumes: chosen is one-hot, and not all zero; `by` may depend on row.
// Twin: none (a look-up)
template ReplaceRow(n, width) {
    signal input chosen[n];
    signal input rows[n][width];
    signal input row[width];
    signal input by[width];
    signal output out[n][width];
    signal change[n][width];
    for (var j = 0; j < width; j++) {
        var sum = 0;
        for (var i = 0; i < n; i++) {
            change[i][j] <== chosen[i] * (by[j] - rows[i][j]);
            out[i][j] <== rows[i][j] + change[i][j];
            sum += change[i][j];
        }
        // The left side is by - rows[chosen].
        sum === by[j] - row[j];
    }
}
