//! The names of databases: what they are, in which state they are, and whose.
//!
//! ```text
//! aura_db_template_0123456789ab            a template, sealed
//! aura_db_building_0123456789ab            one that is being made
//! aura_db_ready_0123456789ab_89abcdef_7    a clone that waits for a test
//! aura_db_test_0123456789ab_89abcdef_8     the same with the test that holds the lock 89abcdef
//! aura_db_used_0123456789ab_89abcdef_8     the same, given back and not yet proved
//! aura_db_cloning_0123456789ab             what `db-clone` is making
//! aura_db_clone_NAME                       what `db-clone NAME` has made
//! ```
//!
//! The last number goes up with every lease: no URL of an earlier test leads to a later one's database.

use pg_config::{Identifier, fitted, short_digest};

/// The name of a project's database, cut so that everything fits behind it.
#[derive(Clone, Debug)]
pub(crate) struct BaseName(String);

/// The longest that comes behind: `_building_` and a digest, or `_ready_`, a digest, a lock and a number.
const ROOM: usize = 63 - "_ready_0123456789ab_89abcdef_9999999".len();

impl BaseName {
    pub(crate) fn of(database: &Identifier) -> Self {
        let name = database.as_str();
        Self(fitted(name, ROOM, &short_digest(name.as_bytes())[..6]))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn template(&self, digest: &str) -> Identifier {
        Identifier::from_catalog(format!("{}_template_{digest}", self.0))
    }

    pub(crate) fn building(&self, digest: &str) -> Identifier {
        Identifier::from_catalog(format!("{}_building_{digest}", self.0))
    }

    /// One that `db-clone` is making; the digest is that of its name.
    pub(crate) fn cloning(&self, digest: &str) -> Identifier {
        Identifier::from_catalog(format!("{}_cloning_{digest}", self.0))
    }

    /// The prefix of what `db-clone` makes.
    pub(crate) fn clone_prefix(&self) -> String {
        format!("{}_clone_", self.0)
    }
}

/// Where a clone is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    Test,
    Used,
}

/// The name of one clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloneName {
    /// The base name; with the digest, what is the same for its whole life.
    base: String,
    digest: String,
    /// Tells it from all others; who holds the advisory lock of this number owns the clone.
    key: u32,
    lease: u32,
}

impl CloneName {
    pub(crate) fn fresh(base: &BaseName, digest: &str) -> Self {
        let mut key = [0; 4];
        getrandom::fill(&mut key).expect("the operating system gives random bytes");
        Self { base: base.0.clone(), digest: digest.to_owned(), key: u32::from_ne_bytes(key), lease: 0 }
    }

    /// Reads the name of a clone with this base name.
    pub(crate) fn parse(base: &BaseName, name: &str) -> Option<(Self, State)> {
        let rest = name.strip_prefix(&base.0)?.strip_prefix('_')?;
        let mut parts = rest.split('_');
        let state = match parts.next()? {
            "ready" => State::Ready,
            "test" => State::Test,
            "used" => State::Used,
            _ => return None,
        };
        let digest = parts.next().filter(|part| is_hex(part, 12))?.to_owned();
        let key = u32::from_str_radix(parts.next().filter(|part| is_hex(part, 8))?, 16).ok()?;
        let lease = parts.next()?.parse().ok()?;
        parts.next().is_none().then(|| (Self { base: base.0.clone(), digest, key, lease }, state))
    }

    /// The next test's.
    pub(crate) fn next(&self) -> Self {
        // Seven digits have room in the name; long before, the clone has grown and was dropped.
        Self { lease: (self.lease + 1) % 10_000_000, ..self.clone() }
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn lease(&self) -> u32 {
        self.lease
    }

    pub(crate) fn in_state(&self, state: State) -> Identifier {
        let word = match state {
            State::Ready => "ready",
            State::Test => "test",
            State::Used => "used",
        };
        Identifier::from_catalog(format!("{}_{word}_{}_{:08x}_{}", self.base, self.digest, self.key, self.lease))
    }

    /// What tells it from all others, as its name and its mark have it.
    pub(crate) fn key(&self) -> String {
        format!("{:08x}", self.key)
    }

    /// The number of its lock: PostgreSQL's are signed.
    pub(crate) fn lock(&self) -> i32 {
        self.key.cast_signed()
    }
}

pub(crate) fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(database: &str) -> BaseName {
        BaseName::of(&Identifier::from_catalog(database))
    }

    #[test]
    fn names_are_read_as_they_are_written_and_others_are_nobodys() {
        let base = base("aura_db");
        let name = CloneName::fresh(&base, "0123456789ab").next();
        for state in [State::Ready, State::Test, State::Used] {
            let text = name.in_state(state);
            assert_eq!(CloneName::parse(&base, text.as_str()), Some((name.clone(), state)));
        }
        for other in [
            "aura_db",
            "aura_db_test",
            "aura_db_clone_test_0123456789ab_89abcdef_1",
            "aura_db_test_0123456789AB_89abcdef_1",
            "aura_db_test_0123456789ab_89abcdef_1_2",
            "aura_db2_test_0123456789ab_89abcdef_1",
        ] {
            assert_eq!(CloneName::parse(&base, other), None, "{other}");
        }
    }

    #[test]
    fn every_name_fits_whatever_the_database_is_called() {
        let longest = base(&"é".repeat(31));
        assert_ne!(longest.0, base(&format!("{}e", "é".repeat(30))).0);
        let mut name = CloneName::fresh(&longest, "0123456789ab");
        name.lease = 9_999_998;
        assert!(name.next().in_state(State::Ready).as_str().len() <= 63);
        assert!(longest.building("0123456789ab").as_str().len() <= 63);
    }
}
