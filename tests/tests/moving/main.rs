//! `db-move`: what lies in `public` goes into the app's schema, whole, unchanged, and with a way back.

#![expect(clippy::unwrap_used, reason = "only the test reads what a helper fails with")]

mod guards;
mod interrupted;
mod kinds;
mod load;
mod modes;
mod place;
