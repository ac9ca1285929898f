pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "../gadgets/Range.circom";
include "../gadgets/Reduction.circom";
include "../gadgets/Select.circom";

// How long an account has been locked.
//
// Proves (where enabled): lockedSince is not 0 and not after `seconds`; elapsed = seconds less
//   lockedSince, at most AUCTION_SECONDS; the flags say whether AUCTION_SECONDS and
//   DELEVERAGE_SECONDS have passed. Else: all outputs are 0.
// Assumes: enabled is 0 or 1; both constants are powers of two.
// Twin: sequencer/engine/transactions/takeover.ts
template LockAge() {
    var auctionBits = 8;
    var deleverageBits = 9;
    assert(AUCTION_SECONDS() == 1 << auctionBits);
    assert(DELEVERAGE_SECONDS() == 1 << deleverageBits);
    signal input enabled;
    signal input seconds;
    signal input lockedSince;
    signal output elapsed;
    signal output isAuctionOver;
    signal output isDeleverageTime;

    signal isUnlocked <== IsZero()(lockedSince);
    enabled * isUnlocked === 0;
    component age = Num2Bits(SECONDS_BITS());
    age.in <== enabled * (seconds - lockedSince);
    var low = 0;
    var aboveAuction = 0;
    var aboveDeleverage = 0;
    for (var bit = 0; bit < SECONDS_BITS(); bit++) {
        if (bit < auctionBits) {
            low += age.out[bit] * (1 << bit);
        } else {
            aboveAuction += age.out[bit];
        }
        if (bit >= deleverageBits) {
            aboveDeleverage += age.out[bit];
        }
    }
    signal isInAuction <== IsZero()(aboveAuction);
    signal isEarly <== IsZero()(aboveDeleverage);
    isAuctionOver <== 1 - isInAuction;
    isDeleverageTime <== 1 - isEarly;
    elapsed <== low + isAuctionOver * (AUCTION_SECONDS() - low);
}

// Conditions T1 to T5 of a takeover, the times of T7 and T8, and the deficit that absorb needs.
//
// Proves:
//   1. Where isTakeover: the account is locked, and below maintenance in the scenario (T1).
//   2. 1 <= lots <= |position|, in the direction in which the scenario's change costs (T2).
//   3. Its headroom in the scenario is afterwards below what one more lot would add to it (T3).
//   4. Without a subsidy it pays at most min(t, 256) / 512 of the loss that is avoided (T4).
//   5. With a subsidy, and where isAbsorb, its equity afterwards is not positive (T5).
//   6. insure waits 256 s, deleverage 512 s from the lock (T7, T8).
//   7. maintenance = 20 maintenance_s before; 0 where not isTakeover.
// Assumes: flags are 0 or 1 and exclude each other; isSubsidy only with insure and deleverage;
//   lots < 2^22, 0 where not isTakeover; change5[s] is 5 times the slot's change in scenario s;
//   room[s] is the headroom before of the account that is liquidated; gain is what another account
//   receives (1e-6 USDC): +-amount in a takeover, -amount in absorb.
// Twin: sequencer/engine/transactions/takeover.ts
template Takeover(S, unit) {
    signal input isTakeover;
    signal input isInsure;
    signal input isDeleverage;
    signal input isAbsorb;
    signal input isSubsidy;
    signal input scenario;
    signal input lots;
    signal input amount;
    signal input gain;
    signal input position;
    signal input lockedSince;
    signal input seconds;
    signal input change5[S];
    signal input room[S + 1];
    signal output direction;
    signal output isShort;
    signal output maintenance;

    component age = LockAge();
    age.enabled <== isTakeover;
    age.seconds <== seconds;
    age.lockedSince <== lockedSince;
    isInsure * (1 - age.isAuctionOver) === 0;
    isDeleverage * (1 - age.isDeleverageTime) === 0;
    component reduction = Reduction(LOTS_BITS());
    reduction.enabled <== isTakeover;
    reduction.position <== position;
    reduction.lots <== lots;
    direction <== reduction.direction;
    isShort <== reduction.isShort;

    // What a lot more would add to the account's headroom in the scenario, and what all lots do.
    signal isScenario[S] <== SelectByIndex(S)(scenario, isTakeover);
    signal change <== Dot(S)(isScenario, change5);
    signal spared <== direction * change;
    signal sparedByAll <== lots * spared;
    InRange(CHANGE_BITS() + 3)(spared - isTakeover);

    // 20 times maintenance is 4 headroom_s + headroom_S, before and after.
    component roomAt = Dot(S);
    for (var s = 0; s < S; s++) {
        roomAt.a[s] <== isScenario[s];
        roomAt.b[s] <== room[s];
    }
    signal equity4 <== isTakeover * room[S];
    maintenance <== MARGIN_VALUE_FACTOR() * roomAt.out + equity4;
    InRange(HEALTH_BITS())(-maintenance - isTakeover);
    signal paid <== isTakeover * gain;
    signal after <== roomAt.out + unit * sparedByAll - MARGIN_VALUE_FACTOR() * paid;
    InRange(HEALTH_BITS())(unit * spared - after - isTakeover);

    // One of the two bounds on what is paid.
    signal bound <== age.elapsed * sparedByAll;
    signal discount <== (isTakeover - isSubsidy)
        * (unit * bound - MARGIN_INITIAL_FACTOR() * AUCTION_DIVISOR() * amount);
    signal deficit <== (isSubsidy + isAbsorb) * (MARGIN_VALUE_FACTOR() * gain - room[S]);
    InRange(HEALTH_BITS() + 2)(discount + deficit);
}
