//! A database for one test, and what becomes of it afterwards.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use pg_config::{Identifier, Literal};
use pg_schema::{ddl, execute_at_once};
use postgres::error::SqlState;

use crate::{
    dropping::{drop_database, end_sessions},
    error::is_refused,
    locks::{CLONES, PLACES, unlock},
    mark::kept_remark,
    name::{CloneName, State},
    prepared,
    proof::{self, NotReusable, Writes},
    server::TestServer,
    session::texts,
    template::{Content, Template},
};

/// What the mark of a clone calls it.
pub(crate) fn what(key: &str) -> String {
    format!("clone {key}")
}

/// How long a place is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long sessions that a test has closed may take to be gone; what is still there was not closed.
const GRACE: Duration = Duration::from_millis(50);

/// What became of a database that was given back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finished {
    /// It is proved to be as it was: another test gets it.
    Reusable,
    /// It was dropped: why.
    Dropped(String),
}

/// A clone that is a test's.
pub(crate) struct Lease {
    pub(crate) name: CloneName,
    place: i32,
    template: Arc<Template>,
    /// How it was when it was handed out; `None` where nothing could be proved later.
    state: Option<String>,
}

impl Lease {
    /// One that waits, or a new one.
    pub(crate) fn take(server: &TestServer, content: Content) -> anyhow::Result<Self> {
        let template = server.template(content)?;
        match Self::of(server, &template) {
            // Another process has swept the template in between.
            Err(error) if is_refused(&error, &SqlState::INVALID_CATALOG_NAME) => {
                server.forget(content);
                Self::of(server, &server.template(content)?)
            }
            outcome => outcome,
        }
    }

