//! Databases for tests: handed out, kept apart, taken back by proof.

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

mod clones;
mod fixture;
mod fooling;
mod marks;
mod processes;
