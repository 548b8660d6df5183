//! dr-py
