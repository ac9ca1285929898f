pragma circom 2.2.0;

include "generated/Constants.circom";
include "gadgets/MerkleUpdates.circom";
include "gadgets/Oracles.circom";
include "gadgets/PublicData.circom";
include "gadgets/Range.circom";
include "gadgets/Time.circom";
include "state/Account.circom";
include "state/Book.circom";
include "state/RiskMatrix.circom";
include "state/Series.circom";
include "state/Session.circom";
include "state/Signer.circom";
include "state/StateRoot.circom";
include "trade/Balances.circom";
include "trade/Books.circom";
include "trade/FillUnit.circom";
include "trade/Handover.circom";
include "trade/Step.circom";

// A batch of N steps of place, cancel, cancel-all, proceed, purge and liquidate, of which T may
// fill: SPEC section 6.
//
// Proves, with one header and one risk snapshot:
//   1. The public words are those that the public inputs commit to (PublicData).
//   2. rootBefore is the root of the state that was opened, rootAfter of what the steps made of it.
//   3. A quorum of the oracle set signed the snapshot, it is fresh, and of the series that are
//      listed (OracleQuorum, RiskMatrix).
//   4. The effective marks are public and stand in the series table afterwards.
//   5. Each account, session and book is opened at most once.
//   6. Each signer signed the last head of its chain, with a key that has not expired (Signer).
//   7. Every step follows the rules (TradeStep, and what it hands over FillUnit); an order that is
//      not done is in carryAfter.
//   8. holders counts the accounts with a position in each slot.
//   9. No fill-or-kill order is carried over the batch's end.
//  10. What fills pay in fees is in the fees of the state after, which stay below 2^50.
//  11. Who is liquidated is locked since the batch's second, unless it was locked before.
//  12. No ranking is under way afterwards.
// Assumes: layer one checks number, time, roots, oracleSet and domain in the words, draws gamma
//   after the words are fixed, and refuses words that are not field elements.
// Twin: sequencer/batch/executor.ts (what runs), sequencer/batch/tradeWitness.ts (what is fed)
template Trade(N, T, A, G, B, M, S, D, accountLevels, bookLevels, oracles, quorum, unit) {
    assert(S == SCENARIOS());
    assert(M <= SLOTS_MAX());
    assert(2 * accountLevels <= ACCOUNT_BITS());
    assert(2 * bookLevels <= BOOK_BITS());
    assert(A <= (1 << PLACE_BITS()));
    assert(B <= (1 << PLACE_BITS()));
    var K = KEYS_PER_ACCOUNT();
    var sharedLevels = SharedLevels(A, accountLevels);
    var sharedBookLevels = SharedLevels(B, bookLevels);
    var seriesCount = (M + SERIES_PER_WORD() - 1) \ SERIES_PER_WORD();
    var markCount = (M + MARKS_PER_WORD() - 1) \ MARKS_PER_WORD();
    // As many as fit an empty batch, whatever they meet.
    var F = N < A - 1 ? N : A - 1;
    F = F < T ? F : T;

    signal input commitment;
    signal input gamma;
    signal input evaluation;
    // Header.
    signal input number;
    signal input time;
    signal input domain;
    signal input snapshotTime;
    // Snapshot.
    signal input oracleKeys[oracles][2];
    signal input oracleSigner[quorum];
    signal input oracleR8[quorum][2];
    signal input oracleS[quorum];
    signal input riskWords[SlotWords(S) * M];
    // State before.
    signal input seriesWords[seriesCount];
    signal input nextSeqBefore;
    signal input carryBefore;
    signal input feesBefore;
    signal input rankingBefore;
    signal input accountsRootBefore;
    signal input sessionsRootBefore;
    signal input booksRootBefore;
    // Accounts and their sessions.
    signal input accountIds[A];
    signal input owner[A];
    signal input cash[A];
    signal input positions[A][M];
    signal input accountSiblings[A][accountLevels - sharedLevels][3];
    signal input accountTop[1 << (2 * sharedLevels)];
    signal input keyHashes[A][K];
    signal input watermark[A];
    signal input lockedSince[A];
    signal input sessionSiblings[A][accountLevels - sharedLevels][3];
    signal input sessionTop[1 << (2 * sharedLevels)];
    // Signers.
    signal input signerEnabled[G];
    signal input signerAccount[G];
    signal input signerKeyIndex[G];
    signal input signerKey[G][2];
    signal input signerHead[G];
    signal input signerMeta[G];
    signal input signerR8[G][2];
    signal input signerS[G];
    // Books.
    signal input bookIds[B];
    signal input bookExists[B];
    signal input bookWeights[B][2];
    signal input bookGeneration[B];
    signal input bookFees[B];
    signal input bids[B][D];
    signal input asks[B][D];
    signal input bookSiblings[B][bookLevels - sharedBookLevels][3];
    signal input bookTop[1 << (2 * sharedBookLevels)];
    // Steps.
    signal input isPlace[N];
    signal input isCancel[N];
    signal input isCancelAll[N];
    signal input isProceed[N];
    signal input isPurge[N];
    signal input isLiquidate[N];
    signal input stepSigner[N];
    signal input word[N];
    signal input isDoomed[N];
    signal input makerFails[N];
    signal input fills[N];
    signal input filledLots[N];
    // Fill units.
    signal input scenario[T];

    // Series, snapshot, effective marks.
    signal seconds <== WholeSeconds()(time);
    component series = SeriesTable(M);
    series.words <== seriesWords;
    series.seconds <== seconds;
    component risk = RiskMatrix(M, S);
    risk.words <== riskWords;
    risk.table <== series.fields;
    for (var m = 0; m < M; m++) {
        _ <== risk.isFinal[m];
    }
    component quorumSigned = OracleQuorum(oracles, quorum);
    quorumSigned.domain <== domain;
    quorumSigned.time <== time;
    quorumSigned.snapshotTime <== snapshotTime;
    quorumSigned.matrix <== risk.matrix;
    quorumSigned.keys <== oracleKeys;
    quorumSigned.signer <== oracleSigner;
    quorumSigned.r8 <== oracleR8;
    quorumSigned.s <== oracleS;

    // Accounts, signers, books are opened.
    StrictlyIncreasing(A, ACCOUNT_BITS())(accountIds);
    StrictlyIncreasing(B, BOOK_BITS())(bookIds);
    SignersOrdered(G)(signerEnabled, signerAccount, signerKeyIndex);
    component opened[A];
    for (var a = 0; a < A; a++) {
        opened[a] = AccountOpened(M, S, unit);
        opened[a].owner <== owner[a];
        opened[a].cash <== cash[a];
        opened[a].positions <== positions[a];
        opened[a].mark <== risk.mark;
        opened[a].changes <== risk.changes;
    }
    component books = BooksOpened(B, M, S, D);
    books.exists <== bookExists;
    books.weightWords <== bookWeights;
    books.generation <== bookGeneration;
    books.fees <== bookFees;
    books.bids <== bids;
    books.asks <== asks;
    books.mark <== risk.mark;
    books.changes <== risk.changes;
    for (var m = 0; m < M; m++) {
        books.isListed[m] <== series.fields[m].listed;
        books.isUnexpired[m] <== series.isUnexpired[m];
        books.generations[m] <== series.fields[m].generation;
    }

    component signer[G];

    // The steps.
    Fixed(A, B, G) fixed;
    fixed.time <== time;
    fixed.accountIds <== accountIds;
    fixed.bookIds <== bookIds;
    fixed.isOpen <== books.isOpen;
    fixed.isPlain <== books.isPlain;
    component step[N];
    Working(A, B, G, D) first;
    signal isFree[A];
    for (var a = 0; a < A; a++) {
        isFree[a] <== IsZero()(lockedSince[a]);
        first.isLocked[a] <== 1 - isFree[a];
    }
    first.watermark <== watermark;
    first.head <== signerHead;
    first.nextSeq <== nextSeqBefore;
    for (var b = 0; b < B; b++) {
        first.sides[b][0] <== bids[b];
        first.sides[b][1] <== asks[b];
    }
    for (var j = 0; j < D; j++) {
        first.savedSide[j] <== 0;
    }
    component carriedIn = CarryOpened(A);
    carriedIn.word <== carryBefore;
    carriedIn.accountIds <== accountIds;
    component isSignersAccount[G];
    for (var g = 0; g < G; g++) {
        isSignersAccount[g] = SelectById(A);
        isSignersAccount[g].ids <== accountIds;
        isSignersAccount[g].target <== signerAccount[g];
        isSignersAccount[g].enabled <== signerEnabled[g];
        fixed.signersAccount[g] <== signerEnabled[g] * (signerAccount[g] + 1) - 1;
    }
    component handover = Handover(N, T);
    for (var i = 0; i < N; i++) {
        step[i] = TradeStep(A, G, B, D, F);
        step[i].step.isPlace <== isPlace[i];
        step[i].step.isCancel <== isCancel[i];
        step[i].step.isCancelAll <== isCancelAll[i];
        step[i].step.isProceed <== isProceed[i];
        step[i].step.isPurge <== isPurge[i];
        step[i].step.isLiquidate <== isLiquidate[i];
        step[i].step.signer <== stepSigner[i];
        step[i].step.word <== word[i];
        step[i].step.isDoomed <== isDoomed[i];
        step[i].outcome.makerFails <== makerFails[i];
        step[i].outcome.fills <== fills[i];
        step[i].outcome.filledLots <== filledLots[i];
        step[i].fixed <== fixed;
        if (i == 0) {
            step[i].before <== first;
            step[i].carried <== carriedIn.carried;
        } else {
            step[i].before <== step[i - 1].after;
            step[i].carried <== step[i - 1].carriedAfter;
        }
        handover.isHandedOver[i] <== step[i].isHandedOver;
        handover.words[i] <== MeetingWord()(step[i].meeting);
    }

    // The fills.
    Terms(A, B, S) terms;
    terms.accountIds <== accountIds;
    terms.bookIds <== bookIds;
    terms.bookRisk <== books.bookRisk;
    terms.gram <== books.gram;
    terms.feeRates <== books.feeRates;
    component opening = BalancesOpened(A, B, M, S, unit);
    opening.cash <== cash;
    opening.fees <== feesBefore;
    opening.weights <== books.weights;
    opening.positions <== positions;
    for (var a = 0; a < A; a++) {
        opening.headroom[a] <== opened[a].headroom;
    }
    terms.excess <== opening.excess;
    terms.exposure <== opening.exposure;
    component fill[T];
    for (var t = 0; t < T; t++) {
        fill[t] = FillUnit(A, B, S, unit);
        fill[t].isTaken <== handover.isTaken[t];
        fill[t].word <== handover.word[t];
        fill[t].scenario <== scenario[t];
        fill[t].terms <== terms;
        fill[t].before <== t == 0 ? opening.balances : fill[t - 1].after;
    }
    step[N - 1].carriedAfter.isFok === 0;
    signal carryAfter <== CarryClosed()(step[N - 1].carriedAfter);

    // Signers.
    for (var g = 0; g < G; g++) {
        signer[g] = Signer(A);
        signer[g].enabled <== signerEnabled[g];
        signer[g].isAccount <== isSignersAccount[g].out;
        if (g == 0) {
            signer[g].keyHashes <== keyHashes;
        } else {
            signer[g].keyHashes <== signer[g - 1].keyHashesAfter;
        }
        signer[g].keyIndex <== signerKeyIndex[g];
        signer[g].key <== signerKey[g];
        signer[g].headBefore <== signerHead[g];
        signer[g].headAfter <== step[N - 1].after.head[g];
        signer[g].meta <== signerMeta[g];
        signer[g].r8 <== signerR8[g];
        signer[g].s <== signerS[g];
        signer[g].seconds <== seconds;
    }

    // Everything is written back: accounts and sessions, then books, then the series table.
    component closed[A];
    component accounts = MerkleUpdates(A, accountLevels);
    accounts.ids <== accountIds;
    accounts.siblings <== accountSiblings;
    accounts.top <== accountTop;
    component sessions = MerkleUpdates(A, accountLevels);
    sessions.ids <== accountIds;
    sessions.siblings <== sessionSiblings;
    sessions.top <== sessionTop;
    signal lockedSinceAfter[A];
    component bought[A];
    component wasEmpty[A][M];
    component isEmpty[A][M];
    var holdersChange[M];
    for (var m = 0; m < M; m++) {
        holdersChange[m] = 0;
    }
    for (var a = 0; a < A; a++) {
        closed[a] = AccountClosed(M);
        closed[a].owner <== owner[a];
        closed[a].cash <== fill[T - 1].after.cash[a];
        bought[a] = PositionsBought(M, B, T);
        bought[a].net <== fill[T - 1].after.net[a];
        bought[a].weights <== books.weights;
        for (var m = 0; m < M; m++) {
            closed[a].positions[m] <== positions[a][m] + bought[a].bought[m];
            wasEmpty[a][m] = IsZero();
            wasEmpty[a][m].in <== positions[a][m];
            isEmpty[a][m] = IsZero();
            isEmpty[a][m].in <== closed[a].positions[m];
            holdersChange[m] += wasEmpty[a][m].out - isEmpty[a][m].out;
        }
        accounts.leafBefore[a] <== opened[a].leaf;
        accounts.leafAfter[a] <== closed[a].leaf;
        sessions.leafBefore[a] <== SessionOpened()(keyHashes[a], watermark[a], lockedSince[a]);
        // Locked by a step of this batch: then lockedSince was 0.
        lockedSinceAfter[a] <== lockedSince[a]
            + (step[N - 1].after.isLocked[a] - first.isLocked[a]) * seconds;
        sessions.leafAfter[a] <== SessionLeaf()(signer[G - 1].keyHashesAfter[a],
            step[N - 1].after.watermark[a], lockedSinceAfter[a]);
    }
    accounts.rootBefore === accountsRootBefore;
    sessions.rootBefore === sessionsRootBefore;
    component bookTree = MerkleUpdates(B, bookLevels);
    bookTree.ids <== bookIds;
    bookTree.siblings <== bookSiblings;
    bookTree.top <== bookTop;
    for (var b = 0; b < B; b++) {
        bookTree.leafBefore[b] <== books.leaf[b];
        bookTree.leafAfter[b] <== BookLeaf(D)(bookExists[b], bookWeights[b], bookGeneration[b],
            bookFees[b], step[N - 1].after.sides[b][0], step[N - 1].after.sides[b][1]);
    }
    bookTree.rootBefore === booksRootBefore;
    component seriesAfter = SeriesTableRoot(M);
    for (var m = 0; m < M; m++) {
        seriesAfter.fields[m].mark <== risk.mark[m];
        seriesAfter.fields[m].holders <== series.fields[m].holders + holdersChange[m];
        seriesAfter.fields[m].generation <== series.fields[m].generation;
        seriesAfter.fields[m].listed <== series.fields[m].listed;
        seriesAfter.fields[m].settled <== series.fields[m].settled;
        seriesAfter.fields[m].isCall <== series.fields[m].isCall;
        seriesAfter.fields[m].strike <== series.fields[m].strike;
        seriesAfter.fields[m].expiry <== series.fields[m].expiry;
    }

    // Roots and public data.
    component rootBefore = StateRoot();
    rootBefore.accounts <== accountsRootBefore;
    rootBefore.series <== series.root;
    rootBefore.fees <== feesBefore;
    rootBefore.sessions <== sessionsRootBefore;
    rootBefore.books <== booksRootBefore;
    rootBefore.nextSeq <== nextSeqBefore;
    rootBefore.carry <== carryBefore;
    rootBefore.ranking <== rankingBefore;
    _ <== rootBefore.privateRoot;
    component rootAfter = StateRoot();
    rootAfter.accounts <== accounts.rootAfter;
    rootAfter.series <== seriesAfter.root;
    rootAfter.fees <== fill[T - 1].after.fees;
    InRange(AMOUNT_BITS())(fill[T - 1].after.fees);
    rootAfter.sessions <== sessions.rootAfter;
    rootAfter.books <== bookTree.rootAfter;
    rootAfter.nextSeq <== step[N - 1].after.nextSeq;
    rootAfter.carry <== carryAfter;
    rootAfter.ranking <== 0;
    component data = PublicData(HEADER_WORDS() + markCount + T);
    data.words[HEADER_KIND()] <== BATCH_KIND_TRADE();
    data.words[HEADER_NUMBER()] <== number;
    data.words[HEADER_TIME()] <== time;
    data.words[HEADER_ROOT_BEFORE()] <== rootBefore.root;
    data.words[HEADER_ROOT_AFTER()] <== rootAfter.root;
    data.words[HEADER_PRIVATE_ROOT()] <== rootAfter.privateRoot;
    data.words[HEADER_ORACLE_SET()] <== quorumSigned.oracleSet;
    data.words[HEADER_DOMAIN()] <== domain;
    data.words[HEADER_SNAPSHOT_TIME()] <== snapshotTime;
    signal markWords[markCount] <== MarkWords(M)(risk.mark);
    for (var w = 0; w < markCount; w++) {
        data.words[HEADER_WORDS() + w] <== markWords[w];
    }
    for (var t = 0; t < T; t++) {
        data.words[HEADER_WORDS() + markCount + t] <== fill[t].publicWord;
    }
    data.commitment <== commitment;
    data.gamma <== gamma;
    data.evaluation <== evaluation;
}
