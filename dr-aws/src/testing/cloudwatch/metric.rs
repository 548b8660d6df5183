use std::collections::BTreeMap;

/// The identity of a metric: its namespace, its name and its dimensions, all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricId {
    /// `AWS/RDS`.
    pub namespace: String,
    /// `AuroraGlobalDBRPOLag`.
    pub name: String,
    /// `DBClusterIdentifier` = `orders-eu`.
    pub dimensions: BTreeMap<String, String>,
}

impl MetricId {
    /// A metric of these dimensions.
    #[must_use]
    pub fn new<'a>(namespace: &str, name: &str, dimensions: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }
}

/// One value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// Of which metric.
    pub metric: MetricId,
    /// The value, in the metric's unit.
    pub value: f64,
}
