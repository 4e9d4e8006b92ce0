//! What made a migrate command fail, by the server's words: one line for each cause that is known.

use std::{fs, path::Path};

use pg_config::{Config, Identifier};

/// A cause that the server's words show.
struct Cause {
    /// What stands before the name that the words hold.
    before: &'static str,
    /// What stands behind it.
    after: &'static str,
    /// What to do; nothing where the name is not known.
    advice: fn(&str, &Config) -> Option<String>,
}

const CAUSES: [Cause; 16] = [
    cause("permission denied for schema public", "", |_, config| Some(public(config))),
    cause("no schema has been selected to create in", "", |_, config| Some(empty_path(config))),
    cause("permission denied to create extension \"", "\"", |name, config| {
        Some(format!("{}; write CREATE EXTENSION IF NOT EXISTS, where the migrations keep it", extension(name, config)))
    }),
    cause("must be owner of extension ", "\n", |name, _| {
        Some(format!(
            "the administrator owns extension {name}: take COMMENT ON EXTENSION and ALTER EXTENSION out of the migrations \
             (pg_dump --no-comments leaves the comments out)"
        ))
    }),
    cause("type \"", "\" does not exist", |name, config| Some(extension(of_type(name)?, config))),
    cause("function ", "(", |name, config| Some(extension(of_function(name)?, config))),
    cause("operator class \"", "\" does not exist", |name, config| Some(extension(of_operator_class(name)?, config))),
    cause("has no default operator class for access method \"", "\"", |method, config| match method {
        "gist" => Some(extension("btree_gist", config)),
        "gin" => Some(extension("btree_gin", config)),
        _ => None,
    }),
    cause("permission denied to create role", "", |_, _| Some(roles())),
    cause("permission denied to alter role", "", |_, _| Some(roles())),
    cause("role \"", "\" does not exist", |name, _| {
        Some(format!(
            "have an administrator create role {name}, or take it out of the migrations (pg_dump --no-owner \
             --no-privileges)"
        ))
    }),
    cause("must be able to SET ROLE \"", "\"", |name, _| Some(owner(name))),
    cause("must be member of role \"", "\"", |name, _| Some(owner(name))),
    cause("schema \"", "\" does not exist", |name, _| {
        let schema = Identifier::from_catalog(name);
        Some(format!("the migrations use schema {name} before it exists: write CREATE SCHEMA {schema} before that"))
    }),
    cause("must be superuser", "", |_, _| Some(superuser())),
    cause("permission denied to create event trigger", "", |_, _| Some(superuser())),
];

const fn cause(before: &'static str, after: &'static str, advice: fn(&str, &Config) -> Option<String>) -> Cause {
    Cause { before, after, advice }
}

/// Of each cause that these words of the command show, what to do about it.
pub(super) fn diagnose<'a>(words: impl Iterator<Item = &'a str>, config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    for line in words {
        for Cause { before, after, advice } in &CAUSES {
            let Some((_, rest)) = line.split_once(before) else { continue };
            let name = match *after {
                "" => "",
                "\n" => rest.split(|letter: char| letter.is_whitespace() || letter == ',').next().unwrap_or(rest),
                after => match rest.split_once(after) {
                    Some((name, _)) => name,
                    None => continue,
                },
            };
            if let Some(advice) = advice(name, config).filter(|advice| !found.contains(advice)) {
                found.push(advice);
            }
        }
    }
    found
}

/// Where the migrations name `public`.
fn public(config: &Config) -> String {
    let places = places(config, names_public);
    let says = if places.is_empty() { String::new() } else { format!(": see {places}") };
    format!(
        "schema public is left to extensions: let the migrations name no schema and set no search_path{says}; do not GRANT \
         CREATE on public"
    )
}

/// Where the migrations take the path away.
fn empty_path(config: &Config) -> String {
    let places = places(config, |line| line.contains("set_config('search_path', ''"));
    let says = if places.is_empty() { String::new() } else { format!(" ({places})") };
    format!(
        "the migrations set an empty search_path: take SELECT pg_catalog.set_config('search_path', '', false) of pg_dump out \
         of them{says}"
    )
}

/// The setting with which db-setup makes an extension, beside those that it makes already.
fn extension(name: &str, config: &Config) -> String {
    let set: Vec<_> = config.extensions.value.iter().map(Identifier::as_str).collect();
    if set.contains(&name) {
        return format!("extension {name} is out of the migrations' reach: cargo xtask db-verify says where it lies");
    }
    let all = set.into_iter().chain([name]).collect::<Vec<_>>().join(",");
    format!("set DB_EXTENSIONS={all}: db-setup then creates extension {name} before the migrations run")
}

