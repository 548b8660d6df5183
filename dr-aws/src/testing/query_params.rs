use bytes::Bytes;
use http::{Response, StatusCode};

use super::{ApiFault, Form, QueryProtocol};

impl Form {
    /// A parameter that the operation cannot do without.
    ///
    /// # Errors
    ///
    /// `MissingParameter`.
    pub fn require(&self, name: &str) -> Result<&str, ApiFault> {
        self.get(name).ok_or_else(|| {
            ApiFault::new("MissingParameter", 400, format!("The request must contain the parameter {name}."))
        })
    }

    /// A boolean parameter, when it is there.
    ///
    /// # Errors
    ///
    /// `InvalidParameterValue` for anything but `true` and `false`.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ApiFault> {
        match self.get(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(other) => Err(ApiFault::invalid_value(format!("{other} is not a boolean, for parameter {name}"))),
        }
    }

    /// Cuts one page out of `rows`, by `MaxRecords` and `Marker`: the page, and the next marker.
    ///
    /// # Errors
    ///
    /// `InvalidParameterValue` for a page size out of 20 to 100, or a marker that was never given out.
    pub fn page<'a, T>(&self, rows: &'a [T]) -> Result<(&'a [T], Option<String>), ApiFault> {
        let size = match self.get("MaxRecords") {
            None => 100,
            Some(raw) => raw.parse().ok().filter(|n| (20..=100).contains(n)).ok_or_else(|| {
                ApiFault::invalid_value(format!("Invalid value {raw} for MaxRecords. Must be between 20 and 100"))
            })?,
        };
        let start = match self.get("Marker") {
            None => 0,
            Some(raw) => raw
                .strip_prefix("row-")
                .and_then(|n| n.parse::<usize>().ok())
                .filter(|n| *n <= rows.len())
                .ok_or_else(|| ApiFault::invalid_value(format!("Invalid Marker: {raw}")))?,
        };
        let end = start.saturating_add(size).min(rows.len());
        let page = rows.get(start..end).unwrap_or_default();
        Ok((page, (end < rows.len()).then(|| format!("row-{end}"))))
    }
}

impl QueryProtocol {
    /// A fault of the service's model.
    #[must_use]
    pub fn fault(&self, fault: &ApiFault) -> Response<Bytes> {
        let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.error(status, fault.code, &fault.message)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::*;

    fn form(body: &'static str) -> Form {
        Form::of(&Request::new(Bytes::from_static(body.as_bytes())))
    }

    #[test]
    fn pages_to_the_end_and_no_further() {
        let rows: Vec<u32> = (0..45).collect();
        let query = form("MaxRecords=20");
        let (first, marker) = query.page(&rows).unwrap();
        assert_eq!((first.len(), marker.as_deref()), (20, Some("row-20")));
        let query = form("MaxRecords=20&Marker=row-40");
        assert_eq!(query.page(&rows).unwrap(), (&[40, 41, 42, 43, 44][..], None));
        assert!(form("MaxRecords=5").page(&rows).is_err());
        assert!(form("Marker=row-900").page(&rows).is_err());
    }

    #[test]
    fn a_flag_is_true_false_or_refused() {
        let query = form("A=true&B=False&C=perhaps");
        assert_eq!(query.flag("A"), Ok(Some(true)));
        assert_eq!(query.flag("B"), Ok(Some(false)));
        assert_eq!(query.flag("D"), Ok(None));
        assert_eq!(query.flag("C").unwrap_err().code, "InvalidParameterValue");
    }
}
