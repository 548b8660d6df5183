use std::{borrow::Cow, error::Error as StdError, io};

use aws_smithy_runtime_api::{
    client::{
        orchestrator::HttpResponse,
        result::{DispatchFailure, SdkError},
    },
    http::Headers,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use dr_core::{
    driver::BreakerOpen,
    error::{Effect, Error, ErrorKind, Retry},
};

/// Turns an error of the SDK into one that says what to do: what kind it is, whether to try again, and whether the
/// call was applied.
///
/// | what happened | kind | effect |
/// |---|---|---|
/// | the request could not be made | `Invalid` | not applied |
/// | no connection (refused, unreachable, no such name, connect timeout) | `Unavailable`, `Timeout` | not applied |
/// | a circuit breaker refused the call | `Unavailable`, after its cooldown | not applied |
/// | the connection broke, or time ran out | `Unavailable`, `Timeout` | indefinite |
/// | "too many requests", in any of the services' words | `Throttled` | not applied |
/// | another error of the service's model (4xx) | by its code | not applied |
/// | 5xx, or an answer that cannot be read | `Unavailable` | indefinite |
///
/// The last row is on purpose: a service that says "internal error" may have done the work before it failed.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: &aws_sdk_rds::Client) -> dr_core::error::Result<()> {
/// use dr_aws::classify;
///
/// let reply = client.describe_global_clusters().send().await.map_err(|e| classify("rds:DescribeGlobalClusters", e))?;
/// # let _ = reply;
/// # Ok(())
/// # }
/// ```
pub fn classify<E>(operation: impl Into<Cow<'static, str>>, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let classified = match &error {
        SdkError::ConstructionFailure(_) => {
            Error::new(ErrorKind::Invalid, format!("the request could not be made: {}", deepest(&error)))
                .with_effect(Effect::NotApplied)
        }
        SdkError::TimeoutError(_) => Error::new(ErrorKind::Timeout, format!("no answer in time: {}", deepest(&error))),
        SdkError::DispatchFailure(failure) => dispatch(failure, &error),
        SdkError::ServiceError(service) => {
            answered(service.err(), service.raw().status().as_u16(), service.raw().headers())
        }
        SdkError::ResponseError(_) => {
            Error::new(ErrorKind::Unavailable, format!("the answer could not be read: {}", deepest(&error)))
        }
        _ => Error::new(ErrorKind::Unavailable, deepest(&error)),
    };
    classified.during(operation).with_source(error)
}

fn dispatch(failure: &DispatchFailure, error: &(dyn StdError + 'static)) -> Error {
    if let Some(open) = chain(error).find_map(|cause| cause.downcast_ref::<BreakerOpen>()) {
        return open.clone().into();
    }
    if failure.is_user() {
        return Error::new(ErrorKind::Invalid, format!("the request could not be sent: {}", deepest(error)))
            .with_effect(Effect::NotApplied);
    }
    let kind = if failure.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Unavailable };
    if never_connected(error) {
        return Error::new(kind, format!("no connection: {}", deepest(error))).with_effect(Effect::NotApplied);
    }
    Error::new(kind, format!("the connection broke before an answer: {}", deepest(error)))
}

/// Whether the request certainly never left: the SDK keeps this to itself, so look at what is beneath it.
fn never_connected(error: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    chain(error).any(|cause| {
        cause.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect())
            || cause.downcast_ref::<io::Error>().is_some_and(|error| {
                matches!(
                    error.kind(),
                    ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable
                )
            })
            // aws-smithy-http-client's own timeout is private; its text tells connecting from reading.
            || cause.to_string().starts_with("HTTP connect timeout")
    })
}

fn answered(error: &impl ProvideErrorMetadata, status: u16, headers: &Headers) -> Error {
    let code = error.code().unwrap_or_default();
    let (kind, retry, effect) = meaning(code, status);
    let code = if code.is_empty() { format!("HTTP {status}") } else { code.to_owned() };
    let mut message = match error.message() {
        Some(text) if !text.is_empty() => format!("{code}: {text}"),
        _ => code,
    };
    // What AWS's support asks for first.
    if let Some(id) = headers.get("x-amzn-requestid").or_else(|| headers.get("x-amz-request-id")) {
        message = format!("{message} (request {id})");
    }
    let classified = Error::new(kind, message).with_effect(effect);
    match retry {
        Some(retry) => classified.with_retry(retry),
        None => classified,
    }
}

