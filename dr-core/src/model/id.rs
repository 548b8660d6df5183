use std::{borrow::Borrow, fmt, process, str::FromStr, sync::OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name that does not follow the rules: 1 to 128 of `a-z A-Z 0-9 - _ . / :`, starting with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name: write 1 to 128 of a-z A-Z 0-9 - _ . / :, starting with a letter or digit")]
pub struct InvalidId(String);

/// The rules of names as a regular expression, for the JSON Schema that an editor reads.
const ID_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}$";

fn check(raw: &str) -> Result<(), InvalidId> {
    // Bytes do: no byte of a longer character is one of these. Journals are read through here, name by name.
    let may_begin = |byte: &u8| byte.is_ascii_alphanumeric();
    let may_follow = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    let bytes = raw.as_bytes();
    let is_name = bytes.len() <= 128 && bytes.first().is_some_and(may_begin) && bytes.iter().all(may_follow);
    if is_name { Ok(()) } else { Err(InvalidId(raw.to_owned())) }
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String")]
        #[schemars(with = "String", inline, extend("pattern" = ID_PATTERN))]
        pub struct $name(String);

        impl $name {
            /// The name.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] when `raw` does not follow the rules of names.
            pub fn new(raw: impl Into<String>) -> Result<Self, InvalidId> {
                let raw = raw.into();
                check(&raw).map(|()| Self(raw))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(raw: &str) -> Result<Self, InvalidId> {
                Self::new(raw)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(raw: String) -> Result<Self, InvalidId> {
                Self::new(raw)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

id! {
    /// The application that fails over as one, such as `ecommerce`.
    ApplicationId;
    /// A region, by its provider's name: `us-east-1`.
    RegionId;
    /// A resource of `dr.yaml`, by the name its author gave it: `orders-db`.
    ResourceId;
    /// A service of `dr.yaml`: `cart`.
    ServiceId;
    /// A probe of `dr.yaml`: `storefront`.
    ProbeId;
    /// A step of a plan: `orders-db/promote`.
    StepId;
    /// A place that observes: `eu-central-1`, `office`.
    VantageId;
    /// One execution of a plan.
    RunId;
    /// A process that runs or may run a plan.
    OwnerId;
    /// A safety rule of a plan: `no-traffic-before-promoted`.
    SafetyRuleId;
    /// Somebody's own name for one request to a run, the same each time it is sent.
    RequestToken;
}

impl OwnerId {
    /// What this process is called in leases: its role, its number, and eight hexadecimal digits drawn once per process.
    ///
    /// The number alone would not do: in a container each decider is number 1, and two of one name take a lease from each
    /// other as if it were their own.
    ///
    /// ```
    /// let owner = dr_core::model::OwnerId::of_process("decider")?;
    /// assert!(owner.as_str().starts_with(&format!("decider-{}-", std::process::id())));
    /// assert_eq!(owner, dr_core::model::OwnerId::of_process("decider")?);
    /// # Ok::<(), dr_core::model::InvalidId>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidId`] when `role` does not follow the rules of names, or is too long.
    pub fn of_process(role: &str) -> Result<Self, InvalidId> {
        static DRAWN: OnceLock<u32> = OnceLock::new();
        let drawn = DRAWN.get_or_init(rand::random);
        Self::new(format!("{role}-{}-{drawn:08x}", process::id()))
    }
}

/// The fencing token of a lease: it grows each time the run changes hands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
