//! The states of a server that commands begin with, and what an undisturbed run of each command comes to.

use std::{collections::BTreeMap, thread, time::Duration};

use tests::{Cluster, Stopped, Workspace};

use crate::{
    plan::{Command, Plan, Version},
    scene::{PATIENCE, Scene},
    state::State,
};

/// How a state is made on a server.
type Change = fn(&Cluster);

/// The names of the states, each with the one that it is made from, and how.
const STARTS: [(&str, &str, Change); 6] = [
    ("set up", "nothing", set_up),
    ("broken", "set up", break_it),
    ("template made", "set up", make_template),
    ("not migrated", "nothing", without_migrations),
    ("in public", "set up", to_public),
    ("in public with others", "in public", add_another),
];

/// All that the cases of one version share.
pub(crate) struct Stage {
    pub(crate) version: Version,
    starts: BTreeMap<&'static str, Stopped>,
    pub(crate) undisturbed: BTreeMap<String, Undisturbed>,
}

/// A run of a command without a fault.
pub(crate) struct Undisturbed {
    /// The numbers of the messages; of several in a row of one type and one sender, the first.
    pub(crate) messages: Vec<u64>,
    pub(crate) elapsed: Duration,
    pub(crate) before: State,
    pub(crate) after: State,
}

impl Stage {
    /// `None` where the version is not there, or no case of it was asked for.
    pub(crate) fn set(plan: &Plan, version: Version, asked: &[String]) -> Option<Self> {
        let is_asked = |prefix: &str| {
            asked.is_empty()
                || asked.iter().any(|name| name.starts_with(prefix) || prefix.starts_with(&format!("{name}/")))
        };
        if !is_asked(&format!("{}/", version.major)) {
            return None;
        }
        let mut starts = BTreeMap::from([("nothing", Stopped::empty(version.major)?)]);
        for (name, from, change) in STARTS {
            let made = starts[from].changed(change);
            starts.insert(name, made);
        }
        let stage = Self { version, starts, undisturbed: BTreeMap::new() };
        let row = |name: &str| is_asked(&format!("{}/{name}/", version.major));
        let of_crowds: Vec<_> = plan.crowds.iter().filter(|_| row("crowd")).flat_map(|crowd| &crowd.commands).collect();
        let commands = plan.commands.iter().filter(|command| row(&command.name) || of_crowds.contains(&&command.name));
        let undisturbed = thread::scope(|scope| {
            let runs = commands.map(|command| (command, scope.spawn(|| stage.undisturbed(command))));
            let runs: Vec<_> = runs.collect();
            runs.into_iter().map(|(command, run)| (command.name.clone(), run.join().unwrap())).collect()
        });
        Some(Self { undisturbed, ..stage })
    }

    /// The server that a command finds.
    pub(crate) fn start(&self, command: &Command) -> &Stopped {
        self.starts.get(command.start.as_str()).unwrap_or_else(|| panic!("no start {:?}", command.start))
    }

    /// What a command does without a fault. Twice: what differs is not compared later.
    fn undisturbed(&self, command: &Command) -> Undisturbed {
        let run = || {
            let cluster = self.start(command).start(&[]);
            let before = State::of(&cluster);
            let scene = Scene::set(cluster, command, None, PATIENCE);
            let ended = scene.run(command);
            assert_eq!(ended.code, Some(0), "{} without a fault\n{}", command.name, ended.stderr);
            Undisturbed { messages: scene.messages(), elapsed: ended.elapsed, before, after: State::of(&scene.cluster) }
        };
        let (first, second) = (run(), run());
        let difference = first.after.difference(&second.after);
        assert!(difference.is_empty(), "{} differs from run to run: {difference}", command.name);
        second
    }

    /// Deletes what was made for it.
    pub(crate) fn delete(mut self) {
        for (name, _, _) in STARTS {
            self.starts.remove(name).unwrap().delete();
        }
    }
}

/// As a database is after some days: with settings, privileges and a comment of a person's own.
fn set_up(cluster: &Cluster) {
    Workspace::on(cluster).run(&["db-setup"]).exits(0);
    cluster.sql(
        "aura_db",
        "CREATE ROLE analyst LOGIN;
         GRANT CONNECT ON DATABASE aura_db TO analyst;
         ALTER DATABASE aura_db SET timezone TO 'Europe/Paris';
         ALTER ROLE analyst IN DATABASE aura_db SET work_mem TO '8MB';
         COMMENT ON DATABASE aura_db IS 'The gallery'",
    );
}

/// What `db-verify --fix` may fix: a path, owners, privileges, default privileges, an index.
fn break_it(cluster: &Cluster) {
    cluster.sql(
        "aura_db",
        "SET ROLE NONE;
         ALTER ROLE aura_user IN DATABASE aura_db RESET search_path;
         ALTER TABLE aura.artworks_artist OWNER TO postgres;
         REVOKE SELECT ON aura.taggit_tag FROM aura_user;
         GRANT CREATE ON SCHEMA public TO PUBLIC",
    );
}

/// Everything but the tables.
fn without_migrations(cluster: &Cluster) {
    let nothing_made = Workspace::on(cluster).with("MIGRATE_COMMAND", "true").run(&["db-setup"]);
    assert_eq!(nothing_made.code, 3, "{}", nothing_made.stderr);
}

/// As after the first copy.
fn make_template(cluster: &Cluster) {
    let workspace = Workspace::on(cluster);
    workspace.run(&["db-clone", "first"]).exits(0);
    workspace.run(&["db-drop", "first", "--yes", "--host", "127.0.0.1"]).exits(0);
}

/// As a database that was made by hand: no schema, no path, and the app's tables and views in `public`.
fn to_public(cluster: &Cluster) {
    cluster.sql(
        "aura_db",
        "DO $$
         DECLARE relation record;
         BEGIN
             FOR relation IN SELECT oid::pg_catalog.regclass AS name FROM pg_catalog.pg_class
                             WHERE relnamespace = 'aura'::pg_catalog.regnamespace AND relkind IN ('r', 'p', 'v', 'm')
             LOOP
                 EXECUTE pg_catalog.format('ALTER TABLE %s SET SCHEMA public', relation.name);
             END LOOP;
         END $$;
         DROP SCHEMA aura CASCADE;
         ALTER ROLE aura_user IN DATABASE aura_db RESET search_path;
         GRANT CREATE ON SCHEMA public TO aura_user",
    );
}

/// A table that stays: the schema cannot be renamed.
fn add_another(cluster: &Cluster) {
    cluster.sql("aura_db", "CREATE TABLE public.theirs (id int); ALTER TABLE public.theirs OWNER TO analyst");
}
