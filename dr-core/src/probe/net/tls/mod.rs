//! Encrypted connections: whom to believe, and the handshake.

mod any;
mod encrypt;
mod remembering;
mod trust;

pub(super) use encrypt::Tls;
pub(super) use trust::Trust;
