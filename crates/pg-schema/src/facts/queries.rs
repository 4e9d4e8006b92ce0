//! The catalog queries of a verification as a script, for whoever wants to see them run: in psql, say.

use pg_config::{Identifier, Literal};

use crate::{Expected, ddl};

/// Every catalog query of [`super::Facts`] and [`crate::Condition`] in its order, with the names that it asks for in place of its
/// parameters; what it asks of tables themselves is not among them.
pub fn catalog_queries(expected: &Expected) -> String {
    let (schema, role) = (expected.schema.as_str(), expected.role.as_str());
    let administrator = expected.administrator.as_ref().map_or("", Identifier::as_str);
    let path = ddl::search_path(&expected.schema);
    let queries: [(&str, &[&str]); 14] = [
        (include_str!("session.sql"), &[schema]),
        (include_str!("settings.sql"), &[role]),
        (include_str!("objects.sql"), &[schema, role]),
        (include_str!("misplaced.sql"), &[schema, role]),
        (include_str!("stored_path.sql"), &[&path, &path]),
        (include_str!("privileges.sql"), &[schema, role]),
        (include_str!("foreign_owned.sql"), &[schema, role]),
        (include_str!("extensions.sql"), &[]),
        (include_str!("creators.sql"), &[schema, role, administrator]),
        (include_str!("../checks/invalid_indexes/query.sql"), &[schema]),
        (include_str!("../checks/function_bodies/query.sql"), &[schema]),
        (include_str!("../checks/table_privileges/row_security.sql"), &[schema]),
        (include_str!("../checks/sequence_values/query.sql"), &[schema]),
        (include_str!("../checks/search_path/sessions.sql"), &[role, "-infinity"]),
    ];
    let mut script = "SET jit = off;\n".to_owned();
    for (query, parameters) in queries {
        // The remarks at the top name the parameters; they are no part of the query.
        let body = query.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        let filled = parameters.iter().enumerate().rev().fold(body, |body, (index, parameter)| {
            body.replace(&format!("${}", index + 1), &Literal(parameter).to_string())
        });
        script.push_str(&filled);
        script.push_str(";\n");
    }
    script
}
