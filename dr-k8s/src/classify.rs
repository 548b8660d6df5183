use std::{borrow::Cow, error::Error as StdError, io, time::Duration};

use dr_core::error::{Effect, Error, ErrorKind, Retry};

/// Turns an error of kube-rs into one that says what to do: what kind it is, whether to try again, and whether the call
/// was applied.
///
/// | what happened | kind | effect |
/// |---|---|---|
/// | the request could not be made, or the client not set up | `Invalid` | not applied |
/// | no connection: refused, unreachable | `Unavailable` | not applied |
/// | the connection broke | `Unavailable` | indefinite |
/// | 429 | `Throttled`, after what the server asks for | not applied |
/// | 401, 403 | `PermissionDenied` | not applied |
/// | 404, 409, 410, other 4xx | by its code | not applied |
/// | 5xx, or an answer that cannot be read | `Unavailable`, `Timeout`, `Invalid` | indefinite |
///
/// A 5xx is indefinite on purpose: an API server that says "internal error" or "timeout" may have stored the change
/// before it failed.
#[must_use]
pub fn classify(operation: impl Into<Cow<'static, str>>, error: kube::Error) -> Error {
    let (kind, effect, retry, message) = match &error {
        kube::Error::Api(status) => {
            let (kind, effect) = by_code(status.code);
            let retry = status.details.as_ref().map(|d| d.retry_after_seconds).filter(|seconds| *seconds > 0);
            let retry = retry.map(|seconds| Retry::After(Duration::from_secs(seconds.into())));
            (kind, effect, retry, format!("{} {}: {}", status.code, status.reason, status.message))
        }
        // What the credential helper says may quote a credential.
        kube::Error::Auth(_) => {
            (ErrorKind::PermissionDenied, Effect::NotApplied, None, "no credentials could be had".to_owned())
        }
        kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => {
            let effect = if never_connected(&error) { Effect::NotApplied } else { Effect::Indefinite };
            (ErrorKind::Unavailable, effect, None, innermost(&error))
        }
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            (ErrorKind::Invalid, Effect::Indefinite, None, "the answer cannot be read".to_owned())
        }
        _ => (ErrorKind::Invalid, Effect::NotApplied, None, error.to_string()),
    };
    let classified = Error::new(kind, message).during(operation).with_effect(effect);
    let classified = match retry {
        Some(retry) => classified.with_retry(retry),
        None => classified,
    };
    if matches!(error, kube::Error::Auth(_)) { classified } else { classified.with_source(error) }
}

fn by_code(code: u16) -> (ErrorKind, Effect) {
    let kind = match code {
        401 | 403 => ErrorKind::PermissionDenied,
        404 => ErrorKind::NotFound,
        409 | 410 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        504 => ErrorKind::Timeout,
        500.. => ErrorKind::Unavailable,
        _ => ErrorKind::Invalid,
    };
    (kind, if code >= 500 { Effect::Indefinite } else { Effect::NotApplied })
}

/// Whether nothing can have reached the server.
fn never_connected(error: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    let mut next = Some(error);
    while let Some(error) = next {
        let refused = error.downcast_ref::<io::Error>().is_some_and(|e| {
            matches!(e.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable)
        });
        if refused {
            return true;
        }
        next = error.source();
    }
    false
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn api(code: u16) -> Error {
        classify("k8s:patch deployments/scale", kube::Error::Api(Status::failure("m", "R").with_code(code).boxed()))
    }

    #[test]
    fn says_whether_a_refused_call_was_applied() {
        let said = |code| (api(code).kind(), api(code).effect());
        assert_eq!(said(404), (ErrorKind::NotFound, Effect::NotApplied));
        assert_eq!(said(409), (ErrorKind::Conflict, Effect::NotApplied));
        assert_eq!(said(422), (ErrorKind::Invalid, Effect::NotApplied));
        assert_eq!(said(429), (ErrorKind::Throttled, Effect::NotApplied));
        assert_eq!(said(500), (ErrorKind::Unavailable, Effect::Indefinite));
        assert_eq!(said(504), (ErrorKind::Timeout, Effect::Indefinite));
        assert_eq!(api(403).to_string(), "k8s:patch deployments/scale: 403 R: m");
        assert_eq!(api(403).retry(), Retry::Never);
    }

    #[test]
    fn tells_a_refused_connection_from_a_broken_one() {
        let broken = |kind: io::ErrorKind| classify("k8s:get pods", kube::Error::Service(io::Error::from(kind).into()));
        assert_eq!(broken(io::ErrorKind::ConnectionRefused).effect(), Effect::NotApplied);
        assert_eq!(broken(io::ErrorKind::ConnectionReset).effect(), Effect::Indefinite);
        assert_eq!(broken(io::ErrorKind::ConnectionReset).retry(), Retry::Backoff);
    }
}
