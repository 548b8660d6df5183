use std::{fmt, net::Ipv4Addr, str::FromStr, time::Duration};

/// The name in the server's certificate.
pub(crate) const NAME: &str = "front.example";

/// The server's certificate, its key, and the authority that signed it.
pub(crate) const CERTIFICATE: &[u8] = include_bytes!("../../tests/it/certificates/good.pem");
pub(crate) const KEY: &[u8] = include_bytes!("../../tests/it/certificates/server.key.pem");
pub(crate) const ROOT: &[u8] = include_bytes!("../../tests/it/certificates/root.pem");

/// What is spoken to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Http,
    Https,
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

impl FromStr for Wire {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "http" => Ok(Self::Http),
            "https" => Ok(Self::Https),
            _ => Err(format!("{word:?} is neither http nor https")),
        }
    }
}

/// What is to be looked at, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estate {
    pub(crate) wire: Wire,
    pub(crate) port: u16,
    pub(crate) targets: u32,
    pub(crate) interval: Duration,
}

impl Estate {
    /// The address of each target.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + use<> {
        (0..self.targets).map(|n| Ipv4Addr::from_bits(FIRST.to_bits() + n))
    }

    /// How many looks a second that is.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.targets) / self.interval.as_secs_f64()
    }
}

/// The address of target 0. No target is at 127.0.0.1, where control targets and questions to the peers go.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 0);

/// The target at an address.
pub(crate) fn target(address: Ipv4Addr) -> Option<u32> {
    address.to_bits().checked_sub(FIRST.to_bits())
}

impl fmt::Display for Estate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{},{}", self.wire, self.port, self.targets, self.interval.as_millis())
    }
}

impl FromStr for Estate {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        let bad = |what: &dyn fmt::Display| format!("{words:?} describes no estate: {what}");
        let [wire, port, targets, interval] = words.split(',').collect::<Vec<_>>()[..] else {
            return Err(bad(&"write wire,port,targets,milliseconds"));
        };
        Ok(Self {
            wire: wire.parse()?,
            port: port.parse().map_err(|error| bad(&error))?,
            targets: targets.parse().map_err(|error| bad(&error))?,
            interval: Duration::from_millis(interval.parse().map_err(|error| bad(&error))?),
        })
    }
}
