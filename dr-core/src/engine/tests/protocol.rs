//! The protocol of leases and epochs, gone through in every order: two engines, one journal, and a network between them
//! that loses, repeats, delays and reorders what they say, with clocks that differ.
//!
//! The model is tied to the code: who gets a lease, which lease may write, and what a late renewal does are
//! [`Holding`]'s rules, by which the journals themselves decide; how long an engine may act is the
//! engine's own [`left`] and [`usable`]. What is modelled here is their surroundings: time in ticks of a sixth of a lease, and a plan of one
//! step (intent, look, effect, outcome).
//!
//! What it assumes: the walls of two machines differ by a tick at most, and an effect is in the world at the moment when
//! the engine has looked at its lease and acts. A call that lingers after that is what the epoch in
//! [`StepCx`](crate::step::StepCx) and idempotency keys are for.

use std::time::Duration;

use stateright::{Checker as _, Model, Property};

use crate::{
    engine::term::{left, usable},
    journal::{Holding, Lease},
    model::{Epoch, OwnerId, RunId},
    time::{Monotonic, Timestamp},
};

/// The length of a lease, in ticks.
const TTL: i8 = 6;
/// By how many ticks the walls of two machines differ at most.
const SKEW: i8 = 1;
/// The present, in ticks; states say how far other moments are from it, so that equal situations are equal states.
const NOW: i64 = 1_000;
const TICK: Duration = Duration::from_secs(5);

fn ttl() -> Duration {
    TICK * u32::from(TTL.unsigned_abs())
}

fn at(ticks: i8) -> Timestamp {
    Timestamp::from_millis((NOW + i64::from(ticks)) * 5_000)
}

fn ticks(at: Timestamp) -> i8 {
    i8::try_from(at.as_millis() / 5_000 - NOW).unwrap()
}

fn owner(engine: usize) -> OwnerId {
    OwnerId::new(format!("engine-{engine}")).unwrap()
}

fn run() -> RunId {
    RunId::new("run").unwrap()
}

fn lease(engine: usize, epoch: u8) -> Lease {
    Lease { run: run(), owner: owner(engine), epoch: Epoch(epoch.into()), expires: Timestamp::UNIX_EPOCH }
}

/// What an engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Doing {
    /// Nothing: it is about to ask for the lease.
    Idle,
    /// It waits a tick before it asks again.
    Resting,
    /// It asked for the lease this long ago.
    Asking(i8),
    /// It holds the lease, has read the journal, and asked for its intent to be written.
    Intending,
    /// The intent is durable; it is about to look at the world.
    Looking,
    /// It saw no effect; it is about to make it.
    Acting,
    /// The effect is there; it asked for the outcome to be written.
    Concluding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Engine {
    doing: Doing,
    epoch: u8,
    /// How long it may still act.
    left: i8,
    /// Where it knows the journal to end.
    end: u8,
    /// It asked for a renewal this long ago.
    renewing: Option<i8>,
    /// How long it still waits for an append, where stories must end: what was left of its term when it asked.
    patience: i8,
}

const IDLE: Engine = Engine { doing: Doing::Idle, epoch: 0, left: 0, end: 0, renewing: None, patience: 0 };

/// What is on its way. A request for time carries how long ago its sender read its wall, and so does the answer, which
/// belongs to its call: an engine that has called again takes no answer to the call before, and no process takes one
/// to a call of the process that bore its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Message {
    Acquire { engine: usize, age: i8 },
    Renew { engine: usize, epoch: u8, age: i8 },
    Append { engine: usize, epoch: u8, expect: u8, outcome: bool },
    Granted { engine: usize, epoch: u8, age: i8 },
    Renewed { engine: usize, epoch: u8, age: i8 },
    Appended { engine: usize, epoch: u8, end: u8 },
}

