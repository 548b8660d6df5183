//! dr-aws
