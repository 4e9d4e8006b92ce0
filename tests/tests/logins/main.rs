//! Which ways to log in are taken, by whom and from whom.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod ended;
mod listener;
mod methods;
mod network;
mod ours;
mod sizes;
