pragma circom 2.2.0;

include "../gadgets/Select.circom";

// Proves: side = the chosen side of the chosen book; topBid, topAsk = the first entries of both.
// Assumes: isBook is one-hot or zero; isAsk is 0 or 1.
template ReadSide(books, depth) {
    signal input sides[books][2][depth];
    signal input isBook[books];
    signal input isAsk;
    signal output side[depth];
    signal output isAskOf[books];

    for (var b = 0; b < books; b++) {
        isAskOf[b] <== isBook[b] * isAsk;
    }
    signal fromBids[depth][books];
    signal fromAsks[depth][books];
    for (var j = 0; j < depth; j++) {
        var sum = 0;
        for (var b = 0; b < books; b++) {
            fromBids[j][b] <== (isBook[b] - isAskOf[b]) * sides[b][0][j];
            fromAsks[j][b] <== isAskOf[b] * sides[b][1][j];
            sum += fromBids[j][b] + fromAsks[j][b];
        }
        side[j] <== sum;
    }
}

// Proves: out = sides with the chosen side replaced.
// Assumes: as ReadSide.
template WriteSide(books, depth) {
    signal input sides[books][2][depth];
    signal input isBook[books];
    signal input isAskOf[books];
    signal input side[depth];
    signal output out[books][2][depth];
    for (var b = 0; b < books; b++) {
        for (var j = 0; j < depth; j++) {
            out[b][0][j] <== sides[b][0][j]
                + (isBook[b] - isAskOf[b]) * (side[j] - sides[b][0][j]);
            out[b][1][j] <== sides[b][1][j] + isAskOf[b] * (side[j] - sides[b][1][j]);
        }
    }
}

// Proves: out = the first entry of the side against which an order trades (0 without a book).
// Assumes: isBook is one-hot or zero; isSell is 0 or 1.
template OppositeTop(books, depth) {
    signal input sides[books][2][depth];
    signal input isBook[books];
    signal input isSell;
    signal output out;
    component bid = Dot(books);
    component ask = Dot(books);
    for (var b = 0; b < books; b++) {
        bid.a[b] <== isBook[b];
        bid.b[b] <== sides[b][0][0];
        ask.a[b] <== isBook[b];
        ask.b[b] <== sides[b][1][0];
    }
    out <== ask.out + isSell * (bid.out - ask.out);
}
