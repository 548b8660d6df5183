//! SQLite's write-ahead log as bytes (<https://www.sqlite.org/fileformat2.html#walformat>): where its last transactions
//! end, and what a power loss makes of the last one.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::death::Loss;

const HEADER: u64 = 32;
const FRAME: u64 = 24 + 4096;

/// The log beside a database.
pub(super) fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Where each transaction of the log ends, in bytes. Frames of an earlier use of the file, which it still holds, do not count.
pub(super) fn ends(database: &Path) -> Vec<u64> {
    let Ok(mut file) = File::open(beside(database)) else { return Vec::new() };
    let mut header = [0; HEADER as usize];
    if file.read_exact(&mut header).is_err() {
        return Vec::new();
    }
    let mut ends = Vec::new();
    let mut at = HEADER;
    let mut frame = [0; FRAME as usize];
    while file.read_exact(&mut frame).is_ok() && frame[8..16] == header[16..24] {
        at += FRAME;
        // The frame that ends a transaction says how large the database is after it.
        if frame[4..8] != [0; 4] {
            ends.push(at);
        }
    }
    ends
}

/// Where the next transaction will be written.
pub(super) fn end(database: &Path) -> u64 {
    ends(database).last().copied().unwrap_or(0)
}

/// Takes from the last transaction what the power loss took.
pub(super) fn lose(database: &Path, loss: Loss) {
    let ends = ends(database);
    let last = *ends.last().expect("a transaction was written");
    let start = ends.iter().rev().nth(1).copied().unwrap_or(0);
    let mut file = File::options().write(true).open(beside(database)).unwrap();
    match loss {
        Loss::All => file.set_len(start).unwrap(),
        Loss::SecondHalf => file.set_len(start + (last - start) / 2).unwrap(),
        Loss::FirstPage => {
            file.seek(SeekFrom::Start(start.max(HEADER) + 24)).unwrap();
            file.write_all(&[0; 4096]).unwrap();
        }
    }
}
