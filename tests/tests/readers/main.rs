//! Who takes the URL that `db-url` prints: each reader by itself, on a real server; and what poolers and
//! readers that drop a part of it leave of it.

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

mod answer;
mod case;
mod dropped;
mod generated;
mod installed;
mod libpq;
mod limits;
mod pgbouncer;
mod pooler;
mod printed;
mod python;
mod reader;
mod rust_postgres;
mod sockets;
mod sqlx;
