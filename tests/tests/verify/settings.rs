//! What is stored for the role and the database besides the path.

use crate::case::{CASE, Case, Fix, Setup, cases, set_up};

cases! {
    mod stored_settings;

    fn row_security_of_the_role() = Case {
        breaks: "ALTER ROLE aura_user SET row_security = off",
        warns: &["role"],
        fix: Fix::ByHand,
        setup: Setup::Warns(&["role"]),
        ..CASE
    };

    fn row_security_of_the_role_in_the_database() = Case {
        breaks: "ALTER ROLE aura_user IN DATABASE aura_db SET row_security = off",
        warns: &["role"],
        fix: Fix::ByHand,
        setup: Setup::Warns(&["role"]),
        ..CASE
    };
}

/// Time-outs are a choice: they are named, and no finding.
#[test]
fn time_outs_are_named() {
    let (cluster, workspace) = set_up(&CASE);
    assert_eq!(workspace.verify().message("role"), "role aura_user logs in");
    cluster.sql(
        "postgres",
        "ALTER ROLE aura_user SET statement_timeout = '5min'; ALTER DATABASE aura_db SET lock_timeout = '1min'; \
         ALTER ROLE aura_user IN DATABASE aura_db SET row_security = on; \
         ALTER ROLE aura_user IN DATABASE aura_db SET statement_timeout = '4min'; ALTER ROLE aura_user SET work_mem = '64MB'",
    );
    assert_eq!(
        workspace.verify().exits(0).message("role"),
        "role aura_user logs in; stored for it: statement_timeout = 4min (role in database), lock_timeout = 1min (database)"
    );
}
