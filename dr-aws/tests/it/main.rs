//! The integration tests of dr-aws: the double by itself, and the drivers against it.

mod elasticache;
mod foreign_databases;
mod framework;
mod rds;
mod two_regions;
