//! What others wrote is shown, and not obeyed: not by a terminal, and not by a runner of GitHub.

use std::{fs, path::Path};

use pg_config::{Identifier, Literal, is_hidden};
use tests::{Cluster, Run, Workspace, psql};

use crate::case::{CASE, set_up};

/// A line of its own for a runner, what a screen would obey, and what would turn it around.
const HOSTILE: &str = "a\n::error title=x::y\r\u{1b}[2J\u{9b}m\u{2028}\u{202e}\u{200f}##[error]é";

/// The same as a literal of SQL that no function of ours has quoted.
const SQL: &str = r"E'a\n::error title=x::y\r\u001b[2J\u009bm\u2028\u202e\u200f##[error]é'";

/// Whether a screen shows every character, and a runner obeys no line but our own.
#[track_caller]
fn assert_shown(place: &str, text: &str) {
    let is_obeyed = |letter: char| !['\n', '\t'].contains(&letter) && is_hidden(letter);
    assert!(!text.contains(is_obeyed), "{place}: {text:?}");
    for line in text.lines() {
        assert!(!line.contains("##["), "{place}: {text}");
        let is_ours = ["::error title=db-", "::warning title=db-"].iter().any(|ours| line.starts_with(ours));
        assert!(is_ours || !line.trim_start().starts_with("::"), "{place}: {text}");
    }
}

#[track_caller]
fn assert_run_shown(run: &Run) {
    assert_shown(&format!("stderr of {}", run.command), &run.stderr);
    assert_shown(&format!("stdout of {}", run.command), &run.stdout);
}

#[track_caller]
fn assert_file_shown(workspace: &Workspace, path: &str) {
    let text = fs::read_to_string(workspace.root().join(path)).unwrap();
    let is_obeyed = |letter: char| !['\n', '\t'].contains(&letter) && is_hidden(letter);
    assert!(!text.contains(is_obeyed), "{path}: {text:?}");
}

