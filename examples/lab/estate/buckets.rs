use super::Estate;

impl Estate {
    /// The keys in the bucket of the failover switch.
    pub(super) fn switch_keys(&self) -> Vec<String> {
        Vec::new()
    }
}
