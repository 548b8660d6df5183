use std::{fmt, time::Duration};

use jiff::civil::{Date, DateTime, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{spec::WindowSpec, time::Timestamp};

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "they say it themselves")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Days since Monday.
    const fn number(self) -> i64 {
        match self {
            Self::Monday => 0,
            Self::Tuesday => 1,
            Self::Wednesday => 2,
            Self::Thursday => 3,
            Self::Friday => 4,
            Self::Saturday => 5,
            Self::Sunday => 6,
        }
    }
}

/// On which days a window opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Every week.
    Weekly(Weekday),
    /// Once.
    On(Date),
}

/// A time in which nothing starts by itself: maintenance, a freeze. By people's clocks, at a fixed distance from UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The day.
    pub when: When,
    /// When it opens.
    pub opens: Time,
    /// How long it stays open.
    pub lasts: Duration,
    /// How far people's clocks are ahead of UTC, in minutes.
    pub ahead_minutes: i32,
    /// What it is for.
    pub why: String,
}

/// A window may last this long: a week, after which a weekly one would be open for ever.
const LONGEST_WEEKLY: Duration = Duration::from_secs(7 * 86_400);

impl Window {
    pub(super) fn of(written: &WindowSpec) -> Result<Self, String> {
        let when = match (written.weekly, written.on) {
            (Some(day), None) => When::Weekly(day),
            (None, Some(day)) => When::On(day),
            _ => return Err("a window opens `weekly` or `on` a day: one of the two".to_owned()),
        };
        if matches!(when, When::Weekly(_)) && written.lasts >= LONGEST_WEEKLY {
            return Err("a weekly window that lasts a week never closes".to_owned());
        }
        let opens = clock_time(&written.at).ok_or_else(|| format!("`{}` is no time of day", written.at))?;
        let offset = written.utc_offset.as_deref().unwrap_or("+00:00");
        let ahead_minutes = utc_offset(offset).ok_or_else(|| format!("`{offset}` is no distance from UTC"))?;
        Ok(Self { when, opens, lasts: written.lasts, ahead_minutes, why: written.why.clone().unwrap_or_default() })
    }

    /// How long it stays open from now on; none when it is not open.
    #[must_use]
    pub fn open_for(&self, now: Timestamp) -> Option<Duration> {
        let now = now.civil(self.ahead_minutes);
        // The latest opening that is not after now: the day itself, or one of the days of the last week.
        let opened = match self.when {
            When::On(day) => day.to_datetime(self.opens),
            When::Weekly(weekday) => last_opening(now, weekday, self.opens)?,
        };
        let since = Duration::try_from(now.duration_since(opened)).ok()?;
        self.lasts.checked_sub(since).filter(|left| !left.is_zero())
    }
}

fn last_opening(now: DateTime, weekday: Weekday, opens: Time) -> Option<DateTime> {
    let today = i64::from(now.date().weekday().to_monday_zero_offset());
    let back = (today - weekday.number()).rem_euclid(7);
    let day = now.date().checked_sub(jiff::Span::new().try_days(back).ok()?).ok()?;
    let opening = day.to_datetime(opens);
    if opening <= now {
        return Some(opening);
    }
    let week = jiff::Span::new().try_days(7_i64).ok()?;
    Some(day.checked_sub(week).ok()?.to_datetime(opens))
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.why.as_str() {
            "" => f.write_str("a maintenance window"),
            why => f.write_str(why),
        }
    }
}

/// `02:00` or `23:30`.
pub(crate) fn clock_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<i8>().ok()).flatten();
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

/// `+01:00` or `-05:30`, in minutes.
pub(crate) fn utc_offset(text: &str) -> Option<i32> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let time = clock_time(text.get(1..)?)?;
    let minutes = i32::from(time.hour()) * 60 + i32::from(time.minute());
    (minutes <= 14 * 60).then_some(sign * minutes)
}
