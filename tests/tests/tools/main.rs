//! The README's recipes for other migration tools, each run by the real tool on a project of its own.

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

mod alembic;
mod django;
mod project;
mod psql;
mod recipe;
mod sqlx;
