//! The text of a search_path, as `pg_db_role_setting` holds it.

use pg_config::Identifier;

/// The schemas that a search_path names, unquoted, in order; `$user` stays as it is.
pub(crate) fn schemas(path: &str) -> Vec<String> {
    elements(path, str::to_lowercase)
}

/// The elements of a list setting's stored text, without their quotes; `unquoted` reads those that have none. The text
/// is not SQL: `set_config` and `SET … FROM CURRENT` store it as it was given, whatever stands in it.
pub(crate) fn elements(text: &str, unquoted: impl Fn(&str) -> String) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => take_quoted(quoted),
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (unquoted(rest[..end].trim()), &rest[end..])
            }
        };
        if !name.is_empty() {
            names.push(name);
        }
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    names
}

/// Whether a schema of the path takes the place of the server's own functions and operators: one that stands before
/// `pg_catalog`, which comes first where a path does not name it.
pub(crate) fn hides_catalog(path: &str) -> bool {
    schemas(path).iter().position(|name| name == "pg_catalog").is_some_and(|place| place > 0)
}

/// Whether a path puts the schema first and reaches the extensions in `public`.
pub(crate) fn serves(path: &str, schema: &Identifier) -> bool {
    let names = schemas(path);
    !hides_catalog(path)
        && names.first().is_some_and(|first| first == schema.as_str())
        && names.iter().any(|name| name == "public")
}

/// Whether a path leads everybody to the schema: a schema of their own name may stand before it.
pub(crate) fn leads_to(path: &str, schema: &Identifier) -> bool {
    let names = schemas(path);
    !hides_catalog(path)
        && names.iter().find(|name| *name != "$user").is_some_and(|first| first == schema.as_str())
        && names.iter().any(|name| name == "public")
}

/// Whether the path of the connection string is the session's: nothing beats it but somebody in between.
pub(crate) fn arrives(path: &str, of_session: &str) -> bool {
    schemas(path) == schemas(of_session)
}

fn take_quoted(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character != '"' {
            name.push(character);
        } else if characters.next_if(|(_, next)| *next == '"').is_some() {
            name.push('"');
        } else {
            return (name, &text[at + 1..]);
        }
    }
    (name, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_server_stores() {
        assert_eq!(schemas(r#""$user", public"#), ["$user", "public"]);
        assert_eq!(schemas(r#"Aura,"B ""c"", d" , public"#), ["aura", r#"B "c", d"#, "public"]);
        assert_eq!(schemas(r#""""#), [""; 0]);
        assert_eq!(
            schemas("aura, x;ALTER/**/ROLE/**/u/**/SUPERUSER;--"),
            ["aura", "x;alter/**/role/**/u/**/superuser;--"]
        );
        assert_eq!(elements(r#"$libdir/A, "b c""#, str::to_owned), ["$libdir/A", "b c"]);
    }

    #[test]
    fn serves_the_app_and_its_extensions() {
        let schema = Identifier::new("aura").unwrap();
        assert!(serves("aura, public", &schema) && serves("aura, extensions, public", &schema));
        assert!(leads_to(r#""$user", aura, public"#, &schema) && !leads_to(r#""$user", public, aura"#, &schema));
        assert!(!serves("aura, pg_catalog, public", &schema) && !leads_to("aura, pg_catalog, public", &schema));
        assert!(
            !hides_catalog("pg_catalog, aura, public")
                && !hides_catalog("aura, public")
                && hides_catalog(r#""$user", PG_Catalog"#)
        );
        assert!(!serves("aura", &schema) && !serves("public, aura", &schema) && !serves(r#""$user", public"#, &schema));
    }
}
