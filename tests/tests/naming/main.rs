//! Every way in which people name a database: libpq's, each compared with what libpq itself makes of it, and
//! the providers'.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod cases;
mod differential;
mod hosts;
mod providers;
mod round_trip;
mod secrets;
mod world;
