//! Where a journal is: in a file, or where `dr.yaml` says.

use std::{fmt, path::PathBuf, sync::Arc};

use dr_aws::s3_journal::S3Journal;
use dr_core::{
    error::{Effect, Error, ErrorKind},
    journal::{Journal, SqliteJournal},
    spec::JournalPlace,
    time::SharedClock,
};

use crate::{platform::Platform, raise::Trouble};

/// The place of a journal.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    File(PathBuf),
    /// A bucket, with what its keys begin with.
    Bucket(String, String),
}

impl Store {
    /// The file that was given, or the place that `dr.yaml` names.
    pub(crate) fn of(platform: &Platform, given: Option<PathBuf>) -> Result<Self, Trouble> {
        if let Some(file) = given {
            return Ok(Self::File(file));
        }
        match platform.spec.journal.place() {
            Some(JournalPlace::File(file)) => Ok(Self::File(file.to_owned())),
            Some(JournalPlace::Bucket { bucket, prefix }) => Ok(Self::Bucket(bucket.to_owned(), prefix.to_owned())),
            None => Err(nowhere()),
        }
    }

    /// Opens it to write. A file that is not there is made.
    pub(crate) async fn open(&self, platform: &Platform) -> Result<Arc<dyn Journal>, Trouble> {
        let clock = platform.clock.clone();
        match self {
            Self::File(file) => Ok(Arc::new(SqliteJournal::open(file, clock).await?)),
            Self::Bucket(..) => {
                let journal = S3Journal::of(&platform.spec, platform.clients().await, clock).ok_or_else(nowhere)?;
                Ok(Arc::new(journal))
            }
        }
    }

    /// Opens it to read what is there.
    pub(crate) async fn open_existing(&self, platform: &Platform) -> Result<Arc<dyn Journal>, Trouble> {
        match self {
            Self::File(file) => existing(file.clone(), platform.clock.clone()).await,
            Self::Bucket(..) => self.open(platform).await,
        }
    }
}

/// Opens a file that is there.
pub(crate) async fn existing(file: PathBuf, clock: SharedClock) -> Result<Arc<dyn Journal>, Trouble> {
    // Opening would make the file.
    if !file.is_file() {
        let message = format!("there is no journal at {}", file.display());
        return Err(Error::new(ErrorKind::NotFound, message).with_effect(Effect::NotApplied).into());
    }
    Ok(Arc::new(SqliteJournal::open(file, clock).await?))
}

fn nowhere() -> Trouble {
    Trouble::Value("dr.yaml does not say where its journal is".to_owned())
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Bucket(bucket, prefix) => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}
