//! The catalog queries of a verification as a script for psql.

use pg_config::{Identifier, Literal};

use crate::{Expected, contents, ddl, transaction::RUN_ONCE};

/// The catalog queries of [`super::Facts`] and of the checks, with the names that they ask for in place of their
/// parameters, and the planner's settings of a verification. What is asked only where something is found, or of tables
/// themselves, is not among them.
pub fn catalog_queries(expected: &Expected) -> String {
    let (schema, role) = (expected.schema.as_str(), expected.role.as_str());
    let administrator = expected.administrator.as_ref().map_or("", Identifier::as_str);
    let path = ddl::search_path(&expected.schema);
    let comparison = contents::comparison(&expected.schema, &[]);
    let queries: [(&str, &[&str]); 8] = [
        (include_str!("session.sql"), &[schema]),
        (include_str!("settings.sql"), &[role]),
        (include_str!("objects.sql"), &[schema, role]),
        (include_str!("stored_path.sql"), &[&path, &path, &path]),
        (include_str!("creators.sql"), &[schema, role, administrator]),
        (include_str!("../checks/sequence_values/query.sql"), &[schema]),
        (include_str!("../checks/search_path/sessions.sql"), &[role, "-infinity"]),
        (&comparison, &[schema]),
    ];
    let mut script = format!("BEGIN READ ONLY; {RUN_ONCE};\n");
    for (query, parameters) in queries {
        script.push_str(&filled(query, parameters));
    }
    script.push_str("COMMIT;\n");
    script
}

/// A query for psql, with texts in place of its parameters.
pub(crate) fn filled(query: &str, parameters: &[&str]) -> String {
    // The remarks at the top name the parameters; they are no part of the query.
    let body = query.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let filled = parameters.iter().enumerate().rev().fold(body, |body, (index, parameter)| {
        body.replace(&format!("${}", index + 1), &Literal(parameter).to_string())
    });
    filled + ";\n"
}
