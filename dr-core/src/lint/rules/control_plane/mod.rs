//! What a plan asks of control planes, and which of them it may lose.

mod api_rate;
mod creates_dns;
mod discovery;
mod failed_region;
mod iam;
mod route53;

pub(super) use api_rate::ApiRate;
pub(super) use creates_dns::CreatesDnsDuringFailover;
pub(super) use discovery::DiscoveryAtFailover;
pub(super) use failed_region::ControlPlaneInFailedRegion;
pub(super) use iam::IamMutationInPlan;
pub(super) use route53::Route53WhenUsEast1Fails;
