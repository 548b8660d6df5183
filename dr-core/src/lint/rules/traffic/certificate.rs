//! W30: Route 53's checks do not look at certificates; somebody has to.

use jiff::ToSpan as _;
use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    model::RegionId,
    plan::{CertificateFact, CheckProtocol, TlsVersion},
    validation::Finding,
};

/// How long a certificate should still be valid: time enough to notice and to mend it.
const DAYS: i64 = 30;

/// W30: a certificate that nobody looks at, that does not cover the name or that ends soon, or a listener that checkers
/// cannot speak to.
#[derive(Debug)]
pub(in crate::lint) struct CertBlind;

impl Rule for CertBlind {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W30", "cert-blind")
            .catches("an HTTPS check without a probe of the certificate in either region, a standby's certificate that \
                      does not cover the public name, one that ends within 30 days, or a listener that speaks TLS 1.3 \
                      alone")
            .why("\"HTTPS health checks don't validate SSL/TLS certificates\": an expired or wrong one stays healthy, and \
                  clients find out after the shift. The checkers speak TLS 1.0 to 1.2 (Route 53 Developer Guide, \"How \
                  Amazon Route 53 determines whether a health check is healthy\").")
            .remedy("probe the certificate of each region under the public name, renew it, or let the listener accept \
                     TLS 1.2")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let https = input.facts.health_checks.iter().any(|check| check.protocol == CheckProtocol::Https);
        let goal = input.plan.goal();
        let mut findings = Vec::new();
        for region in [&goal.from, &goal.to] {
            let certificates: Vec<&CertificateFact> =
                input.facts.certificates.iter().filter(|certificate| certificate.region == *region).collect();
            if https && certificates.is_empty() {
                findings.push(self.unjudged(region.as_str(), &format!("the certificate of {region} is not known")));
            }
            for certificate in certificates {
                self.judge(input, certificate, https, &mut findings);
            }
            self.listeners(input, region, https, &mut findings);
        }
        findings
    }
}

impl CertBlind {
    fn judge(&self, input: &LintInput<'_>, certificate: &CertificateFact, https: bool, findings: &mut Vec<Finding>) {
        let region = &certificate.region;
        let mut unknown = Vec::new();
        let mut found = |message: String| findings.push(self.finding(region.as_str(), message, json!(certificate)));
        match certificate.probed {
            Some(false) if https => {
                found(format!("nothing looks at the certificate of {region}, and the checks take any"));
            }
            None if https => unknown.push("whether anything looks at it"),
            _ => {}
        }
        if region == input.to() {
            for traffic in &input.facts.traffic {
                match certificate.covers(&traffic.name) {
                    Some(true) => {}
                    Some(false) => found(format!("the certificate of {region} does not cover {}", traffic.name)),
                    None => unknown.push("which names it covers"),
                }
            }
        }
        match (certificate.valid_until, input.today()) {
            (Some(until), Some(today)) => {
                if until < today.saturating_add(DAYS.days()) {
                    found(format!("the certificate of {region} is valid until {until}, less than {DAYS} days"));
                }
            }
            (None, _) => unknown.push("how long it is valid"),
            (_, None) => unknown.push("today's date"),
        }
        if !unknown.is_empty() {
            let message = format!("of the certificate of {region} it is not known: {}", unknown.join(", "));
            findings.push(self.unjudged(region.as_str(), &message));
        }
    }

    fn listeners(&self, input: &LintInput<'_>, region: &RegionId, https: bool, findings: &mut Vec<Finding>) {
        let balancers = input.facts.load_balancers.iter().filter(|balancer| https && balancer.region == *region);
        for balancer in balancers {
            for listener in balancer.listeners.iter().filter(|listener| listener.oldest == Some(TlsVersion::V1_3)) {
                let message = format!(
                    "{} in {region} accepts TLS 1.3 alone on port {} ({}), which health checkers may not speak",
                    balancer.name, listener.port, listener.policy
                );
                findings.push(self.finding(&balancer.name, message, json!(listener)));
            }
        }
    }
}
