//! Every engine that is wrong on purpose is noticed, by the invariant that is there for it, with seeds that the right
//! engine passes. The stage `sim` of the test gives each of them thousands of seeds; here are few, from where they die soon.

use crate::sim::{Mutant, VirtualTime, simulate, simulate_mutant};

/// How many seeds each is given here.
const SEEDS: u64 = 60;

/// The first seed from which to look.
const fn from(mutant: Mutant) -> u64 {
    match mutant {
        Mutant::TakesDoubtForNo => TAKES_DOUBT_FOR_NO,
        Mutant::BelievesItsLease => BELIEVES_ITS_LEASE,
        _ => 0,
    }
}

const TAKES_DOUBT_FOR_NO: u64 = 360;
const BELIEVES_ITS_LEASE: u64 = 100;

#[test]
fn every_wrong_engine_is_noticed_by_its_invariant() {
    let time = VirtualTime::new().unwrap();
    let mut alive = Vec::new();
    for mutant in Mutant::ALL {
        let killed = (from(mutant)..from(mutant) + SEEDS).find(|seed| {
            let run = simulate_mutant(&time, *seed, mutant).unwrap();
            run.violations().iter().any(|violation| violation.invariant == mutant.killed_by())
        });
        match killed {
            Some(seed) => {
                let right = simulate(&time, seed).unwrap();
                assert_eq!(right.violations(), [], "seed {seed} without {mutant:?}");
            }
            None => alive.push(mutant),
        }
    }
    assert_eq!(alive, []);
}
