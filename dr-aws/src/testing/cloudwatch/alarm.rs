use dr_core::time::Timestamp;

/// An alarm, as far as somebody reads it: its name, and the state that a test has put it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its name, one in its region.
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: AlarmValue,
    /// Whether it is made of other alarms.
    pub composite: bool,
    /// When it came into this state.
    pub updated: Timestamp,
}

/// The states of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmValue {
    /// Within its threshold.
    Ok,
    /// Beyond it.
    Alarm,
    /// Not enough is known: a new alarm, or a metric that has gone.
    InsufficientData,
}

impl AlarmValue {
    /// As the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}
