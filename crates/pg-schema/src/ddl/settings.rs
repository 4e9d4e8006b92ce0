//! Statements that store settings for roles and databases.

use pg_config::{Identifier, Literal};

use crate::path::elements;

/// The statement that gives a setting to a database, or to a role in it; `text` is `name=value`, as `pg_db_role_setting`
/// holds it.
pub(crate) fn set_in_database(role: Option<&Identifier>, database: &Identifier, text: &str) -> String {
    let assignment = assignment(text);
    match role {
        None => format!("ALTER DATABASE {database} SET {assignment}"),
        Some(role) => format!("ALTER ROLE {role} IN DATABASE {database} SET {assignment}"),
    }
}

/// The statement that gives a role a setting in every database; `text` is `name=value`, as `pg_db_role_setting` holds it.
pub fn set_of_role(role: &Identifier, text: &str) -> String {
    format!("ALTER ROLE {role} SET {}", assignment(text))
}

/// The statement that takes a stored setting away: of a role, of a database, of a role in one, or of all roles.
pub(crate) fn reset_setting(role: Option<&Identifier>, database: Option<&Identifier>, name: &str) -> String {
    let whose = match (role, database) {
        (Some(role), Some(database)) => format!("ROLE {role} IN DATABASE {database}"),
        (Some(role), None) => format!("ROLE {role}"),
        (None, Some(database)) => format!("DATABASE {database}"),
        (None, None) => "ROLE ALL".to_owned(),
    };
    format!("ALTER {whose} RESET {}", setting_name(name))
}

/// Those whose stored text is a list (`variable_is_guc_list_quote` of pg_dump): of names, and of files.
const NAMES: [&str; 2] = ["search_path", "temp_tablespaces"];
const FILES: [&str; 4] =
    ["local_preload_libraries", "session_preload_libraries", "shared_preload_libraries", "unix_socket_directories"];

fn assignment(text: &str) -> String {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let known = name.to_lowercase();
    let elements = match value {
        names if NAMES.contains(&known.as_str()) => elements(names, str::to_lowercase),
        files if FILES.contains(&known.as_str()) => elements(files, str::to_owned),
        value => vec![value.to_owned()],
    };
    // An element of a list is a literal too, as pg_dump has it: the stored text is not SQL.
    let value = match elements.as_slice() {
        [] => "''".to_owned(),
        elements => elements.iter().map(|element| Literal(element).to_string()).collect::<Vec<_>>().join(", "),
    };
    format!("{} TO {value}", setting_name(name))
}

/// An extension's has two parts. `role` is a word of SQL's, and stands without quotes here.
fn setting_name(name: &str) -> String {
    name.split('.').map(|part| Identifier::from_catalog(part).to_string()).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_pg_dump_does() {
        let setting = |role: &str, text: &str| {
            let role = Some(role).filter(|role| !role.is_empty()).map(Identifier::from_catalog);
            set_in_database(role.as_ref(), &Identifier::from_catalog("d"), text)
        };
        assert_eq!(
            setting("r", r#"search_path="$user", public"#),
            "ALTER ROLE r IN DATABASE d SET search_path TO '$user', 'public'"
        );
        assert_eq!(
            setting("r", "search_path=aura, x;ALTER/**/ROLE/**/u/**/SUPERUSER;--"),
            "ALTER ROLE r IN DATABASE d SET search_path TO 'aura', 'x;alter/**/role/**/u/**/superuser;--'"
        );
        assert_eq!(
            setting("", r#"session_preload_libraries=$libdir/Plugins/a, "b""#),
            "ALTER DATABASE d SET session_preload_libraries TO '$libdir/Plugins/a', 'b'"
        );
        assert_eq!(setting("", "work_mem=4 MB"), "ALTER DATABASE d SET work_mem TO '4 MB'");
        assert_eq!(setting("", "my.name=it's"), "ALTER DATABASE d SET my.name TO 'it''s'");
        assert_eq!(setting("", "search_path="), "ALTER DATABASE d SET search_path TO ''");
    }
}
