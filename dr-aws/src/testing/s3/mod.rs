//! S3: buckets that live in a region, conditional writes, and objects that anyone may read.
//!
//! The protocol is the `s3s` crate's; the store behind it is [`S3`]. A bucket answers at its own region's endpoint and
//! at no other (301 `PermanentRedirect`). Reading and writing objects is the region's data plane, all else its control
//! plane. A conditional write on an absent key is a 404 with `If-Match` and succeeds with `If-None-Match: *`, as in AWS.
//!
//! Route 53's checkers read anonymously, which a bucket must allow ([`PublicAccess`]).

mod chunked;
mod model;
mod operations;
mod request;
mod service;

pub use model::{PublicAccess, S3};
pub use service::S3Service;