    fn of(server: &TestServer, template: &Arc<Template>) -> anyhow::Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(2);
        loop {
            pause = (pause * 2).min(Duration::from_millis(100));
            match Self::try_take(server, template)? {
                Some(lease) => return Ok(lease),
                None if Instant::now() < deadline => thread::sleep(pause),
                None => bail!(
                    "{} test databases are in use, as many as may be at once (a quarter of max_connections), and none \
                     was given back within {} s; see whose they are: \
                     SELECT pid, objid FROM pg_locks WHERE locktype = 'advisory' AND classid = {PLACES}",
                    server.cap,
                    PATIENCE.as_secs()
                ),
            }
        }
    }

    /// `None` where as many are in use as may be.
    fn try_take(server: &TestServer, template: &Arc<Template>) -> anyhow::Result<Option<Self>> {
        let prefix = format!("{}_ready_{}_", server.base.as_str(), template.digest);
        let mut leases = server.leases();
        loop {
            let fresh = CloneName::fresh(&server.base, &template.digest);
            let mark = server.mark.text(&what(""));
            let ask = prepared::lease(server.cap, &leases.places, [&prefix, &mark], [PLACES, CLONES, fresh.lock()]);
            let mut found = texts(&mut leases.session, &ask)?.into_iter();
            let mut next = || found.next().flatten();
            let (place, ready, is_free) = (next(), next(), next());
            let Some(place) = place else { return Ok(None) };
            let place = place.parse().context("a number")?;
            leases.places.push(place);
            if is_free.as_deref() == Some("f") {
                // Somebody has a clone of that very number.
                leases.places.pop();
                unlock(&mut leases.session, PLACES, place)?;
                continue;
            }
            let Some((ready, _)) = ready.and_then(|name| CloneName::parse(&server.base, &name)) else {
                let name = fresh.next();
                leases.clones.push(name.lock());
                drop(leases);
                let lease = Self { name, place, template: Arc::clone(template), state: None };
                return lease.made(server).map(Some);
            };
            let name = ready.next();
            leases.clones.push(name.lock());
            let test = name.in_state(State::Test);
            let rename = ddl::rename_database(&ready.in_state(State::Ready), &test);
            let outcome = texts(&mut leases.session, &format!("{rename}; {}", state(server, template, &test)));
            let lease = Self { name, place, template: Arc::clone(template), state: None };
            match outcome {
                Ok(texts) => return Ok(Some(Self { state: texts.into_iter().next().flatten(), ..lease })),
                Err(error) => {
                    lease.release_by(&mut leases)?;
                    // Somebody else has taken it between our looking at the names and our having its lock, or is in it.
                    if !is_refused(&error, &SqlState::INVALID_CATALOG_NAME)
                        && !is_refused(&error, &SqlState::OBJECT_IN_USE)
                    {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn made(mut self, server: &TestServer) -> anyhow::Result<Self> {
        let database = self.name.in_state(State::Test);
        let made = server.with_session(|session| {
            let named = (&database, &*what(&self.name.key()));
            server.create(session, &self.template, named)?;
            server.complete(session, &self.template, named, &state(server, &self.template, &database))
        });
        match made {
            Ok(texts) => {
                self.state = texts.into_iter().next().flatten();
                Ok(self)
            }
            Err(error) => {
                // What was made of it is swept: nobody holds its lock.
                let _ = self.release(server);
                Err(match is_refused(&error, &SqlState::INSUFFICIENT_PRIVILEGE) {
                    true => anyhow!(
                        "{error:#}\n  help: {} may not make databases; set ADMIN_DATABASE_URL to a connection that may",
                        server.administrator.how
                    ),
                    false => error,
                })
            }
        }
    }

    /// Keeps it for whoever wants to see why the test failed.
    pub(crate) fn keep(self, server: &TestServer) -> anyhow::Result<()> {
        let database = self.name.in_state(State::Test);
        let mut leases = server.leases();
        execute_at_once(
            &mut leases.session,
            &server.mark.statement(&database, &format!("{}; {}", what(&self.name.key()), kept_remark())),
        )?;
        self.release_by(&mut leases)
    }

    fn release(&self, server: &TestServer) -> anyhow::Result<()> {
        self.release_by(&mut server.leases())
    }

    fn release_by(&self, leases: &mut crate::server::Leases) -> anyhow::Result<()> {
        let Self { place, name, .. } = self;
        // A session may take its own lock twice, and then has it twice.
        for (held, own) in [(&mut leases.places, *place), (&mut leases.clones, name.lock())] {
            if let Some(at) = held.iter().position(|held| *held == own) {
                held.swap_remove(at);
            }
        }
        let unlock = format!(
            "SELECT pg_catalog.pg_advisory_unlock({CLONES}, {}), pg_catalog.pg_advisory_unlock({PLACES}, {place})",
            name.lock()
        );
        texts(&mut leases.session, &unlock).map(drop)
    }
}

/// The query whose one text must be the same when the clone comes back; none where nothing is proved.
fn state(server: &TestServer, template: &Template, database: &Identifier) -> String {
    match template.baseline.is_provable && server.is_proving {
        true => prepared::state(database),
        false => String::new(),
    }
}

impl Lease {
    /// Gives it back: proves that it is as it was, so that another test may have it, or drops it. At once, on the
    /// test's own thread: nothing is left behind when the process ends, and no other test waits.
    pub(crate) fn give_back(self, server: &TestServer, unprovable: Option<String>) -> anyhow::Result<Finished> {
        let why = match self.prove(server, unprovable) {
            Ok(limit) => {
                let [used, ready] = [State::Used, State::Ready].map(|state| self.name.in_state(state));
                let open =
                    format!("{}; {}", ddl::rename_database(&used, &ready), ddl::limit_connections(&ready, limit));
                let mut leases = server.leases();
                // Ready and free at once. The session that holds the lock has lived all the while: a crash of the server
                // ends all sessions, and begins all statistics anew.
                match execute_at_once(&mut leases.session, &open) {
                    Ok(()) => return self.release_by(&mut leases).map(|()| Finished::Reusable),
                    Err(error) => NotReusable::from(error),
                }
            }
            Err(why) => why,
        };
        let finished = self.drop_it(server).map(|()| Finished::Dropped(why.0));
        // Whatever it is now: if it is not ready, it is swept.
        let released = self.release(server);
        finished.and_then(|finished| released.map(|()| finished))
    }

    /// Gives how many may connect: until it is ready, the administrator alone may.
    fn prove(&self, server: &TestServer, unprovable: Option<String>) -> Result<i32, NotReusable> {
        let Self { name, template, state: before, .. } = self;
        let (test, used) = (name.in_state(State::Test), name.in_state(State::Used));
        let before = before.as_ref().ok_or("this server's statistics prove nothing")?;
        if let Some(why) = unprovable {
            return Err(NotReusable(why));
        }
        if name.lease() >= proof::MOST_LEASES {
            return Err("it was used often enough".into());
        }
        let mut by_lease = |sql: &str| server.texts(sql);
        if !end_sessions(&mut by_lease, &test, GRACE)? {
            return Err("a session or a prepared transaction stays in it".into());
        }
        // From here on no URL that the test had leads anywhere, and nobody without an administrator's rights gets in:
        // what is proved stays so.
        let close = format!(
            "{}; SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = {}; {}; {}",
            ddl::rename_database(&test, &used),
            Literal(used.as_str()),
            state(server, template, &used),
            ddl::limit_connections(&used, 0)
        );
        let after = server.texts(&close)?;
        let [Some(limit), after, Some(oid), Some(rows)] = after.as_slice() else {
            return Err("the clone is not there".into());
        };
        if after.as_ref() != Some(before) {
            server.restore_role()?;
            return Err("settings, privileges or the role were changed, or statistics reset".into());
        }
        let mut inside = server.connect_to_prove(&used).map_err(anyhow::Error::from)?;
        let number = |_| "a number that is none";
        let limit = limit.parse().map_err(number)?;
        let writes = Writes { database: oid.parse().map_err(number)?, rows: rows.parse().map_err(number)? };
        proof::prove(&mut inside, &template.baseline, writes, name.lease())?;
        drop(inside);
        end_sessions(&mut by_lease, &used, Duration::from_secs(1))?;
        Ok(limit)
    }

    fn drop_it(&self, server: &TestServer) -> anyhow::Result<()> {
        server.with_session(|session| {
            for state in [State::Test, State::Used] {
                drop_database(session, &server.administrator, &self.name.in_state(state))?;
            }
            Ok(())
        })
    }
}
