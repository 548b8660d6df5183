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
/// The magic number of a log whose checksums are of little-endian words; the last bit says big-endian.
const MAGIC: u32 = 0x377f_0682;

/// The log beside a database.
pub(super) fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// The running checksum of a log: each frame's covers all frames before it.
struct Checksum {
    big_endian: bool,
    sum: (u32, u32),
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks_exact(8) {
            let word = |at: usize| {
                let bytes = pair[at..at + 4].try_into().unwrap();
                if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
            };
            let (first, second) = (word(0), word(4));
            self.sum.0 = self.sum.0.wrapping_add(first).wrapping_add(self.sum.1);
            self.sum.1 = self.sum.1.wrapping_add(second).wrapping_add(self.sum.0);
        }
    }

    /// Whether these eight bytes are the checksum of all that was added.
    fn is(&self, stored: &[u8]) -> bool {
        stored[..4] == self.sum.0.to_be_bytes() && stored[4..] == self.sum.1.to_be_bytes()
    }
}

/// Where each transaction of the log ends, in bytes, as SQLite finds them when it recovers: frames of an earlier use of the
/// file have other salts, and what a torn or lost transaction left behind later ones has another checksum.
fn ends(database: &Path) -> Vec<u64> {
    let Ok(mut file) = File::open(beside(database)) else { return Vec::new() };
    let mut header = [0; HEADER as usize];
    if file.read_exact(&mut header).is_err() {
        return Vec::new();
    }
    let magic = u32::from_be_bytes(header[..4].try_into().unwrap());
    let mut checksum = Checksum { big_endian: magic == MAGIC | 1, sum: (0, 0) };
    checksum.add(&header[..24]);
    if magic & !1 != MAGIC || !checksum.is(&header[24..]) {
        return Vec::new();
    }
    let mut ends = Vec::new();
    let mut at = HEADER;
    let mut frame = [0; FRAME as usize];
    while file.read_exact(&mut frame).is_ok() {
        checksum.add(&frame[..8]);
        checksum.add(&frame[24..]);
        if frame[8..16] != header[16..24] || !checksum.is(&frame[16..24]) {
            break;
        }
        at += FRAME;
        // The frame that ends a transaction says how large the database is after it.
        if frame[4..8] != [0; 4] {
            ends.push(at);
        }
    }
    ends
}

/// Where the last transaction ends, and the next one will be written.
pub(super) fn end(database: &Path) -> u64 {
    ends(database).last().copied().unwrap_or(0)
}

/// Where the last transaction begins.
pub(super) fn start_of_last(database: &Path) -> u64 {
    ends(database).iter().rev().nth(1).copied().unwrap_or(0)
}

/// Takes from the transaction that was written after `start`, where the log ended before, what the power loss took. What
/// was there before was synced, and stays: nothing is lost when nothing was written, as by a lease that was refused.
pub(super) fn lose(database: &Path, start: u64, loss: Loss) {
    let last = end(database);
    if last <= start {
        return;
    }
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
