//! What giving a clone back needs to know: it is read when the template is finished, and kept in its comment.

use std::fmt;

use anyhow::bail;
use pg_config::{Identifier, Rights, Session};
use pg_schema::{SqlError, ddl, execute_at_once, query_one};

use crate::session::texts;

/// What giving a clone back needs to know of how it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Baseline {
    /// Whether the statistics see all that the app's role can do.
    pub(crate) is_provable: bool,
    /// The tables that may be emptied.
    pub(crate) emptied: Vec<Emptied>,
    /// Each sequence's oid, last value and whether that was handed out.
    pub(crate) sequences: Vec<(u32, i64, bool)>,
}

/// A table without rows, of which rows may be taken out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emptied {
    pub(crate) oid: u32,
    /// Of its TOAST table; 0: it has none.
    pub(crate) toast: u32,
    /// With its schema's, quoted.
    pub(crate) name: String,
}

/// Its form. It goes into every digest too: another version of this crate makes templates of its own.
pub(crate) const FORMAT: &str = "pg-testdb 5";

impl Baseline {
    /// Whether an administrator's session can prove anything about the role.
    pub(crate) fn are_provable(session: &mut Session, role: &str) -> Result<bool, SqlError> {
        let version: i32 = query_one(session, "SELECT current_setting('server_version_num')::int4", &[])?.get(0);
        // Before 15 a collector has the statistics, and they come late.
        Ok(version >= 150_000 && query_one(session, include_str!("sql/provable.sql"), &[role])?.get::<_, bool>(0))
    }

    /// Reads them in the database itself: what there is by an administrator's session, which decides what will be
    /// emptied later; what the tables and sequences hold by the app's own, as the app's code may run then.
    pub(crate) fn read(inside: &mut Session, app: &mut Session, role: &str) -> anyhow::Result<Self> {
        assert_eq!(app.rights, Rights::App, "only the app's own session reads its tables");
        let row = query_one(inside, include_str!("sql/baseline.sql"), &[role])?;
        if row.get("has_hidden_sequence") {
            return Ok(Self::default());
        }
        let (oids, toasts): (Vec<u32>, Vec<u32>) = (row.get("tables"), row.get("toasts"));
        let names = qualified(row.get("schemas"), row.get("names"));
        let sequences: Vec<u32> = row.get("sequences");
        let sequence_names = qualified(row.get("sequence_schemas"), row.get("sequence_names"));
        // By whatever path, and whatever it runs, nothing is changed.
        execute_at_once(app, &format!("{}; BEGIN READ ONLY", ddl::SAFE_PATH))?;
        // Each asks one table; a text of many statements is read at once.
        let ask: Vec<_> = names.iter().map(|name| format!("SELECT EXISTS (SELECT FROM ONLY {name})")).collect();
        let have_rows = texts(app, &ask.join("; "))?;
        if have_rows.len() != names.len() {
            bail!("{} answers to {} questions", have_rows.len(), names.len());
        }
        let tables = oids.into_iter().zip(toasts).zip(names).zip(have_rows);
        let empty = tables.filter(|(_, has_rows)| has_rows.as_deref() == Some("f"));
        let emptied = empty.map(|(((oid, toast), name), _)| Emptied { oid, toast, name }).collect();
        let mut values = Vec::new();
        for (oid, name) in sequences.into_iter().zip(&sequence_names) {
            let row = query_one(app, &format!("SELECT last_value, is_called FROM {name}"), &[])?;
            values.push((oid, row.get(0), row.get(1)));
        }
        Ok(Self { is_provable: true, emptied, sequences: values })
    }

    /// Reads a remark of ours.
    pub(crate) fn parse(remark: &str) -> Option<Self> {
        let mut lines = remark.split('\n');
        let mut parts = lines.next()?.strip_prefix(FORMAT)?.split("; ").skip(1);
        let is_provable = parts.next()?.strip_prefix("provable=")? == "yes";
        let sequences = parts.next()?.strip_prefix("sequences=")?.split(',').filter(|part| !part.is_empty());
        let sequences = sequences.map(|part| {
            let mut words = part.split(':');
            Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()? == "t"))
        });
        let emptied = lines.map(|line| {
            let mut words = line.splitn(3, ' ');
            let (oid, toast) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            Some(Emptied { oid, toast, name: words.next()?.to_owned() })
        });
        Some(Self {
            is_provable,
            sequences: sequences.collect::<Option<_>>()?,
            emptied: emptied.collect::<Option<_>>()?,
        })
    }
}

/// Names as SQL, quoted here.
fn qualified(schemas: Vec<String>, names: Vec<String>) -> Vec<String> {
    let quoted = |name: String| Identifier::from_catalog(name);
    schemas.into_iter().zip(names).map(|(schema, name)| format!("{}.{}", quoted(schema), quoted(name))).collect()
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequences = self.sequences.iter().map(|(oid, value, called)| {
            let called = if *called { "t" } else { "f" };
            format!("{oid}:{value}:{called}")
        });
        let provable = if self.is_provable { "yes" } else { "no" };
        write!(f, "{FORMAT}; provable={provable}; sequences={}", sequences.collect::<Vec<_>>().join(","))?;
        self.emptied.iter().try_for_each(|Emptied { oid, toast, name }| write!(f, "\n{oid} {toast} {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remarked_is_read() {
        let baseline = Baseline {
            is_provable: true,
            emptied: vec![
                Emptied { oid: 16385, toast: 16388, name: "aura.\"a table\"".to_owned() },
                Emptied { oid: 16390, toast: 0, name: "aura.works".to_owned() },
            ],
            sequences: vec![(16400, 1, false), (16401, -7, true)],
        };
        assert_eq!(Baseline::parse(&baseline.to_string()), Some(baseline));
        assert_eq!(Baseline::parse(&Baseline::default().to_string()), Some(Baseline::default()));
        assert_eq!(Baseline::parse("somebody else's"), None);
    }
}
