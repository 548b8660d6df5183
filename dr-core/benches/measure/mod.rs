use serde_json::json;

/// One line for `cargo xtask bench`.
pub(crate) struct Measure {
    name: String,
    value: f64,
    unit: &'static str,
    better: &'static str,
    goal: Option<f64>,
    peer: Option<(String, Option<f64>)>,
}

impl Measure {
    pub(crate) fn lower(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, better: "lower", goal: None, peer: None }
    }

    pub(crate) fn higher(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { better: "higher", ..Self::lower(name, value, unit) }
    }

    pub(crate) fn goal(mut self, goal: f64) -> Self {
        self.goal = Some(goal);
        self
    }

    /// The same measure of somebody else, if they are here to be measured.
    pub(crate) fn peer(mut self, name: &str, value: impl Into<Option<f64>>) -> Self {
        self.peer = Some((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    pub(crate) fn print(self) {
        let (peer, peer_value) = self.peer.unzip();
        let line = json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "better": self.better,
            "goal": self.goal,
            "peer": peer,
            "peer_value": peer_value.flatten(),
        });
        println!("{line}");
    }
}