/// What a code and an HTTP status mean; no retry means the one that goes with the kind.
fn meaning(code: &str, status: u16) -> (ErrorKind, Option<Retry>, Effect) {
    use Effect::{Indefinite, NotApplied};
    // The model names of the Rust SDK's errors end in `Fault` or `Exception` where the wire's may not.
    let bare = code.trim_end_matches("Exception").trim_end_matches("Fault");
    match bare {
        "Throttling"
        | "Throttled"
        | "ThrottledRequest"
        | "RequestThrottled"
        | "TooManyRequests"
        | "ProvisionedThroughputExceeded"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "SlowDown"
        | "EC2Throttled"
        | "PriorRequestNotComplete" => return (ErrorKind::Throttled, None, NotApplied),
        "NotImplemented" => return (ErrorKind::Unsupported, None, NotApplied),
        "RequestTimeout" => return (ErrorKind::Timeout, None, NotApplied),
        "HealthCheckVersionMismatch" | "ConditionalRequestConflict" | "OperationAborted" | "ConcurrentModification" => {
            return (ErrorKind::Conflict, None, NotApplied);
        }
        // The condition of a conditional write: the same call will fail the same way.
        "PreconditionFailed" => return (ErrorKind::Conflict, Some(Retry::Never), NotApplied),
        "AccessDenied"
        | "UnauthorizedOperation"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "ExpiredToken"
        | "OptInRequired"
        | "MissingAuthenticationToken" => return (ErrorKind::PermissionDenied, None, NotApplied),
        _ => {}
    }
    match status {
        429 => (ErrorKind::Throttled, None, NotApplied),
        501 => (ErrorKind::Unsupported, None, NotApplied),
        500.. => (ErrorKind::Unavailable, None, Indefinite),
        _ if bare.contains("AlreadyExists") || bare.contains("AlreadyOwned") => {
            (ErrorKind::PreconditionFailed, None, NotApplied)
        }
        404 => (ErrorKind::NotFound, None, NotApplied),
        _ if bare.ends_with("NotFound") || bare.starts_with("NoSuch") => (ErrorKind::NotFound, None, NotApplied),
        401 | 403 => (ErrorKind::PermissionDenied, None, NotApplied),
        409 => (ErrorKind::Conflict, None, NotApplied),
        412 => (ErrorKind::Conflict, Some(Retry::Never), NotApplied),
        _ if bare.contains("State") || bare.contains("InUse") || bare.contains("NotEmpty") => {
            (ErrorKind::PreconditionFailed, None, NotApplied)
        }
        400.. => (ErrorKind::Invalid, None, NotApplied),
        // A redirect, or a success that carries an error: nothing that we ask for answers so.
        _ => (ErrorKind::Unavailable, None, Indefinite),
    }
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

/// The SDK's outer texts say "dispatch failure"; the cause is at the bottom.
fn deepest(error: &(dyn StdError + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_sdk_rds::operation::failover_global_cluster::FailoverGlobalClusterError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};

    use super::*;

    fn of(error: SdkError<FailoverGlobalClusterError, HttpResponse>) -> Error {
        classify("rds:FailoverGlobalCluster", error)
    }

    fn answer(code: &str, status: u16) -> Error {
        let metadata = ErrorMetadata::builder().code(code).message("why").build();
        let raw = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        of(SdkError::service_error(FailoverGlobalClusterError::generic(metadata), raw))
    }

    #[test]
    fn codes_and_statuses_have_a_meaning() {
        use Effect::{Indefinite, NotApplied};
        use ErrorKind::{
            Conflict, Invalid, NotFound, PermissionDenied, PreconditionFailed, Throttled, Unavailable, Unsupported,
        };
        for (code, status, kind, retry, effect) in [
            ("Throttling", 400, Throttled, Retry::Backoff, NotApplied),
            ("ThrottlingException", 400, Throttled, Retry::Backoff, NotApplied),
            ("PriorRequestNotComplete", 400, Throttled, Retry::Backoff, NotApplied),
            ("SlowDown", 503, Throttled, Retry::Backoff, NotApplied),
            ("InternalFailure", 500, Unavailable, Retry::Backoff, Indefinite),
            ("NotImplemented", 501, Unsupported, Retry::Never, NotApplied),
            ("GlobalClusterNotFoundFault", 404, NotFound, Retry::Never, NotApplied),
            ("NoSuchHealthCheck", 404, NotFound, Retry::Never, NotApplied),
            ("InvalidGlobalClusterStateFault", 400, PreconditionFailed, Retry::Never, NotApplied),
            ("HealthCheckVersionMismatch", 409, Conflict, Retry::Backoff, NotApplied),
            ("HealthCheckAlreadyExists", 409, PreconditionFailed, Retry::Never, NotApplied),
            ("PreconditionFailed", 412, Conflict, Retry::Never, NotApplied),
            ("AccessDenied", 403, PermissionDenied, Retry::Never, NotApplied),
            ("InvalidParameterValue", 400, Invalid, Retry::Never, NotApplied),
        ] {
            let error = answer(code, status);
            assert_eq!((error.kind(), error.retry(), error.effect()), (kind, retry, effect), "{code} {status}");
            assert_eq!(error.to_string(), format!("rds:FailoverGlobalCluster: {code}: why"));
        }
    }

    #[test]
    fn a_refused_connection_applied_nothing_and_a_broken_one_may_have() {
        let refused = ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        assert_eq!(of(SdkError::dispatch_failure(refused)).effect(), Effect::NotApplied);
        let reset = ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into());
        let error = of(SdkError::dispatch_failure(reset));
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Indefinite));
    }

    #[test]
    fn a_timeout_is_indefinite() {
        let error = of(SdkError::timeout_error("4 s passed"));
        assert_eq!(
            (error.kind(), error.retry(), error.effect()),
            (ErrorKind::Timeout, Retry::Backoff, Effect::Indefinite)
        );
        assert_eq!(error.message(), "no answer in time: 4 s passed");
    }

    #[test]
    fn a_request_that_cannot_be_made_applied_nothing() {
        let error = of(SdkError::construction_failure("no region"));
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Invalid, Effect::NotApplied));
    }
}
