//! What must be true inside a database, made true ([`provision`]) and proved ([`verify`]): role,
//! database, schema, grants, default privileges and search_path, and where the migrations' objects lie.

mod administrator;
mod checks;
mod commit;
mod contents;
pub mod ddl;
mod expected;
mod extension_scripts;
mod facts;
mod fix;
mod lock;
mod lock_waits;
mod object;
mod path;
mod pooler;
mod probe;
mod properties;
mod provision;
mod query;
mod record;
mod relocate;
mod report;
mod reset;
mod schema_comment;
mod script;
mod snapshot;
mod sql_error;
mod transaction;
mod verify;

pub use administrator::Administrator;
pub use checks::drift::against;
pub use checks::{CHECKS, OlderSession, OlderSessions, explain, older_sessions};
pub use contents::{Definitions, Difference};
pub use expected::Expected;
pub use facts::{Facts, Misplaced, catalog_queries, leads_home};
pub use fix::{AT_ONCE, fix};
pub use lock::LockError;
pub use lock_waits::lock_waits;
pub use object::{Kind, Object};
pub use probe::misses_schema;
pub use properties::Properties;
pub use provision::{
    Access, By, Change, Connections, Instructions, ProvisionError, Provisioned, Purpose, open, provision,
    provision_for_move, wait_for_others,
};
pub use query::{ANSWER, execute, execute_at_once, query, query_one};
pub use record::{Drifted, begin_run, record_contents, record_digest, record_failure, recorded_digest};
pub use relocate::{
    Finding, Item, Locks, Look, MoveError, Moved, Plan, PlanError, Request as MoveRequest, Rewrite, Surroundings, Way,
    bare_rename, command as move_command, is_of_nothing, look_after, look_before, move_all, take_back, undo_script,
};
pub use report::{Action, Check, Definition, Fix, Report, Status};
pub use reset::{
    PreviousDatabase, Recovered, ResetError, drop_damaged, finish, marking_limit, recover, refuse_blocked,
    refuse_servers_own, set_aside,
};
pub use script::whole as script;
pub use snapshot::{Landed, Snapshot};
pub use sql_error::SqlError;
pub use verify::{
    Verdict, VerifyError, note_contents, note_landed, note_migrating, note_provisioning, note_recorded, verify,
    verify_facts, verify_session,
};