/// Names of every kind that findings name.
#[test]
fn names_of_the_catalog_are_shown_and_their_sql_can_be_pasted() {
    let (cluster, workspace) = set_up(&CASE);
    let workspace = workspace.with("GITHUB_STEP_SUMMARY", "summary.md");
    cluster.sql(
        "aura_db",
        &format!(
            "DO $do$ DECLARE hostile text := {SQL}; BEGIN
               EXECUTE format('CREATE ROLE %I', hostile);
               EXECUTE format('CREATE TABLE public.%I (id int); ALTER TABLE public.%1$I OWNER TO aura_user', hostile);
               EXECUTE format('CREATE TYPE public.%I AS ENUM ()', hostile || 't');
               EXECUTE format('CREATE FUNCTION public.%I(public.%I) RETURNS int LANGUAGE sql AS ''SELECT 1'';
                               ALTER FUNCTION public.%1$I(public.%2$I) OWNER TO aura_user', hostile, hostile || 't');
               EXECUTE format('CREATE TABLE aura.%I (id int); ALTER TABLE aura.%1$I ADD CONSTRAINT %2$I CHECK (id > 0) NOT VALID;
                               ALTER TABLE aura.%1$I OWNER TO %2$I', hostile || '2', hostile);
               EXECUTE format('CREATE TABLE aura.%I (id serial); INSERT INTO aura.%1$I VALUES (7)', hostile || '3');
               EXECUTE format('ALTER TABLE aura.%I OWNER TO aura_user', hostile || '3');
             END $do$"
        ),
    );
    let reports =
        ["--report", "junit=j.xml", "--report", "json=r.json", "--report", "markdown=r.md", "--report", "github"];
    for more in [&["--format", "json"][..], &[][..], &["-v", "--color", "never"][..]] {
        let run = workspace.run(&[&["db-verify"][..], &reports, more].concat()).exits(3);
        assert_run_shown(&run);
        ["j.xml", "r.json", "r.md", "summary.md"].iter().for_each(|path| assert_file_shown(&workspace, path));
    }
    assert_run_shown(&workspace.run(&["db-status"]));
    assert_run_shown(&workspace.run(&["db-verify", "--fix", "--dry-run"]));

    // The names are those of the catalog.
    let run = workspace.verify();
    let check = run.check("strays");
    let names: Vec<_> = check["objects"].as_array().unwrap().iter().map(|object| &object["name"]).collect();
    assert!(names.contains(&&HOSTILE.into()), "{names:?}");
    // What is printed for a person to run mends what it names.
    let found: Vec<_> = [run.with_status("fail"), run.with_status("warn")].concat();
    for id in ["ownership", "invalid-indexes", "sequence-values"] {
        assert!(found.contains(&id.to_owned()), "{id} of {found:?}");
        let fix = workspace.verify().fix(id);
        assert_shown(id, &fix);
        let admin = cluster.superuser().with_database("aura_db").url();
        psql(&admin, &["-v", "ON_ERROR_STOP=1"], &fix).exits(0);
    }
    let left = workspace.verify();
    let left = [left.with_status("fail"), left.with_status("warn")].concat();
    assert!(
        !["ownership", "invalid-indexes", "sequence-values"].iter().any(|id| left.contains(&(*id).to_owned())),
        "{left:?}"
    );
}

/// Words of a server: a message, its detail and its hint, a warning; and of the migrations.
#[test]
fn words_of_servers_and_programs_are_shown_and_no_line_of_theirs_is_ours() {
    let cluster = Cluster::start();
    let workspace = Workspace::on(&cluster).with("GITHUB_STEP_SUMMARY", "summary.md");
    workspace.run(&["db-setup"]).exits(0);
    let forged = format!("{HOSTILE}\nerror: forged\n  help: forged");
    workspace.write("words.txt", &forged);
    let reports = ["--report", "junit=j.xml", "--report", "markdown=r.md", "--report", "github"];
    let assert_told = |run: &Run, whose: &str| {
        assert_run_shown(run);
        ["j.xml", "r.md", "summary.md"].iter().for_each(|path| assert_file_shown(&workspace, path));
        assert!(run.stderr.contains("forged"), "{whose}: {}", run.stderr);
        let lines = || run.stderr.lines().filter(|line| !line.starts_with("::"));
        for line in lines().filter(|line| line.contains("forged")) {
            assert!(line.starts_with("  | ") || line.starts_with("error: ERROR"), "{whose}: {}", run.stderr);
        }
    };
    // The migrations fail, and say so.
    for more in [&[][..], &["-v"][..]] {
        let arguments = [&["db-migrate"][..], &reports, more].concat();
        let failing = workspace.command(&arguments).env("MIGRATE_COMMAND", "cat words.txt; false").output().unwrap();
        assert_told(&Run::of(arguments.join(" "), failing).exits(1), "the migrations'");
    }
    // The server refuses.
    cluster.sql(
        "aura_db",
        &format!(
            "CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $do$
             BEGIN RAISE EXCEPTION USING MESSAGE = {words}, DETAIL = {words}, HINT = {words}; END $do$;
             REVOKE USAGE ON SCHEMA aura FROM aura_user;
             CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION public.refuse()",
            words = Literal(&forged),
        ),
    );
    assert_told(&workspace.run(&[&["db-setup"][..], &reports].concat()), "the server's");
}

/// Every hidden character in a name and in a text, on a real server: it is the same name, and the same text.
#[test]
fn sql_without_hidden_characters_means_the_same() {
    let cluster = Cluster::start();
    let mut session = pg_config::connect(&cluster.superuser()).unwrap();
    let hidden: Vec<char> = ('\u{1}'..=char::MAX).filter(|letter| is_hidden(*letter)).collect();
    for conforming in ["on", "off"] {
        session.client.batch_execute(&format!("SET standard_conforming_strings = {conforming}")).unwrap();
        for letters in hidden.chunks(12) {
            let text: String =
                [r#"\"'"#, "##["].into_iter().map(str::to_owned).chain(letters.iter().map(char::to_string)).collect();
            let sql = format!("SELECT {} AS {}", Literal(&text), Identifier::from_catalog(&*text));
            assert_shown("SQL", &sql);
            let statement = session.client.prepare(&sql).unwrap_or_else(|error| panic!("{sql}: {error:#}"));
            assert_eq!(statement.columns()[0].name(), text);
            assert_eq!(session.client.query_one(&statement, &[]).unwrap().get::<_, &str>(0), text);
        }
    }
}

/// A path of the machine.
#[test]
fn names_of_files_are_shown() {
    let workspace = Workspace::new();
    let name = "a\u{1b}[2J\u{202e}##[error]";
    for arguments in [&["db-status", "--env-file", name][..], &["db-verify", "--report", &format!("json={name}/x")]] {
        assert_run_shown(&workspace.run(arguments).exits(1));
    }
    assert!(!Path::new(name).exists());
}