impl Message {
    fn grow_old(self) -> Self {
        match self {
            Self::Acquire { engine, age } => Self::Acquire { engine, age: older(age) },
            Self::Renew { engine, epoch, age } => Self::Renew { engine, epoch, age: older(age) },
            Self::Granted { engine, epoch, age } => Self::Granted { engine, epoch, age: older(age) },
            Self::Renewed { engine, epoch, age } => Self::Renewed { engine, epoch, age: older(age) },
            Self::Append { .. } | Self::Appended { .. } => self,
        }
    }
}

/// One tick more, up to where nothing changes any more.
fn older(age: i8) -> i8 {
    (age + 1).min(TTL + SKEW + 1)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    /// The store's table: epoch, owner, and in how many ticks the lease lapses.
    holding: Option<(u8, Option<usize>, i8)>,
    /// How many records the journal has, and whether one of them is the outcome.
    end: u8,
    concluded: bool,
    engines: [Engine; 2],
    /// By how much the second engine's wall is ahead of the first one's.
    ahead: i8,
    /// Sorted, so that equal networks are equal states.
    network: Vec<Message>,
    /// How often the effect was made.
    effects: u8,
    /// Whether an append of an epoch that had passed was taken.
    stale_append: bool,
    /// Whether an effect was made by an engine whose epoch had passed.
    stale_effect: bool,
    repeats: u8,
    losses: u8,
    crashes: u8,
    /// Counted only where every story must have an end.
    time: u8,
}

impl State {
    fn holding(&self) -> Option<Holding> {
        self.holding.map(|(epoch, holder, left)| Holding {
            epoch: Epoch(epoch.into()),
            owner: holder.map(owner),
            expires: at(left),
        })
    }

    fn keep(&mut self, holding: &Holding) {
        let holder = holding.owner.as_ref().map(|name| if *name == owner(0) { 0 } else { 1 });
        // How long ago a lease lapsed makes no difference once every clock sees that it has.
        self.holding = Some((u8::try_from(holding.epoch.0).unwrap(), holder, ticks(holding.expires).max(-SKEW - 1)));
    }

    /// Tells the engine at once; that it never hears of it is the same as that its request was lost.
    fn refuse(&mut self, engine: usize, epoch: u8) {
        let known = &mut self.engines[engine];
        let about_asking = epoch == 0 && matches!(known.doing, Doing::Asking(_));
        if about_asking || (epoch != 0 && known.epoch == epoch) {
            *known = Engine { doing: Doing::Resting, ..IDLE };
        }
    }

    fn conclude(&mut self, n: usize, eager: bool) {
        let engine = &mut self.engines[n];
        engine.doing = Doing::Concluding;
        engine.patience = if eager { engine.left } else { 0 };
        let (epoch, expect) = (engine.epoch, engine.end);
        self.send(Message::Append { engine: n, epoch, expect, outcome: true });
    }

    fn send(&mut self, message: Message) {
        self.network.push(message);
        self.network.sort_unstable();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Tick,
    Deliver(usize),
    Repeat(usize),
    Lose(usize),
    /// The engine's process dies, and a new one of the same name begins.
    Crash(usize),
    Ask(usize),
    Look(usize),
    Act(usize),
    Renew(usize),
}

/// What is wrong with the protocol, in the models that must be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// The store does not look at the epoch of an append.
    NoEpochCheck,
    /// An engine counts on the whole lease, whatever other clocks say.
    NoMargin,
    /// An engine does not look at its lease before it acts.
    NoTermCheck,
    /// A renewal that comes late makes the lease shorter.
    LateRenewalShortens,
}

struct Protocol {
    mutant: Mutant,
    /// Whether time passes only when nobody has anything to do, so that every story gets to its end.
    eager: bool,
    /// How many leases may be given, and messages be repeated or lost, and processes die.
    epochs: u8,
    repeats: u8,
    losses: u8,
    crashes: u8,
    /// By what the second engine's wall may be ahead.
    ahead: &'static [i8],
    most_messages: usize,
}

/// How long an eager story may take, in ticks.
const HORIZON: u8 = 60;

impl Protocol {
    fn counts_on(&self) -> i8 {
        let counted = if self.mutant == Mutant::NoMargin { ttl() } else { usable(ttl()) };
        i8::try_from(counted.as_secs() / TICK.as_secs()).unwrap()
    }

