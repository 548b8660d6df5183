use std::{fmt, time::Duration};

/// A duration as a person says it: `4 s`, `1.5 s`, `250 ms`, `80 µs`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken(pub(crate) Duration);

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(d) = *self;
        if d >= Duration::from_secs(1) {
            let tenths = d.as_millis().div_ceil(50) / 2;
            match tenths % 10 {
                0 => write!(f, "{} s", tenths / 10),
                rest => write!(f, "{}.{rest} s", tenths / 10),
            }
        } else if d >= Duration::from_millis(1) {
            write!(f, "{} ms", d.as_millis())
        } else {
            write!(f, "{} µs", d.as_micros())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_like_speech() {
        let said: Vec<String> = [4_000, 1_500, 42_000, 999, 250, 1_000, 10_020]
            .into_iter()
            .map(|ms| Spoken(Duration::from_millis(ms)).to_string())
            .collect();
        assert_eq!(said, ["4 s", "1.5 s", "42 s", "999 ms", "250 ms", "1 s", "10 s"]);
        assert_eq!(Spoken(Duration::from_micros(80)).to_string(), "80 µs");
    }
}
