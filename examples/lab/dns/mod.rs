//! Names, over real packets: the authoritative server that answers as Route 53 would, and the clients' resolver.

mod resolver;
mod server;
mod zone;

pub use resolver::{ResolveError, Resolver};
pub use server::NameServer;
pub use zone::{Lookup, Zone};
