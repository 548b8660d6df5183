//! The HTTP and HTTPS probe: what is asked, where, and what counts as an answer.

mod builder;
mod leg;
mod limits;
mod place;
mod probe;
mod redirects;
mod request;
mod status;
mod talk;
mod target;

pub use builder::HttpProbeBuilder;
pub use probe::HttpProbe;
pub use redirects::Redirects;
pub use status::StatusSet;
