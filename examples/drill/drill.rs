use std::{path::PathBuf, sync::Arc, time::Duration};

use dr_core::{
    detect::{Standings, Watch},
    engine::{Engine, OnPause},
    event::{ChannelSink, Event, EventKind, EventSink, FanOut},
    journal::{Journal, SqliteJournal},
    model::{OwnerId, RegionId},
    report::MomentKind,
    time::SharedClock,
};
use dr_lab::LabControl;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    act,
    approver::approver,
    ask::Consent,
    attended::Attended,
    cli::Common,
    diary::{Act, Diary, Noted},
    exit::{Exit, Stop},
    narrate::Narrator,
    platform::Platform,
    recovery::Recovery,
};

/// How long a lease lasts without being renewed: long enough for a stalled machine, short enough for a resume to wait out.
const LEASE: Duration = Duration::from_secs(60);

/// A drill under way: what it acts on, what it remembers, and who tells of it.
#[derive(Debug)]
pub(crate) struct Drill {
    pub(crate) platform: Platform,
    pub(crate) lab: Arc<dyn LabControl>,
    pub(crate) clock: SharedClock,
    pub(crate) diary: Diary,
    pub(crate) folder: PathBuf,
    pub(crate) consent: Consent,
    pub(crate) engine: Engine,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) narrator: Arc<Narrator>,
    pub(crate) standings: watch::Receiver<Standings>,
    pub(crate) writer: watch::Sender<RegionId>,
    watching: JoinHandle<()>,
    stop: CancellationToken,
    verdicts: tokio::sync::mpsc::UnboundedReceiver<Event>,
}

impl Drill {
    /// Begins to watch, and opens the journal.
    pub(crate) async fn begin(
        platform: Platform,
        lab: Arc<dyn LabControl>,
        diary: Diary,
        common: &Common,
        consent: Consent,
        narrator: Arc<Narrator>,
    ) -> Result<Self, Stop> {
        let (clock, folder) = (platform.clock.clone(), common.report.clone());
        diary.write(&folder)?;
        let journal: Arc<dyn Journal> =
            Arc::new(SqliteJournal::open(folder.join("journal.sqlite"), clock.clone()).await?);
        let attended = common.attended.then(|| Attended::new(narrator.clone(), folder.join("journal.sqlite")));
        let (channel, verdicts) = ChannelSink::new();
        let mut sinks: Vec<Arc<dyn EventSink>> = vec![narrator.clone(), Arc::new(channel)];
        sinks.extend(attended.map(|attended| Arc::new(attended) as _));
        let events: Arc<dyn EventSink> = Arc::new(FanOut(sinks));
        let owner = OwnerId::of_process("drill").map_err(|e| Stop::stopped(e.to_string()))?;
        // Only the region that takes the writes is judged by them, and the drill is who moves it.
        let moved = diary.act > Act::Failover && diary.act < Act::Settle;
        let (writer, following) = watch::channel(if moved { platform.standby()? } else { platform.active()? });
        let mut watch = Watch::of(&platform.spec, &clock)?.following(following);
        for opinion in &platform.opinions {
            watch = watch.advised_by(Arc::clone(&opinion.probe), opinion.every);
        }
        let (sender, standings) = watch.standings();
        let builder = Engine::builder(Arc::clone(&journal), platform.steps.clone(), clock.clone())
            .events(Arc::clone(&events))
            .owner(owner)
            .lease(LEASE)
            .patience(LEASE * 3)
            .health(Arc::new(Recovery::new(standings.clone(), writer.clone())));
        // Attended, gates and failures wait for what comes through the journal's inbox.
        let builder = match common.attended {
            true => builder.on_pause(OnPause::Wait),
            false => builder.approver(approver(consent)).on_pause(OnPause::Return),
        };
        let engine = builder.build();
        let stop = CancellationToken::new();
        let (stopping, heard) = (stop.clone(), Arc::clone(&narrator));
        let watching = tokio::spawn(async move {
            if let Err(error) = watch.run(events, sender, stopping).await {
                heard.say("detector", &format!("nobody watches: {error}"));
            }
        });
        Ok(Self {
            platform,
            lab,
            clock,
            diary,
            folder,
            consent,
            engine,
            journal,
            narrator,
            standings,
            writer,
            watching,
            stop,
            verdicts,
        })
    }

    /// Plays the acts from wherever the diary is to the end.
    pub(crate) async fn play(mut self) -> Result<Exit, Stop> {
        let ended = loop {
            let next = match self.diary.act {
                Act::Steady => act::steady(&mut self).await.map(|()| Act::Break),
                Act::Break => act::break_region(&mut self).await.map(|()| Act::Detect),
                Act::Detect => act::detect(&mut self).await.map(|()| Act::Plan),
                Act::Plan => act::plan_failover(&mut self).await.map(|()| Act::Failover),
                Act::Failover => act::failover(&mut self).await.map(|()| Act::Repair),
                Act::Repair => act::repair(&mut self).await.map(|()| Act::PlanBack),
                Act::PlanBack => act::plan_failback(&mut self).await.map(|()| Act::Failback),
                Act::Failback => act::failback(&mut self).await.map(|()| Act::Settle),
                Act::Settle => act::settle(&mut self).await.map(|()| Act::Report),
                Act::Report => break act::report(&mut self).await,
            };
            self.hear();
            match next {
                Ok(next) => {
                    self.diary.act = next;
                    self.diary.write(&self.folder)?;
                }
                Err(stop) => break Err(stop),
            }
        };
        self.stop.cancel();
        // It watches for nobody any more; a panic of it has been printed.
        let _ = self.watching.await;
        self.narrator.finish();
        ended
    }

    /// Now, in the lab's seconds.
    pub(crate) fn now_s(&self) -> f64 {
        self.clock.monotonic().since_origin().as_secs_f64()
    }

    /// Tells, and keeps the moment for the report.
    pub(crate) fn note(&mut self, at_s: f64, kind: MomentKind, region: Option<&RegionId>, what: impl Into<String>) {
        let what = what.into();
        self.narrator.say("drill", &what);
        self.diary.moments.push(Noted { at_s, kind, region: region.cloned(), what });
    }

    /// Takes the verdicts that came meanwhile into the diary.
    pub(crate) fn hear(&mut self) {
        while let Ok(event) = self.verdicts.try_recv() {
            if let EventKind::Verdict { region, to, why, .. } = event.kind {
                let kind = match to.as_str() {
                    "suspect" => MomentKind::Suspect,
                    "unhealthy" => MomentKind::Unhealthy,
                    _ => MomentKind::Note,
                };
                let at_s = event.monotonic.since_origin().as_secs_f64();
                self.diary.moments.push(Noted { at_s, kind, region: Some(region), what: why });
            }
        }
    }
}
