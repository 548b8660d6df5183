use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dr_core::{
    model::{Plane, RegionId},
    testing::{CallSite, Fault},
};
use http::{Request, Response};

use super::{Access, CallCx, Operation, Refusal, Service, World, scope::signed_service};

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// It is answered.
    Answer(Response<Bytes>),
    /// The connection is refused: the request certainly did nothing.
    Refused,
    /// The connection breaks: the caller cannot know what the request did.
    Broken,
}

impl World {
    /// Brings a request that arrived at the endpoint of `called` to its service, through the fault board.
    pub(super) async fn dispatch(&self, called: &RegionId, request: Request<Bytes>) -> Reply {
        // Route 53's checkers and other anonymous callers have one service to speak to: S3.
        let name = signed_service(&request).unwrap_or_else(|| "s3".to_owned());
        let Some(service) = self.service_signed_as(&name) else {
            return Reply::Answer(unknown_service(&name));
        };
        let Operation { name, plane, access } = service.identify(&request);
        let call = Call {
            service: Arc::clone(&service),
            cx: CallCx {
                world: self.cx().clone(),
                region: service.site(called),
                operation: format!("{}:{name}", service.name()),
                age: None,
                request_id: self.cx().next_request_id(),
            },
            plane,
            access,
            request,
        };
        match self.faults().decide(&call.site()) {
            None => call.answer().await,
            Some(fault) => call.suffer(fault).await,
        }
    }
}

#[derive(Clone)]
struct Call {
    service: Arc<dyn Service>,
    cx: CallCx,
    plane: Plane,
    access: Access,
    request: Request<Bytes>,
}

impl Call {
    fn site(&self) -> CallSite<'_> {
        CallSite { region: &self.cx.region, plane: self.plane, operation: &self.cx.operation }
    }

    async fn answer(self) -> Reply {
        Reply::Answer(self.service.call(&self.cx, self.request).await)
    }

    /// A call that goes on whether or not its caller waits for it, as it does in a far data centre.
    async fn answer_after(self, delay: Duration) -> Reply {
        let sleep = self.cx.world.clock().sleep(delay);
        let work = tokio::spawn(async move {
            sleep.await;
            self.answer().await
        });
        work.await.unwrap_or(Reply::Broken)
    }

    async fn suffer(mut self, fault: Fault) -> Reply {
        match fault {
            Fault::Refuse => Reply::Refused,
            Fault::Slow { delay_ms } => self.answer_after(Duration::from_millis(delay_ms)).await,
            Fault::Throttle => Reply::Answer(self.service.refuse(&self.request, &Refusal::Throttled)),
            Fault::ServerError => Reply::Answer(self.service.refuse(&self.request, &Refusal::ServerError)),
            Fault::ReplyLost => {
                self.answer().await;
                Reply::Broken
            }
            Fault::NoReply => {
                let held = Self { request: Request::default(), ..self.clone() };
                self.answer().await;
                held.vanish(fault).await
            }
            Fault::LateApply { delay_ms } => {
                if self.access == Access::Write {
                    let sleep = self.cx.world.clock().sleep(Duration::from_millis(delay_ms));
                    tokio::spawn(async move {
                        sleep.await;
                        self.answer().await
                    });
                }
                Reply::Broken
            }
            Fault::StaleRead { age_ms } => {
                if self.access == Access::Read {
                    self.cx.age = Some(Duration::from_millis(age_ms));
                }
                self.answer().await
            }
            // A fault that this double does not know must not pass for health.
            Fault::BlackHole | _ => self.vanish(fault).await,
        }
    }

    /// Holds the call for as long as its black hole stands, then breaks the connection.
    async fn vanish(self, fault: Fault) -> Reply {
        let mut changes = self.cx.world.faults().watch();
        // A rule that hit its last call is off the board already; its call stays lost until the board next changes.
        while changes.changed().await.is_ok() {
            if !self.cx.world.faults().stands(&self.site(), fault) {
                break;
            }
        }
        Reply::Broken
    }
}

/// No protocol is known for an unknown service, so the answer is one that each SDK shows as it is.
fn unknown_service(name: &str) -> Response<Bytes> {
    let message = Refusal::NotImplemented(format!("service {name:?}")).to_string();
    let body = serde_json::json!({ "__type": "NotImplemented", "message": message }).to_string();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::NOT_IMPLEMENTED;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    headers.insert("x-amzn-errortype", http::HeaderValue::from_static("NotImplemented"));
    response
}
