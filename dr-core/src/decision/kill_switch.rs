use std::{
    fs,
    io::{self, Read as _},
    path::PathBuf,
};

use crate::journal::Signed;

/// A file whose existence keeps anything from starting. It belongs on this machine: nothing is decided while it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillSwitch(pub PathBuf);

/// The most of the file that is read: a line for people.
const MOST: u64 = 256;

impl KillSwitch {
    /// Who stopped everything, by the file's first line. A file that cannot be looked at counts as there: whoever put it
    /// there meant to stop something.
    #[must_use]
    pub fn look(&self) -> Option<Signed> {
        let who = self.0.display().to_string();
        let mut text = String::new();
        match fs::File::open(&self.0).and_then(|file| file.take(MOST).read_to_string(&mut text)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => Some(Signed { who, why: format!("the file cannot be read: {e}") }),
            Ok(_) => Some(Signed { who, why: text.lines().next().unwrap_or_default().trim().to_owned() }),
        }
    }
}
