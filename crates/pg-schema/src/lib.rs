//! What must be true inside a database, made true ([`provision`]) and proved ([`verify`]): role,
//! database, schema, grants, default privileges and search_path, and where the migrations' objects lie.

mod administrator;
pub mod ddl;
mod digest;
mod expected;
mod explain;
mod facts;
mod lock;
mod object;
mod path;
mod provision;
mod query;
mod record;
mod report;
mod reset;
mod script;
mod snapshot;
mod verify;

pub use administrator::Administrator;
pub use expected::Expected;
pub use explain::{explain, explained};
pub use facts::{Creator, Facts, Misplaced, PathLayer, SchemaFacts, StoredPath};
pub use lock::LockError;
pub use object::{Kind, Object};
pub use provision::{Access, By, Change, Connections, ProvisionError, Provisioned, Purpose, open, provision};
pub use query::SqlError;
pub use record::{record_digest, recorded_digest};
pub use report::{Check, Report, Status};
pub use reset::{ResetError, refuse_servers_own, reset};
pub use script::whole as script;
pub use snapshot::{Landed, Snapshot};
pub use verify::{CHECKS, Verdict, VerifyError, note_landed, note_recorded, verify, verify_facts, verify_session};
