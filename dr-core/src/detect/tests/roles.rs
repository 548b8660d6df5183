//! Two regions under one watch: which of them writes, and what is asked of each.

use super::*;

/// Two regions under one watch.
struct Pair {
    quorums: Quorums,
    round: u64,
    transitions: Vec<Transition>,
}

const EAST: &str = "us-east-1";
const WEST: &str = "eu-west-1";

impl Pair {
    fn new() -> Self {
        let quorum = |region: &str| {
            let policy =
                QuorumPolicy { region: region.parse().unwrap(), gray_dwell: Some(s(30)), hold_down: s(10), ..policy() };
            Quorum::new(policy).unwrap()
        };
        let quorums = Quorums::new([quorum(EAST), quorum(WEST)], &EAST.parse().unwrap());
        Self { quorums, round: 0, transitions: Vec::new() }
    }

    /// Rounds of ten seconds in which writes pass where `writes` says, and `lost` answers nothing.
    fn rounds(&mut self, rounds: u64, writes: &[&str], lost: Option<&str>) -> Vec<String> {
        self.transitions.clear();
        for round in self.round..self.round + rounds {
            for (place, check) in (0..PLACES.len()).flat_map(|place| (0..CHECKS.len()).map(move |check| (place, check)))
            {
                for region in [EAST, WEST] {
                    let passes = lost != Some(region) && (check == 0 || writes.contains(&region));
                    let at = s(10 * round) + Duration::from_millis((10 * place + check) as u64);
                    let mut o = see(place, check, at, if passes { Seen::Pass } else { Seen::Fail });
                    o.subject.region = region.parse().unwrap();
                    self.transitions.extend(self.quorums.observe(o));
                }
            }
        }
        self.round += rounds;
        self.transitions.iter().map(|t| format!("{} {}", t.region, t.to)).collect()
    }

    fn sentence(&self, region: &str) -> String {
        self.quorums.get(&region.parse().unwrap()).unwrap().sentence()
    }
}

#[test]
fn a_region_that_stands_by_is_not_blamed_for_taking_no_writes() {
    let mut pair = Pair::new();
    assert_eq!(pair.rounds(30, &[EAST], None), ["eu-west-1 healthy", "us-east-1 healthy"]);
    insta::assert_snapshot!(pair.sentence(WEST), @"eu-west-1 healthy: 3 of 3 observers; it stands by and takes no writes");
}

#[test]
fn a_switchover_moves_what_is_asked_of_each_and_alarms_nobody() {
    let mut pair = Pair::new();
    pair.rounds(10, &[EAST], None);
    assert_eq!(pair.rounds(1, &[], None), [""; 0], "a moment in which nobody takes writes");
    assert_eq!(pair.rounds(30, &[WEST], None), [""; 0]);
    insta::assert_snapshot!(pair.sentence(EAST), @"us-east-1 healthy: 3 of 3 observers; it stands by and takes no writes");
    assert_eq!(pair.rounds(30, &[EAST], None), [""; 0], "and back");
}

#[test]
fn a_writer_that_takes_no_writes_is_gray_and_excused_once_another_takes_them() {
    let mut pair = Pair::new();
    pair.rounds(10, &[EAST], None);
    assert_eq!(
        pair.rounds(8, &[], None),
        ["us-east-1 suspect", "us-east-1 gray", "us-east-1 unhealthy"],
        "and eu-west-1 is as well as it was"
    );
    assert_eq!(pair.rounds(20, &[WEST], None), ["us-east-1 healthy"]);
    // The other one is the writer now, and is held to it.
    assert_eq!(pair.rounds(8, &[], None), ["eu-west-1 suspect", "eu-west-1 gray", "eu-west-1 unhealthy"]);
}

#[test]
fn a_lost_writer_comes_back_as_a_standby() {
    let mut pair = Pair::new();
    pair.rounds(10, &[EAST], None);
    let lost = pair.rounds(6, &[], Some(EAST));
    assert_eq!(lost, ["us-east-1 suspect", "us-east-1 unhealthy"], "and eu-west-1 is fit to take over");
    assert_eq!(pair.rounds(12, &[WEST], Some(EAST)), [""; 0]);
    assert_eq!(pair.rounds(12, &[WEST], None), ["us-east-1 suspect", "us-east-1 healthy"]);
    assert_eq!(pair.rounds(12, &[EAST], None), [""; 0], "the switchover back");
}

#[test]
fn a_standby_that_passes_writes_on_hides_no_gray_failure_and_shares_no_blame() {
    let mut pair = Pair::new();
    pair.rounds(10, &[EAST, WEST], None);
    let gray = ["us-east-1 suspect", "us-east-1 gray", "us-east-1 unhealthy"];
    assert_eq!(pair.rounds(8, &[WEST], None), gray, "the writer's front fails them, its database does not");
    assert_eq!(pair.rounds(20, &[EAST, WEST], None), ["us-east-1 suspect", "us-east-1 healthy"]);
    assert_eq!(pair.rounds(8, &[], None), gray, "the database fails them, so the standby's do not get through either");

    let mut pair = Pair::new();
    pair.rounds(10, &[EAST, WEST], None);
    assert_eq!(pair.rounds(12, &[], Some(EAST)), ["us-east-1 suspect", "us-east-1 unhealthy"]);
    assert_eq!(pair.rounds(12, &[WEST], Some(EAST)), [""; 0], "promoted");
    assert_eq!(pair.quorums.writer(), WEST);
    pair.rounds(12, &[EAST, WEST], None);
    assert_eq!(pair.rounds(12, &[EAST, WEST], None), [""; 0]);
    assert_eq!(pair.quorums.writer(), WEST, "passing them on makes no writer");
    assert_eq!(pair.quorums.writer_is(&EAST.parse().unwrap()), []);
    pair.rounds(1, &[EAST, WEST], None);
    assert_eq!(pair.rounds(8, &[WEST], None), gray);
}

#[test]
fn an_observer_that_starts_after_a_failover_finds_the_writer() {
    let mut pair = Pair::new();
    let told = pair.rounds(12, &[WEST], Some(EAST));
    assert_eq!(pair.quorums.writer(), WEST);
    assert_eq!(told, ["eu-west-1 healthy", "us-east-1 suspect", "us-east-1 unhealthy"]);
}