/// The extension that has a type.
fn of_type(name: &str) -> Option<&'static str> {
    Some(match name.trim_end_matches("[]").rsplit('.').next()? {
        "citext" => "citext",
        "hstore" => "hstore",
        "ltree" | "lquery" | "ltxtquery" => "ltree",
        "cube" => "cube",
        "seg" => "seg",
        "isbn" | "isbn13" | "issn" | "issn13" | "ean13" | "upc" => "isn",
        "vector" | "halfvec" | "sparsevec" => "vector",
        "geometry" | "geography" => "postgis",
        "raster" => "postgis_raster",
        _ => return None,
    })
}

/// The extension that has a function.
fn of_function(name: &str) -> Option<&'static str> {
    Some(match name.rsplit('.').next()? {
        "uuid_generate_v1" | "uuid_generate_v1mc" | "uuid_generate_v3" | "uuid_generate_v4" | "uuid_generate_v5"
        | "uuid_nil" => "uuid-ossp",
        "crypt" | "gen_salt" | "digest" | "hmac" | "pgp_sym_encrypt" | "pgp_sym_decrypt" => "pgcrypto",
        "unaccent" => "unaccent",
        "similarity" | "word_similarity" => "pg_trgm",
        "st_makepoint" | "st_setsrid" | "st_geomfromtext" | "addgeometrycolumn" => "postgis",
        "create_hypertable" => "timescaledb",
        _ => return None,
    })
}

/// The extension that has an operator class.
fn of_operator_class(name: &str) -> Option<&'static str> {
    Some(match name.rsplit('.').next()? {
        "gin_trgm_ops" | "gist_trgm_ops" => "pg_trgm",
        "vector_l2_ops" | "vector_ip_ops" | "vector_cosine_ops" => "vector",
        "gist_ltree_ops" => "ltree",
        _ => return None,
    })
}

fn roles() -> String {
    "roles belong to the whole server: have an administrator create the role, and let the migrations pass over one that exists"
        .to_owned()
}

fn owner(name: &str) -> String {
    format!("the migrations give objects to role {name}: take OWNER TO out of them (pg_dump --no-owner)")
}

fn superuser() -> String {
    "this takes a superuser: have an administrator run the statement, and take it out of the migrations".to_owned()
}

/// How many places are named.
const MOST_PLACES: usize = 3;

/// The first lines of the migrations' files that are so: `sql/1.sql, line 2; sql/2.sql, line 9 (and 3 more)`.
fn places(config: &Config, is_so: fn(&str) -> bool) -> String {
    let root = &config.project.root;
    let files = config.migrations.files(root).ok().flatten().unwrap_or_default();
    let mut places = Vec::new();
    for path in files {
        // What is no text is no migration.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let file = shown(&path, root);
        let lines = text.lines().enumerate().filter(|(_, line)| is_so(line.split("--").next().unwrap_or_default()));
        places.extend(lines.map(|(index, _)| format!("{file}, line {}", index + 1)));
    }
    let more = places.len().saturating_sub(MOST_PLACES);
    places.truncate(MOST_PLACES);
    let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    places.join("; ") + &more
}

fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Whether a line names something in `public`, or sets a path that begins there.
fn names_public(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let is_qualified = ["public", "\"public\""].iter().any(|schema| {
        line.match_indices(schema).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let is_start = !before.is_some_and(|letter| letter.is_alphanumeric() || "_.\"$'".contains(letter));
            let after = line[at + schema.len()..].strip_prefix('.');
            is_start
                && after.is_some_and(|after| {
                    after.starts_with(|letter: char| letter.is_alphabetic() || "_\"".contains(letter))
                })
        })
    });
    let sets_path = || {
        let path =
            line.split_once("search_path").map(|(_, path)| path.trim_start_matches([' ', '=', '\'', '"', ',', '(']));
        path.is_some_and(|path| path.trim_start_matches("to ").trim_start_matches(['\'', '"']).starts_with("public"))
    };
    is_qualified || sets_path()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_names_public_is_known() {
        for line in [
            "CREATE TABLE public.two (id int)",
            "create table \"public\".\"two\" (id int)",
            "SELECT * FROM one, Public.two",
            "REFERENCES public.two(id)",
            "SET search_path = public, aura",
            "SET search_path TO 'public'",
        ] {
            assert!(names_public(line), "{line}");
        }
        for line in [
            "CREATE TABLE republic.two (id int)",
            "CREATE TABLE my_public.two (id int)",
            "the public. A sentence",
            "x.public.two",
            "SET search_path = aura, public",
            "public",
        ] {
            assert!(!names_public(line), "{line}");
        }
    }
}