    /// Whether the engine's term has not run out, as the engine's [`left`] has it.
    fn may_act(&self, engine: Engine) -> bool {
        match self.mutant {
            Mutant::NoTermCheck => true,
            Mutant::NoMargin => engine.left > 0,
            _ => {
                // A term of which so much is left was asked for so long ago.
                let asked = Monotonic::new(ttl() * 2);
                let passed = self.counts_on() - engine.left;
                let now = asked + TICK * u32::from(passed.max(0).unsigned_abs());
                !left(asked, now, ttl()).is_zero()
            }
        }
    }

    fn enabled(&self, state: &State) -> Vec<Action> {
        let mut actions = Vec::new();
        let room = state.network.len() < self.most_messages;
        for (n, engine) in state.engines.iter().enumerate() {
            match engine.doing {
                Doing::Idle if room && !state.concluded => actions.push(Action::Ask(n)),
                Doing::Looking => actions.push(Action::Look(n)),
                Doing::Acting => actions.push(Action::Act(n)),
                _ => {}
            }
            let holds = !matches!(engine.doing, Doing::Idle | Doing::Resting | Doing::Asking(_));
            // Three times in a lease: when a third of it has passed.
            if holds && room && engine.renewing.is_none() && engine.left > 0 && engine.left <= self.counts_on() - 2 {
                actions.push(Action::Renew(n));
            }
        }
        actions.extend((0..state.network.len()).map(Action::Deliver));
        actions
    }

    fn deliver(&self, state: &mut State, message: Message) {
        let ahead = state.ahead;
        let wall = |engine: usize, age: i8| at(if engine == 1 { ahead - age } else { -age });
        match message {
            Message::Acquire { engine, age } => {
                match Holding::take(state.holding().as_ref(), &run(), &owner(engine), wall(engine, age), ttl()) {
                    Ok((lease, holding)) => {
                        state.keep(&holding);
                        state.send(Message::Granted { engine, epoch: u8::try_from(lease.epoch.0).unwrap(), age });
                    }
                    Err(_) => state.refuse(engine, 0),
                }
            }
            Message::Renew { engine, epoch, age } => match state.holding() {
                Some(mut holding) if holding.admits(&lease(engine, epoch)) => {
                    let renewed = holding.renewed(&lease(engine, epoch), wall(engine, age), ttl()).unwrap();
                    holding.expires = if self.mutant == Mutant::LateRenewalShortens {
                        wall(engine, age) + ttl()
                    } else {
                        renewed.expires
                    };
                    state.keep(&holding);
                    state.send(Message::Renewed { engine, epoch, age });
                }
                // An engine that does not learn of it counts on its lease as long as it may.
                _ => {}
            },
            Message::Append { engine, epoch, expect, outcome } => {
                let admitted = state.holding().is_some_and(|holding| holding.admits(&lease(engine, epoch)));
                let admitted = admitted || self.mutant == Mutant::NoEpochCheck;
                if !admitted || state.end != expect {
                    return state.refuse(engine, epoch);
                }
                state.stale_append |= state.holding.is_none_or(|(newest, ..)| epoch < newest);
                state.end += 1;
                state.concluded |= outcome;
                let end = state.end;
                state.send(Message::Appended { engine, epoch, end });
            }
            Message::Granted { engine, epoch, age } => {
                let (end, concluded) = (state.end, state.concluded);
                let known = &mut state.engines[engine];
                if known.doing != Doing::Asking(age) {
                    return;
                }
                if concluded {
                    *known = Engine { doing: Doing::Resting, ..IDLE };
                    return;
                }
                let left = self.counts_on() - age;
                let patience = if self.eager { left } else { 0 };
                *known = Engine { doing: Doing::Intending, epoch, left, end, renewing: None, patience };
                state.send(Message::Append { engine, epoch, expect: end, outcome: false });
            }
            Message::Renewed { engine, epoch, age } => {
                let counts_on = self.counts_on();
                let known = &mut state.engines[engine];
                if known.epoch == epoch && known.renewing == Some(age) {
                    (known.renewing, known.left) = (None, counts_on - age);
                }
            }
            Message::Appended { engine, epoch, end } => {
                let known = &mut state.engines[engine];
                if known.epoch != epoch || end != known.end + 1 {
                    return;
                }
                match known.doing {
                    Doing::Intending => (known.doing, known.end) = (Doing::Looking, end),
                    Doing::Concluding => *known = Engine { doing: Doing::Resting, ..IDLE },
                    _ => {}
                }
            }
        }
    }

