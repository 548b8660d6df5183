use std::time::Duration;

use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{RegionId, VantageId},
    probe::{HealthProbe, Latency, ProbeCx, Reading, Subject},
    time::Timestamp,
};

use crate::{Clients, classify};

const OPERATION: &str = "route53:GetHealthCheckStatus";
/// What a checker saw longer ago says nothing any more: the slowest look each 30 s.
const WORTH: Duration = Duration::from_secs(120);
/// "If more than 18% of health checkers report that an endpoint is healthy, Route 53 considers it healthy"; it "might
/// change" (developer guide, how Route 53 determines whether a health check is healthy).
const PERCENT: usize = 18;

/// What Route 53's checkers saw last of one health check, counted as Route 53 counts them.
///
/// It is an opinion of the endpoint, and not the status that answers follow: a check that is inverted or disabled has
/// another, and the observations are free text. A calculated check has no checkers and no opinion.
#[derive(Clone, Debug)]
pub struct Checkers {
    subject: Subject,
    vantage: VantageId,
    clients: Clients,
    home: RegionId,
    check: String,
}

impl Checkers {
    /// The opinion of the health check with this id, asked for in `home`: us-east-1, where Route 53's API lives.
    #[must_use]
    pub fn new(subject: Subject, vantage: VantageId, clients: Clients, home: RegionId, check: String) -> Self {
        Self { subject, vantage, clients, home, check }
    }
}

/// What one checker's free text comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Success,
    Failure,
}

/// Reads `Success: HTTP Status Code 200, OK` and `Failure: Connection timed out. …`; anything else says nothing.
fn said(report: &str) -> Option<Said> {
    let word = report.split(':').next().unwrap_or_default().trim();
    match word {
        _ if word.eq_ignore_ascii_case("success") => Some(Said::Success),
        _ if word.eq_ignore_ascii_case("failure") => Some(Said::Failure),
        _ => None,
    }
}

#[async_trait]
impl HealthProbe for Checkers {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let began = cx.clock().monotonic();
        let clients = self.clients.for_reads(&self.home);
        let call = clients.route53().get_health_check_status().health_check_id(&self.check);
        let reply = call.send().await.map_err(|error| classify(OPERATION, error))?;
        let latency = Latency::of(cx.clock().monotonic().since(began));
        let now = cx.clock().wall();
        let (mut passing, mut failing, mut why) = (0_usize, 0_usize, None);
        for report in reply.health_check_observations().iter().filter_map(|seen| seen.status_report()) {
            let checked = report.checked_time().and_then(|at| at.to_millis().ok()).map(Timestamp::from_millis);
            if checked.is_none_or(|at| now.since(at) > WORTH) {
                continue;
            }
            match report.status().and_then(said) {
                Some(Said::Success) => passing += 1,
                Some(Said::Failure) => {
                    failing += 1;
                    why = why.or(report.status());
                }
                None => {}
            }
        }
        let all = passing + failing;
        if all == 0 {
            let message = format!("no checker of {} has looked lately", self.check);
            return Err(Error::new(ErrorKind::Unavailable, message).with_effect(Effect::NotApplied).during(OPERATION));
        }
        let mut reason = format!("{passing} of {all} checkers of Route 53 pass");
        if let Some(why) = why {
            // Somebody else's text, and as long as they like.
            reason.push_str("; one says ");
            reason.extend(why.chars().filter(|c| !c.is_control()).take(120));
        }
        Ok(if passing * 100 > all * PERCENT {
            Reading::healthy(latency, reason)
        } else {
            Reading::unhealthy(latency, reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_by_its_first_word() {
        assert_eq!(said("Success: HTTP Status Code 200, OK"), Some(Said::Success));
        assert_eq!(said("Failure: Connection timed out. The endpoint or the internet is down"), Some(Said::Failure));
        assert_eq!(said("The health checker is being started"), None);
        assert_eq!(said(""), None);
    }
}
