use std::{borrow::Cow, fmt};

use async_trait::async_trait;
use bytes::Bytes;
use dr_core::model::{Plane, RegionId};
use http::{Request, Response};

use super::CallCx;

/// Whether an operation changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only looks; a stale read can be asked of it.
    Read,
    /// It changes the world.
    Write,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The name within the service: `FailoverGlobalCluster`.
    pub name: Cow<'static, str>,
    /// The plane that serves it.
    pub plane: Plane,
    /// Whether it changes anything.
    pub access: Access,
}

impl Operation {
    /// An operation of the control plane that reads when its name starts as AWS's reading operations do.
    #[must_use]
    pub fn control(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        let reads = ["Describe", "Get", "List", "Head", "Test"].iter().any(|verb| name.starts_with(verb));
        Self { name, plane: Plane::Control, access: if reads { Access::Read } else { Access::Write } }
    }
}

/// A reason for which the double, and not the model of the service, turns a call away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many requests.
    Throttled,
    /// An internal error of the far side.
    ServerError,
    /// The double does not have this operation (`route53:CreateTrafficPolicy`).
    NotImplemented(String),
    /// The request cannot be read.
    Malformed(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled => f.write_str("Rate exceeded"),
            Self::ServerError => f.write_str("The request failed because of an internal error (a fault of the double)"),
            Self::NotImplemented(operation) => write!(f, "NotImplemented: the double has no {operation}"),
            Self::Malformed(why) => f.write_str(why),
        }
    }
}

/// One service of a world: a wire protocol over a model.
///
/// The dispatcher finds the service by the name in the request's signature, asks it which operation this is, asks the
/// fault board what happens to it, and only then calls it.
///
/// ```
/// use bytes::Bytes;
/// use dr_aws::testing::{CallCx, Form, Operation, QueryProtocol, Refusal, Service};
/// use http::{Request, Response};
///
/// const PROTOCOL: QueryProtocol = QueryProtocol { namespace: "https://sts.amazonaws.com/doc/2011-06-15/" };
///
/// /// `sts:GetCallerIdentity` and nothing else.
/// #[derive(Debug)]
/// struct Sts;
///
/// #[async_trait::async_trait]
/// impl Service for Sts {
///     fn name(&self) -> &'static str {
///         "sts"
///     }
///
///     fn identify(&self, request: &Request<Bytes>) -> Operation {
///         Operation::control(Form::of(request).action().to_owned())
///     }
///
///     async fn call(&self, cx: &CallCx, _request: Request<Bytes>) -> Response<Bytes> {
///         match cx.action() {
///             "GetCallerIdentity" => PROTOCOL.answer(cx, |result| result.leaf("Account", cx.world().account())),
///             _ => PROTOCOL.refuse(&Refusal::NotImplemented(cx.operation().to_owned())),
///         }
///     }
///
///     fn refuse(&self, _request: &Request<Bytes>, why: &Refusal) -> Response<Bytes> {
///         PROTOCOL.refuse(why)
///     }
/// }
/// ```
#[async_trait]
pub trait Service: fmt::Debug + Send + Sync + 'static {
    /// The name in front of the operation, as IAM writes it: `rds`, `cloudwatch`.
    fn name(&self) -> &'static str;

    /// The name in the scope of a signature, where it is another one: `monitoring` for CloudWatch.
    fn signing_name(&self) -> &'static str {
        self.name()
    }

    /// Which operation a request asks for, whether or not the service has it.
    fn identify(&self, request: &Request<Bytes>) -> Operation;

    /// The region in which a call to `called`'s endpoint is served. A global service names its one home.
    fn site(&self, called: &RegionId) -> RegionId {
        called.clone()
    }

    /// Serves a call. Must not wait for anything but its own locks: delays are the dispatcher's.
    async fn call(&self, cx: &CallCx, request: Request<Bytes>) -> Response<Bytes>;

    /// Says no in the words of the service's own protocol.
    fn refuse(&self, request: &Request<Bytes>, why: &Refusal) -> Response<Bytes>;
}
