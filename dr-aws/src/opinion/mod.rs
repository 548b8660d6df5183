//! What AWS itself thinks of a region, as an opinion beside the verdict: never a vote.
//!
//! | kind in `dr.yaml` | asks | where | what it is |
//! |---|---|---|---|
//! | `aws.route53_checkers` | Route 53, `GetHealthCheckStatus` | us-east-1 | what each checker saw last, in free text |
//! | `aws.route53_metric` | CloudWatch, `AWS/Route53 HealthCheckStatus` | us-east-1 | the status that Route 53 acts on, minutes late |
//! | `aws.cloudwatch_alarm` | CloudWatch, `DescribeAlarms` | the region, or another | what somebody's alarm on a balancer says |
//!
//! Route 53's API and its metrics live in us-east-1 alone, so they fall silent with it. "The observations of the checkers
//! are intended for use during development" (GetHealthCheckStatus), are no aggregate, and do not exist for calculated
//! checks. So none of this gates a failover: what cannot be read is unknown, and what can be read is shown with its name.

mod alarm;
mod checkers;
mod opinions;
mod status_metric;

pub use alarm::AlarmState;
pub use checkers::Checkers;
pub use opinions::{AskedOpinion, opinions};
pub use status_metric::StatusMetric;
