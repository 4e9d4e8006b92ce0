//! What an SQLSTATE (the manual's appendix A) means for people: whether waiting may help, and what to do.

use postgres::error::{DbError, SqlState};

/// What to do about an error that does not come from the statement itself.
pub fn sqlstate_help(code: &SqlState) -> Option<&'static str> {
    MEANINGS.iter().find(|meaning| meaning.is_of(code)).map(|meaning| meaning.help)
}

/// What the SQLSTATEs with the same beginning mean.
#[derive(Debug, PartialEq, Eq)]
pub struct Meaning {
    /// What they begin with.
    code: &'static str,
    pub(crate) effect: Effect,
    /// What to do.
    pub(crate) help: &'static str,
}

/// What an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// One statement, or its transaction.
    Statement,
    /// The server, which gives no session now. Waiting may help.
    Passing,
    /// The server, until somebody does something.
    Lasting,
    /// Files of the server that are missing or damaged.
    Damage,
}

/// The first that fits counts.
static MEANINGS: [Meaning; 14] = [
    Meaning {
        code: "0A000",
        effect: Effect::Statement,
        help: "the server does not support this: where it is a standby, name the primary server; where it is older, use a \
               newer version",
    },
    Meaning {
        code: "25006",
        effect: Effect::Statement,
        help: "the server is a standby, or default_transaction_read_only is on: name the server that can be written to, or RESET \
               that setting",
    },
    Meaning { code: "40", effect: Effect::Statement, help: "another session came between: run the command again" },
    Meaning {
        code: "53300",
        effect: Effect::Passing,
        help: "end sessions that are not needed (pg_stat_activity lists them), or raise max_connections, or the CONNECTION LIMIT of \
               the role or of the database",
    },
    Meaning { code: "53100", effect: Effect::Lasting, help: "make room on the server's disk" },
    Meaning { code: "53200", effect: Effect::Passing, help: "the server's machine needs more free memory" },
    Meaning { code: "53", effect: Effect::Passing, help: "the server's log says what it lacks" },
    Meaning {
        code: "55P03",
        effect: Effect::Statement,
        help: "end the session that holds the lock (pg_stat_activity lists them), or wait for it, and run the command again",
    },
    Meaning {
        code: "57014",
        effect: Effect::Statement,
        help: "statement_timeout of the role, the database or the server, or a person ended it: raise it (ALTER ROLE … SET \
               statement_timeout), and run the command again",
    },
    Meaning { code: "57", effect: Effect::Statement, help: "run the command again; the server's log may say more" },
    Meaning { code: "58", effect: Effect::Damage, help: DAMAGED },
    Meaning { code: "XX001", effect: Effect::Damage, help: DAMAGED },
    Meaning { code: "XX002", effect: Effect::Damage, help: DAMAGED },
    // Poolers give it for many reasons.
    Meaning { code: "XX", effect: Effect::Lasting, help: "the log of the server, or of a pooler before it, says more" },
];

/// The files of one database are gone, of which the catalog knows.
static MISSING_FILES: Meaning = Meaning { code: "3D000", effect: Effect::Damage, help: DAMAGED };

const DAMAGED: &str = "files of the server are missing or damaged, and its log says which: restore a backup of the database, or drop \
                       it and make it again";

impl Meaning {
    /// Of an error of a login, where it is about the server: it says nothing of the role, its password or `pg_hba.conf`.
    pub(crate) fn of_login(error: &DbError) -> Option<&'static Self> {
        // Where a database is not there at all, the detail names no directory (`InitPostgres`, `postinit.c`).
        let names_directory = |detail: &str| detail.contains("base/") || detail.contains("pg_tblspc/");
        if *error.code() == SqlState::INVALID_CATALOG_NAME && error.detail().is_some_and(names_directory) {
            return Some(&MISSING_FILES);
        }
        MEANINGS.iter().find(|meaning| meaning.is_of(error.code()) && meaning.effect != Effect::Statement)
    }

    fn is_of(&self, code: &SqlState) -> bool {
        code.code().starts_with(self.code)
    }
}
