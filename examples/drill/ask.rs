use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::exit::Stop;

/// Who answers when the plan has been shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Nobody is asked: the target is the drill's own lab.
    NotNeeded,
    /// `--yes`.
    Given,
    /// Somebody at the terminal.
    Ask,
}

impl Consent {
    /// Decides who answers, before anything is broken.
    pub(crate) fn of(embedded: bool, ask: bool, yes: bool) -> Result<Self, Stop> {
        match (embedded && !ask, yes, io::stdin().is_terminal()) {
            (true, ..) => Ok(Self::NotNeeded),
            (_, true, _) => Ok(Self::Given),
            (_, _, true) => Ok(Self::Ask),
            _ => Err(Stop::usage(
                "this drill asks before it carries out the plan, and there is no terminal to ask at: add --yes to agree beforehand",
            )),
        }
    }

    /// In whose name the journal keeps the approval.
    pub(crate) const fn who(self) -> &'static str {
        match self {
            Self::NotNeeded => "drill (embedded lab)",
            Self::Given => "operator (--yes)",
            Self::Ask => "operator (terminal)",
        }
    }

    /// Asks, where somebody is to be asked.
    pub(crate) async fn obtain(self, question: &str) -> Result<(), Stop> {
        if self != Self::Ask {
            return Ok(());
        }
        let question = question.to_owned();
        let answer = tokio::task::spawn_blocking(move || {
            // Asked on standard error: standard output may belong to --json.
            eprint!("{question} [y/N] ");
            io::stderr().flush()?;
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line)?;
            Ok::<_, io::Error>(line)
        });
        match answer.await {
            Ok(Ok(line)) if matches!(line.trim(), "y" | "Y" | "yes") => Ok(()),
            _ => Err(Stop::stopped("nobody agreed: the plan was not carried out")),
        }
    }
}
