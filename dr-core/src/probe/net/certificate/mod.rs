//! What an endpoint shows to those who connect under a name, and how long it will still do.
//!
//! `fields` reads what a certificate says of itself, `handshake` obtains it whatever it is worth, `judgement` is a pure
//! function of what was shown, and `probe` puts them together.

mod fields;
mod handshake;
mod judgement;
mod probe;

pub(super) use fields::Fields;
pub use probe::CertificateProbe;
