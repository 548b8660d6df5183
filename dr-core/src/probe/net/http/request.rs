use std::fmt;

use http::Method;

use super::target::Target;

/// What a synthetic write says in its body where each one must differ: replaced by vantage, time and a count.
const NONCE: &str = "{{nonce}}";

/// What is asked, wherever it is asked.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    /// The probe's own header lines, each with its end.
    pub(super) headers: String,
    pub(super) body: String,
    /// Whether the connection may be used again.
    pub(super) keep_alive: bool,
}

/// Values of headers and bodies may hold what nobody should read in a log.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("headers", &self.headers.lines().filter_map(|line| line.split(':').next()).collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("keep_alive", &self.keep_alive)
            .finish()
    }
}

impl Request {
    /// Whether each request differs from the one before.
    pub(super) fn varies(&self) -> bool {
        self.body.contains(NONCE)
    }

    /// The body, with `nonce` where one is wanted.
    pub(super) fn body(&self, nonce: &str) -> String {
        self.body.replace(NONCE, nonce)
    }

    /// Whether asking twice is as harmless as asking once (RFC 9110, section 9.2.2), so that a request which a kept
    /// connection swallowed can be made again.
    pub(super) fn is_idempotent(&self) -> bool {
        self.method.is_idempotent()
    }

    /// The request as it was redirected with `status` (RFC 9110, section 15.4): a POST becomes a GET on 301, 302 and 303.
    /// Without its own headers where they are not `trusted`.
    pub(super) fn redirected(&self, status: u16, trusted: bool) -> Self {
        let mut next = self.clone();
        if !trusted {
            next.headers.clear();
        }
        let reads = matches!(self.method, Method::GET | Method::HEAD);
        if (status == 303 && !reads) || (matches!(status, 301 | 302) && self.method == Method::POST) {
            next.method = Method::GET;
            next.body.clear();
        }
        next
    }

    /// The bytes on the wire, head and body in one, so that they go out with one write.
    pub(super) fn render(&self, target: &Target, body: &str) -> Vec<u8> {
        const USER_AGENT: &str = concat!("user-agent: dr-probe/", env!("CARGO_PKG_VERSION"), "\r\n");
        // A small body is not worth a compression that a rule would have to undo.
        const ENCODING: &str = "accept-encoding: identity\r\n";
        let has = |name: &str| self.headers.lines().any(|line| line.starts_with(name));
        let length = match (body.len(), &self.method) {
            (0, method) if !matches!(*method, Method::POST | Method::PUT | Method::PATCH) => String::new(),
            (length, _) => format!("content-length: {length}\r\n"),
        };
        [
            self.method.as_str(),
            " ",
            &target.path,
            " HTTP/1.1\r\nhost: ",
            &target.authority,
            "\r\n",
            if has("user-agent:") { "" } else { USER_AGENT },
            if has("accept-encoding:") { "" } else { ENCODING },
            if self.keep_alive { "" } else { "connection: close\r\n" },
            &length,
            &self.headers,
            "\r\n",
            body,
        ]
        .concat()
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method) -> Request {
        let headers = "authorization: Bearer s3cret\r\nuser-agent: ours\r\n".to_owned();
        Request { method, headers, body: "{}".to_owned(), keep_alive: false }
    }

    #[test]
    fn a_redirect_changes_what_the_standard_says() {
        let sent = |method: Method, status| {
            let next = request(method).redirected(status, true);
            format!("{} {}", next.method, next.body)
        };
        assert_eq!(sent(Method::POST, 302), "GET ");
        assert_eq!(sent(Method::POST, 303), "GET ");
        assert_eq!(sent(Method::PUT, 303), "GET ");
        assert_eq!(sent(Method::PUT, 301), "PUT {}");
        assert_eq!(sent(Method::POST, 307), "POST {}");
        assert_eq!(sent(Method::POST, 308), "POST {}");
        assert_eq!(sent(Method::HEAD, 303), "HEAD {}");
        assert_eq!(request(Method::GET).redirected(302, false).headers, "");
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?}", request(Method::POST));
        assert!(!shown.contains("s3cret") && shown.contains("authorization") && shown.contains("2 bytes"), "{shown}");
    }

    #[test]
    fn a_header_of_the_probe_stands_in_for_the_default() {
        let target = Target::read("http://api.example.com/x").unwrap();
        let text = String::from_utf8(request(Method::GET).render(&target, "")).unwrap();
        assert_eq!(text.matches("user-agent:").count(), 1, "{text}");
        assert!(text.ends_with("user-agent: ours\r\n\r\n") && !text.contains("content-length"), "{text}");
        let text = String::from_utf8(request(Method::POST).render(&target, "")).unwrap();
        assert!(text.contains("content-length: 0\r\n"), "{text}");
    }
}
