//! What each check means, why it matters, how a finding comes about and how it is mended: for people who
//! meet a check's id and know nothing of it yet. Each text is a file, which reads well as it stands.

/// The text of each id, in the contract's order.
const TEXTS: &[(&str, &str)] = &[
    ("server", include_str!("explain/server.md")),
    ("role", include_str!("explain/role.md")),
    ("database", include_str!("explain/database.md")),
    ("schema", include_str!("explain/schema.md")),
    ("search-path", include_str!("explain/search-path.md")),
    ("schema-privileges", include_str!("explain/schema-privileges.md")),
    ("table-privileges", include_str!("explain/table-privileges.md")),
    ("sequence-privileges", include_str!("explain/sequence-privileges.md")),
    ("default-privileges", include_str!("explain/default-privileges.md")),
    ("ownership", include_str!("explain/ownership.md")),
    ("tables-landed", include_str!("explain/tables-landed.md")),
    ("strays", include_str!("explain/strays.md")),
    ("duplicates", include_str!("explain/duplicates.md")),
    ("bookkeeping", include_str!("explain/bookkeeping.md")),
    ("migrations", include_str!("explain/migrations.md")),
    ("public-create", include_str!("explain/public-create.md")),
    ("extensions", include_str!("explain/extensions.md")),
    ("invalid-indexes", include_str!("explain/invalid-indexes.md")),
    ("function-bodies", include_str!("explain/function-bodies.md")),
    ("sequence-values", include_str!("explain/sequence-values.md")),
    ("pooler", include_str!("explain/pooler.md")),
];

/// What a check means, by its id. The first line is a title; of the others, those that are not indented are
/// headings. No line is longer than 100 letters.
pub fn explain(id: &str) -> Option<&'static str> {
    TEXTS.iter().find(|(known, _)| *known == id).map(|(_, text)| *text)
}

/// The ids that [`explain`] knows, in the contract's order.
pub fn explained() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|(id, _)| *id)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::CHECKS;

    const PARTS: [&str; 5] =
        ["What it means", "Why it matters", "How it comes about", "How it is mended", "In the manual"];

    #[test]
    fn every_check_is_explained_and_nothing_else() {
        assert_eq!(explained().collect::<Vec<_>>(), CHECKS, "each check has its text, in the same order");
        assert_eq!(explain("nonsense"), None);
    }

    #[test]
    fn no_file_lies_there_without_an_id() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/explain");
        let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = names.collect();
        let mut known: Vec<_> = explained().map(|id| format!("{id}.md")).collect();
        files.sort_unstable();
        known.sort_unstable();
        assert_eq!(files, known);
    }

    #[test]
    fn every_text_has_its_title_and_its_five_parts_in_order() {
        for (id, text) in TEXTS {
            let mut headings = text.lines().filter(|line| !line.is_empty() && !line.starts_with(' '));
            let title = headings.next().unwrap();
            assert!(title.strip_prefix(id).is_some_and(|rest| rest.starts_with(": ")), "{id}: {title}");
            assert!(text.starts_with(title) && !title.ends_with('.'), "{id}: {title}");
            assert_eq!(headings.collect::<Vec<_>>(), PARTS, "{id}");
            for part in PARTS {
                let body = text.split(&format!("\n\n{part}\n")).nth(1).unwrap_or_default();
                assert!(body.starts_with("  "), "{id}: nothing under {part}");
            }
        }
    }

    #[test]
    fn every_text_says_what_fix_does_and_where_the_manual_says_more() {
        for (id, text) in TEXTS {
            let mended = text.split(PARTS[3]).nth(1).unwrap();
            let (mended, manual) = mended.split_once(PARTS[4]).unwrap();
            assert!(mended.contains("`--fix`"), "{id}: {mended}");
            assert!(manual.contains("https://www.postgresql.org/docs/current/"), "{id}: {manual}");
        }
    }

    #[test]
    fn every_text_is_readable_in_a_terminal_and_names_no_project() {
        for (id, text) in TEXTS {
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{id}: {line}");
                assert_eq!(line.trim_end(), line, "{id}: a space at the end");
            }
            assert!(text.ends_with('\n') && !text.ends_with("\n\n") && !text.contains('\t'), "{id}");
            assert!(!text.to_lowercase().contains("aura"), "{id}");
        }
    }
}
