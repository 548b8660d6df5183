use dr_core::model::RunId;

/// Where everything lives in the bucket.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// Empty, or ending in a slash.
    prefix: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        Self { prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") } }
    }

    pub(super) fn slots(&self, run: &RunId) -> String {
        format!("{}runs/{}/log/", self.prefix, flat(run))
    }

    pub(super) fn slot(&self, run: &RunId, slot: u64) -> String {
        format!("{}{slot:020}", self.slots(run))
    }

    pub(super) fn lease(&self, run: &RunId) -> String {
        format!("{}runs/{}/lease", self.prefix, flat(run))
    }

    pub(super) fn request(&self, run: &RunId, id: u64) -> String {
        format!("{}runs/{}/requests/{id:020}", self.prefix, flat(run))
    }

    pub(super) fn index(&self) -> String {
        format!("{}index/", self.prefix)
    }

    pub(super) fn indexed(&self, place: u64, run: &RunId) -> String {
        format!("{}{place:020}/{}", self.index(), flat(run))
    }

    pub(super) fn ends(&self) -> String {
        format!("{}ended/", self.prefix)
    }

    pub(super) fn ended(&self, run: &RunId) -> String {
        format!("{}{}", self.ends(), flat(run))
    }
}

/// A run's name without slashes, so that no run's objects lie in another's folder. A name never has a `!` of its own.
fn flat(run: &RunId) -> String {
    run.as_str().replace('/', "!")
}

/// The run of a name that [`flat`] made.
pub(super) fn run_of(flat: &str) -> Option<RunId> {
    RunId::new(flat.replace('!', "/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_do_not_lie_in_each_other() {
        let keys = Keys::new("/dr/");
        let (left, right) = (RunId::new("a").unwrap(), RunId::new("a/log/1").unwrap());
        assert_eq!(keys.slot(&left, 7), "dr/runs/a/log/00000000000000000007");
        assert!(!keys.slot(&right, 1).starts_with(&keys.slots(&left)));
        assert_eq!(run_of(&flat(&right)), Some(right));
        assert_eq!(Keys::new("").lease(&left), "runs/a/lease");
    }
}
