//! Against the real programs: each test in a directory of its own, with servers that end with it.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

mod crash;
mod files;
mod ladder;
mod lifecycle;
mod support;
mod swapped;
mod throwaway;
