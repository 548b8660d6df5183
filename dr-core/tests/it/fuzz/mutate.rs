//! Changes to an input, from single bits to whole pieces of another one.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// No input grows beyond this: what is slow on long inputs is for the benchmarks to say.
const LONGEST: usize = 32 * 1024;

/// What text formats are sensitive to.
const TOKENS: [&str; 48] = [
    "0",
    "-1",
    "1",
    "2",
    "255",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "9223372036854775807",
    "1e308",
    "-0.0",
    "1.5",
    "null",
    "true",
    "false",
    "\"\"",
    "{}",
    "[]",
    "[[[[[[[[",
    "{\"a\":",
    "\\u0000",
    "\\ud800",
    "\"\\",
    ",",
    ":",
    "}",
    "]",
    "\n",
    "\r\n",
    "\t",
    " ",
    "- ",
    "? ",
    "&a ",
    "*a",
    "!!str ",
    "|\n",
    ">-\n",
    "'",
    "#",
    "${A}",
    "${A:-",
    "---\n",
    "...",
    "é",
    "\u{feff}",
    "irreversible",
    "us-east-1",
];

/// One to eight changes.
pub(super) fn mutate(chance: &mut ChaCha8Rng, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..1 << chance.random_range(0..4_u32) {
        change(chance, &mut bytes, other);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(chance: &mut ChaCha8Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = chance.random_range(0..=bytes.len());
    let length = chance.random_range(0..=(bytes.len() - at).min(64));
    match chance.random_range(0..10_u32) {
        0 if at < bytes.len() => bytes[at] ^= 1 << chance.random_range(0..8_u32),
        1 if at < bytes.len() => bytes[at] = chance.random(),
        2 => drop(bytes.drain(at..at + length)),
        3 => {
            let piece = bytes[at..at + length].to_vec();
            let to = chance.random_range(0..=bytes.len());
            bytes.splice(to..to, piece);
        }
        4 => {
            let from = chance.random_range(0..=other.len());
            let to = (from + chance.random_range(0..256_usize)).min(other.len());
            bytes.splice(at..at + length, other[from..to].iter().copied());
        }
        5 => number(chance, bytes, at),
        6 => line(chance, bytes),
        7 => value(chance, bytes, at),
        _ => {
            let token = TOKENS[chance.random_range(0..TOKENS.len())];
            let replaced = if chance.random() { length.min(token.len()) } else { 0 };
            bytes.splice(at..at + replaced, token.bytes());
        }
    }
}

/// Puts another number where the next one stands.
fn number(chance: &mut ChaCha8Rng, bytes: &mut Vec<u8>, at: usize) {
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|n| at + n) else { return };
    let end = bytes[start..].iter().position(|b| !b.is_ascii_digit()).map_or(bytes.len(), |n| start + n);
    let token = TOKENS[chance.random_range(0..12_usize)];
    bytes.splice(start..end, token.bytes());
}

/// Removes or repeats a line.
fn line(chance: &mut ChaCha8Rng, bytes: &mut Vec<u8>) {
    let starts: Vec<usize> =
        std::iter::once(0).chain(bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(n, _)| n + 1)).collect();
    let n = chance.random_range(0..starts.len());
    let (from, to) = (starts[n], starts.get(n + 1).copied().unwrap_or(bytes.len()));
    if chance.random() {
        bytes.drain(from..to);
    } else {
        let line = bytes[from..to].to_vec();
        let to = starts[chance.random_range(0..starts.len())];
        bytes.splice(to..to, line);
    }
}

/// Puts another JSON value where the next one stands.
fn value(chance: &mut ChaCha8Rng, bytes: &mut Vec<u8>, at: usize) {
    let Some(start) = bytes[at..].iter().position(|b| *b == b':').map(|n| at + n + 1) else { return };
    let end =
        bytes[start..].iter().position(|b| matches!(b, b',' | b'}' | b']' | b'\n')).map_or(bytes.len(), |n| start + n);
    let token = TOKENS[chance.random_range(0..TOKENS.len())];
    bytes.splice(start..end, token.bytes());
}
