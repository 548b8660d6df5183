//! The integration tests of dr-aws: the double by itself, and the drivers against it.

mod framework;
