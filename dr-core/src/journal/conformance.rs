//! The laws of [`Journal`], run against every implementation.