    fn tick(&self, state: &mut State) {
        if let Some((_, _, left)) = &mut state.holding {
            *left = (*left - 1).max(-SKEW - 1);
        }
        for engine in &mut state.engines {
            engine.left = (engine.left - 1).max(0);
            engine.renewing = engine.renewing.map(older);
            engine.doing = match engine.doing {
                Doing::Resting => Doing::Idle,
                // Nobody waits for ever: the caller's own timeout.
                Doing::Asking(age) if self.eager && age >= 2 => Doing::Resting,
                Doing::Asking(age) => Doing::Asking(older(age)),
                other => other,
            };
            // Whoever cannot renew lets go (and here begins anew).
            let waits = matches!(engine.doing, Doing::Intending | Doing::Concluding);
            engine.patience = if waits { (engine.patience - 1).max(0) } else { 0 };
            let over = engine.left == 0 || (waits && engine.patience == 0);
            let lapsed = self.eager && over && !matches!(engine.doing, Doing::Idle | Doing::Asking(_));
            if lapsed {
                *engine = Engine { doing: Doing::Idle, ..IDLE };
            }
        }
        state.network = state.network.iter().map(|message| message.grow_old()).collect();
        state.network.sort_unstable();
        if self.eager {
            state.time += 1;
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let state = |ahead: &i8| State {
            ahead: *ahead,
            holding: None,
            end: 0,
            concluded: false,
            engines: [IDLE; 2],
            network: Vec::new(),
            effects: 0,
            stale_append: false,
            stale_effect: false,
            repeats: 0,
            losses: 0,
            crashes: 0,
            time: 0,
        };
        self.ahead.iter().map(state).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let enabled = self.enabled(state);
        if !self.eager || enabled.is_empty() {
            actions.push(Action::Tick);
        }
        actions.extend(enabled);
        if state.repeats < self.repeats && state.network.len() < self.most_messages {
            let request = |n: &usize| {
                !matches!(
                    state.network[*n],
                    Message::Granted { .. } | Message::Renewed { .. } | Message::Appended { .. }
                )
            };
            actions.extend((0..state.network.len()).filter(request).map(Action::Repeat));
        }
        if state.losses < self.losses {
            actions.extend((0..state.network.len()).map(Action::Lose));
        }
        if state.crashes < self.crashes {
            let alive = |n: &usize| state.engines[*n] != IDLE;
            actions.extend((0..2).filter(alive).map(Action::Crash));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => self.tick(&mut state),
            Action::Deliver(n) => {
                let message = state.network.remove(n);
                self.deliver(&mut state, message);
            }
            Action::Repeat(n) => {
                state.repeats += 1;
                let message = state.network[n];
                state.send(message);
            }
            Action::Lose(n) => {
                // Without a limit a loss is counted by nobody.
                state.losses += u8::from(self.losses < u8::MAX);
                state.network.remove(n);
            }
            Action::Crash(n) => {
                state.crashes += 1;
                state.engines[n] = IDLE;
            }
            Action::Ask(engine) => {
                state.engines[engine].doing = Doing::Asking(0);
                state.send(Message::Acquire { engine, age: 0 });
            }
            Action::Look(n) => {
                if state.effects > 0 {
                    state.conclude(n, self.eager);
                } else {
                    state.engines[n].doing = Doing::Acting;
                }
            }
            Action::Act(n) => {
                let engine = state.engines[n];
                if self.may_act(engine) {
                    state.effects += 1;
                    // A later lease of the same name is this engine's own, or of nobody who lives.
                    let passed = |(newest, holder, _)| engine.epoch < newest && holder != Some(n);
                    state.stale_effect |= state.holding.is_some_and(passed);
                    state.conclude(n, self.eager);
                } else {
                    state.engines[n] = Engine { doing: Doing::Resting, ..IDLE };
                }
            }
            Action::Renew(n) => {
                let engine = &mut state.engines[n];
                engine.renewing = Some(0);
                let epoch = engine.epoch;
                state.send(Message::Renew { engine: n, epoch, age: 0 });
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("no append of a stale epoch is taken", |_, state: &State| !state.stale_append),
            Property::always("no engine acts whose epoch has passed", |_, state: &State| !state.stale_effect),
            Property::always("the effect is made once", |_, state: &State| state.effects <= 1),
            Property::always("no outcome without the effect", |_, state: &State| {
                !state.concluded || state.effects == 1
            }),
            Property::sometimes("a second engine concludes", |_, state: &State| {
                state.concluded && state.holding.is_some_and(|(epoch, ..)| epoch > 1)
            }),
        ];
        if self.eager {
            properties.push(Property::eventually("somebody concludes", |_, state: &State| state.concluded));
        }
        properties
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.holding.is_none_or(|(epoch, ..)| epoch <= self.epochs)
            && state.end <= self.epochs + 1
            && state.time < HORIZON
    }
}

/// Everything that may happen, in any order and at any pace.
fn anything(mutant: Mutant, repeats: u8, crashes: u8) -> Protocol {
    Protocol { mutant, eager: false, epochs: 2, repeats, losses: u8::MAX, crashes, ahead: &[0, SKEW], most_messages: 2 }
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Goes through everything, and says how much that was.
fn check(protocol: Protocol) -> usize {
    let checker = protocol.checker().threads(workers()).spawn_bfs().join();
    let (states, different) = (checker.state_count(), checker.unique_state_count());
    println!("{states} states, {different} of them different, to a depth of {}", checker.max_depth());
    checker.assert_properties();
    different
}

#[test]
fn no_order_of_events_lets_a_stale_engine_write_or_act() {
    assert!(check(anything(Mutant::None, 0, 0)) > 100_000);
}

/// Five million different states: a minute.
#[test]
fn nor_does_it_with_a_message_repeated() {
    assert!(check(anything(Mutant::None, 1, 0)) > 1_000_000);
}

/// Four and a half million: as long.
#[test]
fn nor_does_it_with_a_process_killed() {
    assert!(check(anything(Mutant::None, 0, 1)) > 1_000_000);
}

#[test]
#[ignore = "tens of millions of states: cargo test --profile sim -p dr-core --all-features --lib protocol -- --ignored"]
fn nor_does_it_with_both() {
    check(anything(Mutant::None, 1, 1));
}

#[test]
fn somebody_concludes_whatever_is_lost_as_long_as_not_everything_is() {
    let gentle = anything(Mutant::None, 0, 1);
    check(Protocol { eager: true, epochs: 9, losses: 2, ahead: &[0], most_messages: 6, ..gentle });
}

#[test]
fn each_rule_is_needed() {
    for (mutant, repeats, broken) in [
        (Mutant::NoEpochCheck, 0, "no append of a stale epoch is taken"),
        (Mutant::NoMargin, 0, "no engine acts whose epoch has passed"),
        (Mutant::NoTermCheck, 0, "no engine acts whose epoch has passed"),
        (Mutant::LateRenewalShortens, 1, "no engine acts whose epoch has passed"),
    ] {
        let found = stateright::HasDiscoveries::AnyFailures;
        let protocol = anything(mutant, repeats, 0);
        let checker = protocol.checker().threads(workers()).finish_when(found).spawn_bfs().join();
        let different = checker.unique_state_count();
        assert!(checker.discovery(broken).is_some(), "{mutant:?} is not found out in {different} states");
        println!("{mutant:?} is found out in {different} states");
    }
}
