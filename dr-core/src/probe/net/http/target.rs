use http::{
    Uri,
    uri::{Authority, PathAndQuery},
};

/// A URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    /// What `Host` says.
    pub(super) authority: String,
    /// With the query.
    pub(super) path: String,
}

impl Target {
    /// Takes `url` apart.
    ///
    /// # Errors
    ///
    /// With what is wrong with it.
    pub(super) fn read(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{:?} is no URL: {error}", shown(url)))?;
        let tls = match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => false,
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => true,
            _ => return Err(format!("{:?} is no URL to probe: write http://… or https://…", shown(url))),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty()) else {
            return Err(format!("{:?} names no host", shown(url)));
        };
        if authority.as_str().contains('@') {
            // The URL is not repeated here: it holds a password.
            return Err("the URL holds a user and a password: give them in a header".to_owned());
        }
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Ok(Self {
            tls,
            host: bare.to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned(),
        })
    }

    /// Where `location`, as a redirect gives it, leads from here (RFC 3986, section 5.2).
    ///
    /// # Errors
    ///
    /// With what is wrong with it.
    pub(super) fn join(&self, location: &str) -> Result<Self, String> {
        let location = location.split('#').next().unwrap_or_default().trim();
        let scheme = if self.tls { "https" } else { "http" };
        let here = self.path.split('?').next().unwrap_or_default();
        let absolute = location.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        });
        let path = if absolute {
            return Self::read(location);
        } else if location.starts_with("//") {
            return Self::read(&format!("{scheme}:{location}"));
        } else if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') {
            format!("{here}{location}")
        } else if location.is_empty() {
            self.path.clone()
        } else {
            format!("{}/{location}", here.rsplit_once('/').map_or("", |(folder, _)| folder))
        };
        let path = match path.split_once('?') {
            Some((path, query)) => format!("{}?{query}", without_dots(path)),
            None => without_dots(&path),
        };
        let path: PathAndQuery = path.parse().map_err(|_| "its path is no path".to_owned())?;
        Ok(Self { path: path.as_str().to_owned(), ..self.clone() })
    }

    /// The name in `Host`, without a port.
    pub(super) fn name(&self) -> &str {
        let host = self.authority.parse::<Authority>().ok().map_or(0, |authority| authority.host().len());
        self.authority.get(..host).filter(|host| !host.is_empty()).unwrap_or(&self.authority)
    }

    /// Whether both are at one host, whatever the port.
    pub(super) fn is_at(&self, other: &Self) -> bool {
        self.name().eq_ignore_ascii_case(other.name())
    }

    /// Whether what was meant for `from` alone may be told here too: the same host, on the same port or moved to TLS.
    pub(super) fn may_hear_what_is_for(&self, from: &Self) -> bool {
        self.is_at(from) && ((self.tls == from.tls && self.port == from.port) || (self.tls && !from.tls))
    }
}

/// A URL as an error may repeat it: without a query, and without a user.
fn shown(url: &str) -> String {
    let (url, query) = url.split_once('?').map_or((url, ""), |(url, _)| (url, "?…"));
    let bare = match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        (None, Some((_, rest))) => format!("…@{rest}"),
        (_, None) => url.to_owned(),
    };
    bare.chars().take(200).collect::<String>() + query
}

/// A path without `.` and `..` (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut folder = false;
    for segment in path.split('/').skip(1) {
        folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let end = if folder && !kept.is_empty() { "/" } else { "" };
    format!("/{}{end}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_leads_where_the_standard_says() {
        let base = Target::read("https://api.example.com:8443/a/b?c=d").unwrap();
        let to = |location: &str| {
            let target = base.join(location).unwrap();
            format!("{} {} {}{}", target.tls, target.port, target.authority, target.path)
        };
        for (location, leads) in [
            ("/x?y=z#part", "true 8443 api.example.com:8443/x?y=z"),
            ("x", "true 8443 api.example.com:8443/a/x"),
            ("../x/./y/..", "true 8443 api.example.com:8443/x/"),
            ("../../../x", "true 8443 api.example.com:8443/x"),
            ("?e=f", "true 8443 api.example.com:8443/a/b?e=f"),
            ("//other.example/x", "true 443 other.example/x"),
            ("http://other.example", "false 80 other.example/"),
            ("HTTPS://Other.example:1/", "true 1 Other.example:1/"),
            ("", "true 8443 api.example.com:8443/a/b?c=d"),
        ] {
            assert_eq!(to(location), leads, "{location}");
        }
        for bad in ["ftp://other.example/", "http://", "javascript:alert(1)", "http://u:s3cret@other.example/", "/a b"]
        {
            let error = base.join(bad).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_is_for_one_host_is_told_to_no_other() {
        let read = |url: &str| Target::read(url).unwrap();
        let from = read("http://api.example.com/");
        for (to, may) in [
            ("http://API.example.com/x", true),
            ("https://api.example.com/x", true),
            ("http://api.example.com:8080/x", false),
            ("http://www.example.com/", false),
        ] {
            assert_eq!(read(to).may_hear_what_is_for(&from), may, "{to}");
        }
        assert!(!from.may_hear_what_is_for(&read("https://api.example.com/")), "not in the clear what was encrypted");
    }

    #[test]
    fn an_error_repeats_no_secret() {
        for url in ["ftp://user:s3cret@example.com/", "example.com/?token=s3cret", "http://u:s3cret@ /", "s3cret@:"] {
            let error = Target::read(url).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
