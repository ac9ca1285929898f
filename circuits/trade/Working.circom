pragma circom 2.2.0;

// What the steps of a trade batch work on: opened once, changed by each step, written back once.

// Of accounts, books and signers in their places. side 0 bids, 1 asks; net[a][b]: lots that
// account a has bought, net, in book b during this batch. isLocked: it is being liquidated.
// Headrooms are in lot ticks, rounded down (HeadroomLotTicks).
bus Working(accounts, books, signers, depth, scenarios) {
    signal headroom[accounts][scenarios + 1];
    signal cash[accounts];
    signal net[accounts][books];
    signal fees;
    signal watermark[accounts];
    signal isLocked[accounts];
    signal head[signers];
    signal sides[books][2][depth];
    signal nextSeq;
}

// An order on its way through several steps; all zero if there is none. `price` is offset.
bus Carried() {
    signal isActive;
    signal account;
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

// What a fill-or-kill order undoes when it aborts: the lots that its steps have moved to each
// account and the lot ticks that they have paid it so far, and the side as it was. lots and cash
// are 0 where no fill-or-kill order is being carried.
bus Saved(accounts, depth) {
    signal lots[accounts];
    signal cash[accounts];
    signal side[depth];
}

// What does not change during a batch. exposure: positions . weights before the batch;
// gram[b][c]: weights of b . weights of c; feeRates are FeeRates'; excess is HeadroomLotTicks';
// signersAccount: whose key each signer is, -1 of a signer that is not enabled.
bus Fixed(accounts, books, signers, scenarios) {
    signal time;
    signal accountIds[accounts];
    signal excess[accounts];
    signal signersAccount[signers];
    signal bookIds[books];
    signal isOpen[books];
    signal isPlain[books];
    signal bookRisk[books][scenarios + 1];
    signal feeRates[books][3];
    signal exposure[accounts][books];
    signal gram[books][books];
}

// One step as the witness tells it. At most one flag is set; `word` is the signed word, or names
// an order to purge or a liquidation, `scenario` then being one in which the account may be
// liquidated; `isDoomed` foretells that a fill-or-kill order will abort.
bus StepInput() {
    signal isPlace;
    signal isCancel;
    signal isCancelAll;
    signal isProceed;
    signal isPurge;
    signal isLiquidate;
    signal signer;
    signal word;
    signal scenario;
    signal isDoomed;
}
