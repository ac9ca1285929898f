pragma circom 2.2.0;

include "generated/Constants.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "gadgets/MerkleUpdates.circom";
include "gadgets/Oracles.circom";
include "gadgets/PublicData.circom";
include "gadgets/Time.circom";
include "gadgets/Unpack.circom";
include "ledger/KeptKey.circom";
include "ledger/Operation.circom";
include "ledger/Ranking.circom";
include "state/Account.circom";
include "state/Book.circom";
include "state/RiskMatrix.circom";
include "state/Series.circom";
include "state/Session.circom";
include "state/Signer.circom";
include "state/StateRoot.circom";

// A batch of L ledger operations: SPEC section 7.
//
// Proves, with one header and one risk snapshot:
//   1. The public words are those that the public inputs commit to (PublicData).
//   2. rootBefore is the root of the state that was opened, rootAfter of what the operations made.
//   3. A quorum of the oracle set signed the snapshot, it is fresh, and of the series that are
//      listed (OracleQuorum, RiskMatrix).
//   4. The effective marks are public and stand in the series table afterwards.
//   5. Each account and session is opened at most once.
//   6. Each signer signed the last head of its chain, with a key that has not expired and that
//      this batch did not register (Signer).
//   7. Every operation follows the rules (LedgerOperation).
// Assumes: layer one checks number, time, roots, oracleSet and domain in the words, compares queue
//   operations with its queue, draws gamma after the words are fixed, and refuses words that are
//   not field elements.
// Twin: sequencer/batch/executor.ts (what runs), sequencer/batch/ledgerWitness.ts (what is fed)
template Ledger(L, A, G, M, S, D, accountLevels, bookLevels, oracles, quorum, unit) {
    assert(S == SCENARIOS());
    assert(M <= SLOTS_MAX());
    assert(2 * accountLevels <= ACCOUNT_BITS());
    assert(2 * bookLevels <= BOOK_BITS());
    var K = KEYS_PER_ACCOUNT();
    var sharedLevels = SharedLevels(A, accountLevels);
    var W = LEDGER_OP_WORDS();
    var seriesCount = (M + SERIES_PER_WORD() - 1) \ SERIES_PER_WORD();
    var markCount = (M + MARKS_PER_WORD() - 1) \ MARKS_PER_WORD();

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
    signal input accountsRootBefore;
    signal input sessionsRootBefore;
    signal input booksRootBefore;
    signal input feesBefore;
    signal input rankingBefore;
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
    // Operations.
    signal input operationWords[L][W];
    signal input operationSigner[L];
    signal input deadline[L];
    signal input takeoverScenario[L];
    signal input oldKey[L][2];
    signal input oldHead[L];
    signal input oldMeta[L];
    signal input oldBookExists[L];
    signal input oldBookWeights[L][2];
    signal input oldBookGeneration[L];
    signal input oldBookFees[L];
    signal input oldBookSides[L][BookSidesTold(D)];
    signal input bookSiblings[L][bookLevels][3];

    // Series, snapshot, effective marks.
    signal seconds <== WholeSeconds()(time);
    component series = SeriesTable(M);
    series.words <== seriesWords;
    series.seconds <== seconds;
    component risk = RiskMatrix(M, S);
    risk.words <== riskWords;
    risk.table <== series.fields;
    component quorumSigned = OracleQuorum(oracles, quorum);
    quorumSigned.domain <== domain;
    quorumSigned.time <== time;
    quorumSigned.snapshotTime <== snapshotTime;
    quorumSigned.matrix <== risk.matrix;
    quorumSigned.keys <== oracleKeys;
    quorumSigned.signer <== oracleSigner;
    quorumSigned.r8 <== oracleR8;
    quorumSigned.s <== oracleS;

    // Accounts and signers are opened.
    StrictlyIncreasing(A, ACCOUNT_BITS())(accountIds);
    SignersOrdered(G)(signerEnabled, signerAccount, signerKeyIndex);
    LedgerFixed(A, G, M, S) fixed;
    fixed.time <== time;
    fixed.seconds <== seconds;
    fixed.domain <== domain;
    fixed.accountIds <== accountIds;
    for (var g = 0; g < G; g++) {
        // No account is -1: a signer that is not enabled, whose signature nobody checks, signs
        // for none.
        fixed.signerAccount[g] <== signerEnabled[g] * (signerAccount[g] + 1) - 1;
    }
    fixed.changes <== risk.changes;
    fixed.isFinal <== risk.isFinal;
    LedgerWorking(A, G, M, S) first;
    component opened[A];
    component session[A];
    for (var a = 0; a < A; a++) {
        PositionsInRange(M)(positions[a]);
        opened[a] = AccountOpened(M, S, unit);
        opened[a].owner <== owner[a];
        opened[a].cash <== cash[a];
        opened[a].positions <== positions[a];
        opened[a].mark <== risk.mark;
        opened[a].changes <== risk.changes;
        first.headroom[a] <== opened[a].headroom;
        session[a] = SessionOpened();
        session[a].keyHashes <== keyHashes[a];
        session[a].watermark <== watermark[a];
        session[a].lockedSince <== lockedSince[a];
    }
    first.owner <== owner;
    first.cash <== cash;
    first.positions <== positions;
    first.lockedSince <== lockedSince;
    first.watermark <== watermark;
    first.keyHashes <== keyHashes;
    first.head <== signerHead;
    first.booksRoot <== booksRootBefore;
    first.fees <== feesBefore;
    first.ranking <== RankingOpened()(rankingBefore);
    for (var m = 0; m < M; m++) {
        first.table[m].fields.mark <== risk.mark[m];
        first.table[m].fields.holders <== series.fields[m].holders;
        first.table[m].fields.generation <== series.fields[m].generation;
        first.table[m].fields.listed <== series.fields[m].listed;
        first.table[m].fields.settled <== series.fields[m].settled;
        first.table[m].fields.isCall <== series.fields[m].isCall;
        first.table[m].fields.strike <== series.fields[m].strike;
        first.table[m].fields.expiry <== series.fields[m].expiry;
        first.table[m].isUnexpired <== series.isUnexpired[m];
    }

    // The order that is being carried, if any, keeps its book.
    var carryWidths[3];
    carryWidths[0] = CARRY_ACCOUNT_BITS();
    carryWidths[1] = CARRY_BOOK_BITS();
    carryWidths[2] = CARRY_BITS() - CARRY_IS_SELL_OFFSET();
    component carry = Unpack(3, carryWidths);
    carry.word <== carryBefore;
    signal carriesNothing <== IsZero()(carryBefore);
    fixed.nextSeq <== nextSeqBefore;
    fixed.isCarried <== 1 - carriesNothing;
    fixed.carriedBook <== carry.fields[1];

    // The operations.
    component operation[L];
    for (var i = 0; i < L; i++) {
        operation[i] = LedgerOperation(A, G, M, S, D, bookLevels, unit);
        operation[i].words <== operationWords[i];
        operation[i].hints.signer <== operationSigner[i];
        operation[i].hints.deadline <== deadline[i];
        operation[i].hints.scenario <== takeoverScenario[i];
        operation[i].hints.oldKey <== oldKey[i];
        operation[i].hints.oldHead <== oldHead[i];
        operation[i].hints.oldMeta <== oldMeta[i];
        operation[i].hints.oldBookExists <== oldBookExists[i];
        operation[i].hints.oldBookWeights <== oldBookWeights[i];
        operation[i].hints.oldBookGeneration <== oldBookGeneration[i];
        operation[i].hints.oldBookFees <== oldBookFees[i];
        operation[i].hints.oldBookSides <== oldBookSides[i];
        operation[i].hints.bookSiblings <== bookSiblings[i];
        operation[i].fixed <== fixed;
        if (i == 0) {
            operation[i].before <== first;
        } else {
            operation[i].before <== operation[i - 1].after;
        }
    }

    // Signers: their keys must still be what they were when the batch began.
    component isSignersAccount[G];
    component keptKey[G];
    component signer[G];
    for (var g = 0; g < G; g++) {
        isSignersAccount[g] = SelectById(A);
        isSignersAccount[g].ids <== accountIds;
        isSignersAccount[g].target <== signerAccount[g];
        isSignersAccount[g].enabled <== signerEnabled[g];
        keptKey[g] = KeptKey(A);
        keptKey[g].enabled <== signerEnabled[g];
        keptKey[g].isAccount <== isSignersAccount[g].out;
        keptKey[g].keyIndex <== signerKeyIndex[g];
        keptKey[g].keyHashesFirst <== keyHashes;
        keptKey[g].keyHashesNow <== operation[L - 1].after.keyHashes;
        signer[g] = Signer(A);
        signer[g].enabled <== signerEnabled[g];
        signer[g].isAccount <== isSignersAccount[g].out;
        if (g == 0) {
            signer[g].keyHashes <== operation[L - 1].after.keyHashes;
        } else {
            signer[g].keyHashes <== signer[g - 1].keyHashesAfter;
        }
        signer[g].keyIndex <== signerKeyIndex[g];
        signer[g].key <== signerKey[g];
        signer[g].headBefore <== signerHead[g];
        signer[g].headAfter <== operation[L - 1].after.head[g];
        signer[g].meta <== signerMeta[g];
        signer[g].r8 <== signerR8[g];
        signer[g].s <== signerS[g];
        signer[g].seconds <== seconds;
    }

    // Everything is written back.
    component closed[A];
    component accounts = MerkleUpdates(A, accountLevels);
    accounts.ids <== accountIds;
    accounts.siblings <== accountSiblings;
    accounts.top <== accountTop;
    component sessions = MerkleUpdates(A, accountLevels);
    sessions.ids <== accountIds;
    sessions.siblings <== sessionSiblings;
    sessions.top <== sessionTop;
    for (var a = 0; a < A; a++) {
        closed[a] = AccountClosed(M);
        closed[a].owner <== operation[L - 1].after.owner[a];
        closed[a].cash <== operation[L - 1].after.cash[a];
        closed[a].positions <== operation[L - 1].after.positions[a];
        accounts.leafBefore[a] <== opened[a].leaf;
        accounts.leafAfter[a] <== closed[a].leaf;
        sessions.leafBefore[a] <== session[a].leaf;
        sessions.leafAfter[a] <== SessionLeaf()(signer[G - 1].keyHashesAfter[a],
            operation[L - 1].after.watermark[a], operation[L - 1].after.lockedSince[a]);
    }
    accounts.rootBefore === accountsRootBefore;
    sessions.rootBefore === sessionsRootBefore;
    component seriesAfter = SeriesTableRoot(M);
    for (var m = 0; m < M; m++) {
        seriesAfter.fields[m] <== operation[L - 1].after.table[m].fields;
    }

    // Roots and public data.
    component rootBefore = StateRoot();
    rootBefore.accounts <== accountsRootBefore;
    rootBefore.series <== series.root;
    rootBefore.sessions <== sessionsRootBefore;
    rootBefore.books <== booksRootBefore;
    rootBefore.nextSeq <== nextSeqBefore;
    rootBefore.carry <== carryBefore;
    rootBefore.fees <== feesBefore;
    rootBefore.ranking <== rankingBefore;
    _ <== rootBefore.privateRoot;
    component rootAfter = StateRoot();
    rootAfter.accounts <== accounts.rootAfter;
    rootAfter.series <== seriesAfter.root;
    rootAfter.sessions <== sessions.rootAfter;
    rootAfter.books <== operation[L - 1].after.booksRoot;
    rootAfter.nextSeq <== nextSeqBefore;
    rootAfter.carry <== carryBefore;
    rootAfter.fees <== operation[L - 1].after.fees;
    rootAfter.ranking <== RankingClosed()(operation[L - 1].after.ranking);
    component data = PublicData(HEADER_WORDS() + markCount + W * L);
    data.words[HEADER_KIND()] <== BATCH_KIND_LEDGER();
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
    for (var i = 0; i < L; i++) {
        for (var w = 0; w < W; w++) {
            data.words[HEADER_WORDS() + markCount + W * i + w] <== operationWords[i][w];
        }
    }
    data.commitment <== commitment;
    data.gamma <== gamma;
    data.evaluation <== evaluation;
}
