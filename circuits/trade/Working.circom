pragma circom 2.2.0;

// What the steps of a trade batch work on: opened once, changed by each step, written back once.

// Of accounts, books and signers in their places. side 0 bids, 1 asks; net[a][b]: lots that
// account a has bought, net, in book b during this batch.
bus Working(accounts, books, signers, depth, scenarios) {
    signal headroom[accounts][scenarios + 1];
    signal cash[accounts];
    signal net[accounts][books];
    signal watermark[accounts];
    signal head[signers];
    signal sides[books][2][depth];
    signal nextSeq;
}

// An order on its way through several steps; all zero if there is none. `price` is offset.
bus Carried(accounts) {
    signal isActive;
    signal isAccount[accounts];
    signal book;
    signal isSell;
    signal price;
    signal lots;
    signal isIoc;
    signal isFok;
    signal isPostOnly;
    signal isReduceOnly;
    signal seq;
    signal fokSteps;
    signal isDoomed;
}

// What a fill-or-kill order restores when it aborts.
bus Saved(accounts, books, depth, scenarios) {
    signal headroom[accounts][scenarios + 1];
    signal cash[accounts];
    signal net[accounts][books];
    signal side[depth];
}

// What does not change during a batch. exposure: positions . weights before the batch;
// gram[b][c]: weights of b . weights of c.
bus Fixed(accounts, books, signers, scenarios) {
    signal time;
    signal accountIds[accounts];
    signal isSignersAccount[signers][accounts];
    signal bookIds[books];
    signal isOpen[books];
    signal isPlain[books];
    signal bookRisk[books][scenarios + 1];
    signal exposure[accounts][books];
    signal gram[books][books];
}

// One step as the witness tells it. At most one flag is set; `word` is the signed word, or names
// an order to purge; `isDoomed` foretells that a fill-or-kill order will abort.
bus StepInput() {
    signal isPlace;
    signal isCancel;
    signal isCancelAll;
    signal isProceed;
    signal isPurge;
    signal signer;
    signal word;
    signal isDoomed;
}
