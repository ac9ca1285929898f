pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";
include "../state/Book.circom";
include "../state/RiskSums.circom";
include "Fees.circom";
include "Working.circom";

// The books of a trade batch, opened.
//
// Proves:
//   1. leaf[b] is the leaf of book b as given (0 if it does not exist).
//   2. isOpen[b], isPlain[b] as SPEC sections 1 and 3 define them.
//   3. bookRisk[b][s] = sum_m weight of b in m * (4 mark[m] + 5 change[m][s]), bookRisk[b][S]
//      without changes (RiskSums);  gram[b][c] = weights of b . weights of c.
//   4. feeRates[b] are book b's (FeeRates).
// Assumes: listing flags, generations, mark and changes from the opened series table and
//   snapshot.
// Twin: sequencer/engine/bookState.ts, sequencer/engine/risk.ts (bookRisk)
template BooksOpened(B, M, S, D) {
    signal input exists[B];
    signal input weightWords[B][2];
    signal input generation[B];
    signal input fees[B];
    signal input bids[B][D];
    signal input asks[B][D];
    signal input mark[M];
    signal input changes[M][LaneWords(S)];
    signal input isListed[M];
    signal input isUnexpired[M];
    signal input generations[M];
    signal output leaf[B];
    signal output weights[B][M];
    signal output isOpen[B];
    signal output isPlain[B];
    signal output bookRisk[B][S + 1];
    signal output gram[B][B];
    signal output feeRates[B][3];

    signal liveGenerations[M] <== LiveGenerations(M)(generations, isListed, isUnexpired);
    component unpacked[B];
    component product[B][B];
    component value[B];
    signal isNormOne[B];
    signal isSumOne[B];
    for (var b = 0; b < B; b++) {
        IsBoolean()(exists[b]);
        leaf[b] <== BookLeaf(D)(
            exists[b], weightWords[b], generation[b], fees[b], bids[b], asks[b]);
        feeRates[b] <== FeeRates()(fees[b]);
        unpacked[b] = Weights(M);
        unpacked[b].words <== weightWords[b];
        weights[b] <== unpacked[b].weights;
        isOpen[b] <== IsBookOpen(M)(
            exists[b], unpacked[b].squares, generation[b], liveGenerations);
        value[b] = RiskSums(M, S, WEIGHT_BITS());
        value[b].factor <== weights[b];
        value[b].mark <== mark;
        value[b].changes <== changes;
        bookRisk[b] <== value[b].out;
        for (var c = 0; c < b; c++) {
            product[b][c] = Dot(M);
            product[b][c].a <== weights[b];
            product[b][c].b <== weights[c];
            gram[b][c] <== product[b][c].out;
            gram[c][b] <== product[b][c].out;
        }
        var norm = 0;
        var sum = 0;
        for (var m = 0; m < M; m++) {
            norm += unpacked[b].squares[m];
            sum += weights[b][m];
        }
        gram[b][b] <== norm;
        isNormOne[b] <== IsEqual()([norm, 1]);
        isSumOne[b] <== IsEqual()([sum, 1]);
        isPlain[b] <== isNormOne[b] * isSumOne[b];
    }
}

// The order that the batch before left unfinished.
//
// Proves: carried = the fields of `word`, all zero if it is 0; its account is opened in this batch.
// Assumes: fill-or-kill orders are never carried over (CarryClosed's caller); accountIds distinct.
// Twin: sequencer/protocol/state.ts (carryFromWord)
template CarryOpened(A) {
    signal input word;
    signal input accountIds[A];
    output Carried() carried;

    var widths[10];
    widths[0] = CARRY_ACCOUNT_BITS();
    widths[1] = CARRY_BOOK_BITS();
    widths[2] = 1;
    widths[3] = CARRY_PRICE_BITS();
    widths[4] = CARRY_LOTS_BITS();
    widths[5] = 1;
    widths[6] = 1;
    widths[7] = 1;
    widths[8] = 1;
    widths[9] = CARRY_SEQ_BITS();
    component fields = Unpack(10, widths);
    fields.word <== word;
    signal isNone <== IsZero()(word);
    carried.isActive <== 1 - isNone;
    carried.account <== fields.fields[0];
    signal isAccount[A] <== SelectById(A)(accountIds, carried.account, carried.isActive);
    for (var a = 0; a < A; a++) {
        _ <== isAccount[a];
    }
    carried.book <== fields.fields[1];
    carried.isSell <== fields.fields[2];
    carried.price <== fields.fields[3];
    carried.lots <== fields.fields[4];
    carried.isIoc <== fields.fields[5];
    fields.fields[6] === 0;
    carried.isFok <== 0;
    carried.isPostOnly <== fields.fields[7];
    carried.isReduceOnly <== fields.fields[8];
    carried.seq <== fields.fields[9];
    carried.fokSteps <== 0;
    carried.isDoomed <== 0;
}

// Proves: word = the packed order, 0 if there is none.
// Assumes: fields within their widths; all zero if not active.
template CarryClosed() {
    input Carried() carried;
    signal output word;
    word <== carried.account + carried.book * (1 << CARRY_BOOK_OFFSET())
        + carried.isSell * (1 << CARRY_IS_SELL_OFFSET())
        + carried.price * (1 << CARRY_PRICE_OFFSET())
        + carried.lots * (1 << CARRY_LOTS_OFFSET())
        + carried.isIoc * (1 << CARRY_TIME_IN_FORCE_OFFSET())
        + carried.isPostOnly * (1 << CARRY_POST_ONLY_OFFSET())
        + carried.isReduceOnly * (1 << CARRY_REDUCE_ONLY_OFFSET())
        + carried.seq * (1 << CARRY_SEQ_OFFSET());
}
