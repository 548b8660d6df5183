use std::collections::BTreeMap;

/// The parameters of a query string. Values here are numbers, so nothing is percent-decoded.
pub(super) fn parameters(query: Option<&str>) -> BTreeMap<&str, &str> {
    query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')).collect()
}

/// A parameter that is a number of seconds: absent, or finite.
pub(super) fn seconds(parameters: &BTreeMap<&str, &str>, name: &str) -> Result<Option<f64>, String> {
    match parameters.get(name) {
        None => Ok(None),
        Some(raw) => match raw.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(format!("{name} is to be a number of seconds, not {raw:?}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_anything_else_is_refused() {
        let parameters = parameters(Some("from_s=12.5&to_s=soon"));
        assert_eq!(seconds(&parameters, "from_s"), Ok(Some(12.5)));
        assert_eq!(seconds(&parameters, "since_s"), Ok(None));
        assert!(seconds(&parameters, "to_s").is_err());
    }
}
