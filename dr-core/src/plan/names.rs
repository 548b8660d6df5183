use super::PlanStep;

/// Where each step of a list is, by name.
#[derive(Debug)]
pub(super) struct Names<'a>(Vec<(&'a str, usize)>);

impl<'a> Names<'a> {
    pub(super) fn of(steps: &'a [PlanStep]) -> Self {
        let mut names: Vec<(&str, usize)> = steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        names.sort_unstable();
        Self(names)
    }

    /// The place of a step; of the last one where several share the name.
    pub(super) fn get(&self, name: &str) -> Option<usize> {
        let behind = self.0.partition_point(|(other, _)| *other <= name);
        let (found, at) = self.0.get(behind.checked_sub(1)?)?;
        (*found == name).then_some(*at)
    }

    /// The names that several steps share, once for each step too many.
    pub(super) fn shared(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().zip(self.0.iter().skip(1)).filter(|(one, other)| one.0 == other.0).map(|(one, _)| one.0)
    }

    /// The places, in the order of the names.
    pub(super) fn places(&self) -> Vec<usize> {
        self.0.iter().map(|(_, at)| *at).collect()
    }
}
