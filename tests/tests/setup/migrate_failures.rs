//! What a migrate command swallows, and what a failed one is told about its cause.

use tests::{Cluster, Run, Workspace};

/// A fresh workspace whose migrate command is this, and whose `sql/1.sql` holds that.
fn with_file(cluster: &Cluster, command: &str, sql: &str) -> Workspace {
    let workspace = Workspace::on(cluster).with("MIGRATE_COMMAND", command).with("MIGRATE_INPUTS", "sql/**");
    workspace.write("sql/1.sql", sql);
    workspace
}

/// psql goes on after a statement that fails, and ends with exit code 0.
#[test]
fn a_statement_that_psql_passes_over_is_a_failure() {
    let cluster = Cluster::start();
    let sql = "CREATE TABLE first (id int);\nCREATE TABLE second (id nothing);\nCREATE TABLE third (id int);\n";
    let run = |command: &str| with_file(&cluster, command, sql).run(&["db-setup"]);
    run("psql -X -q -f sql/1.sql").exits(1).shows("passed-over-by-psql");
    // Nothing of it counts as verified later.
    assert_eq!(Workspace::on(&cluster).verify().exits(3).with_status("fail"), ["migrations"]);
    for (command, words) in [
        ("psql -X -q -f sql/1.sql | cat", "sql/1.sql:2: ERROR:"),
        ("psql -X -q < sql/1.sql", "| ERROR:  type \"nothing\" does not exist"),
        ("psql -X -q -c 'SELECT nothing' -c 'SELECT 1'", "| ERROR:  column \"nothing\" does not exist"),
        ("psql -X -q -v VERBOSITY=verbose -f sql/1.sql", "sql/1.sql:2: ERROR:  42704:"),
        (r"echo '\i sql/2.sql' > sql/all.psql; psql -X -q -f sql/all.psql", "sql/all.psql:1: error:"),
        // The server speaks the language of lc_messages.
        ("echo 'psql:a: b.sql:12: ERREUR:  la relation existe' >&2", "b.sql:12: ERREUR:"),
        ("echo 'psql:<stdin>:3: FATAL:  terminating connection'", "<stdin>:3: FATAL:"),
    ] {
        let run = run(command).exits(1).complains(words).complains("ON_ERROR_STOP");
        assert!(!run.stdout.contains("verified"), "{command}: {}", run.stdout);
    }
    // Long before the last lines that are shown.
    let long = format!("{}; seq 1000", "psql -X -q -f sql/1.sql");
    run(&long).exits(1).complains("sql/1.sql:2: ERROR:");
}

#[test]
fn what_only_looks_like_a_failed_statement_is_none() {
    let cluster = Cluster::start();
    let sql = "CREATE TABLE IF NOT EXISTS first (id int); DO $$ BEGIN RAISE NOTICE 'ERROR:  no' ; END $$;";
    for command in [
        "psql -X -q -f sql/1.sql",
        "psql -X -q -f sql/1.sql; echo 'no psql:x.sql:1: ERROR:  here'; echo 'psql:x.sql: ERROR'; echo 'ERROR: one space'",
        // A script that means it: said, and no failure.
        "psql -X -q -f sql/1.sql; psql -X -q -c 'SELECT nothing' || true",
    ] {
        with_file(&cluster, command, sql).run(&["db-setup"]).exits(0);
    }
    let run =
        with_file(&cluster, "psql -X -q -c 'SELECT nothing' || true", sql).run(&["db-migrate", "--format", "json"]);
    assert!(run.message("migrations").contains("column \"nothing\" does not exist"), "{}", run.stdout);
}

/// Each with the statements, and what one line of the error says.
#[test]
fn a_failed_command_is_told_the_cause() {
    let cluster = Cluster::start();
    let psql = "psql -X -q -1 -v ON_ERROR_STOP=1 -f sql/1.sql";
    cluster.sql("postgres", "CREATE ROLE somebody");
    let run = |sql: &str| with_file(&cluster, psql, sql).run(&["db-setup"]).exits(1);
    // Long lines are wrapped.
    let help = |run: &Run| {
        let words = run.stderr.split("\n  help: ").skip(1);
        words.map(|words| words.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    for (sql, words) in [
        ("CREATE TABLE one (id int);\nCREATE TABLE public.two (id int);", "sql/1.sql, line 2"),
        ("-- public.here is a comment\nCREATE TABLE \"public\".two (id int);", "sql/1.sql, line 2"),
        ("SET search_path = public;\nCREATE TABLE two (id int);", "sql/1.sql, line 1"),
        ("CREATE EXTENSION file_fdw;", "DB_EXTENSIONS=file_fdw"),
        ("CREATE TABLE one (name citext);", "DB_EXTENSIONS=citext"),
        ("CREATE TABLE one (name public.hstore);", "DB_EXTENSIONS=hstore"),
        ("CREATE TABLE one (id uuid DEFAULT uuid_generate_v4());", "DB_EXTENSIONS=uuid-ossp"),
        ("CREATE TABLE one (id text); CREATE INDEX ON one USING gin (id gin_trgm_ops);", "DB_EXTENSIONS=pg_trgm"),
        ("CREATE TABLE one (id int, EXCLUDE USING gist (id WITH =));", "DB_EXTENSIONS=btree_gist"),
        ("CREATE ROLE reader;", "administrator create the role"),
        ("CREATE TABLE one (id int); GRANT SELECT ON one TO nobody_here;", "role nobody_here"),
        ("CREATE TABLE one (id int); ALTER TABLE one OWNER TO somebody;", "OWNER TO"),
        ("CREATE TABLE other.one (id int);", "CREATE SCHEMA other"),
        (
            "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE one (id int);",
            "set_config('search_path', ''",
        ),
    ] {
        let run = run(sql);
        let help = help(&run);
        assert!(help.len() == 2 && help[0].contains(words), "{sql}: {}", run.stderr);
    }
    // One line for each cause, the same cause once.
    let both = with_file(
        &cluster,
        "psql -X -q -f sql/1.sql",
        "CREATE TABLE public.a (id int); CREATE TABLE public.b (id int); CREATE TABLE c (name citext); CREATE TABLE d (name citext);",
    );
    both.run(&["db-setup"]).exits(1).shows("two-causes");
    // What is said already is not said once more.
    let named = with_file(&cluster, psql, "CREATE TABLE one (name hstore);").with("DB_EXTENSIONS", "citext");
    named.run(&["db-setup"]).exits(1).complains("DB_EXTENSIONS=citext,hstore");
    // The extension's own owner.
    let owned = with_file(&cluster, psql, "COMMENT ON EXTENSION citext IS 'text'").with("DB_EXTENSIONS", "citext");
    owned.run(&["db-setup"]).exits(1).complains("COMMENT ON EXTENSION");
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let cluster = Cluster::start();
    let psql = "psql -X -q -v ON_ERROR_STOP=1 -f sql/1.sql";
    for sql in ["CREATE TABLE one (id nothing);", "SELECT nothing();", "SELECT 1/0;", "SELEC;"] {
        let run = with_file(&cluster, psql, sql).run(&["db-setup"]).exits(1);
        assert_eq!(run.stderr.matches("help: ").count(), 1, "{sql}: {}", run.stderr);
    }
}

/// `.env.example` calls them passed through.
#[test]
fn the_apps_own_keys_of_the_file_reach_the_command() {
    let cluster = Cluster::start();
    let env =
        "env | grep -E '^(SECRET_KEY|DEBUG)=' | sort > seen; psql -X -q -c 'CREATE TABLE IF NOT EXISTS one (id int)'";
    let seen = |file: &str, process: &[(&str, &str)]| {
        let workspace = Workspace::on(&cluster).with("MIGRATE_COMMAND", env).without("MIGRATE_INPUTS");
        workspace.write(".env", file);
        let workspace = process.iter().fold(workspace, |workspace, (key, value)| workspace.with(key, value));
        workspace.run(&["db-setup"]).exits(0).never_says("s3cret");
        std::fs::read_to_string(workspace.root().join("seen")).unwrap()
    };
    for (file, values) in [
        ("SECRET_KEY=s3cret\nDEBUG=True\n", "DEBUG=True\nSECRET_KEY=s3cret\n"),
        ("export SECRET_KEY='s3cret $x #y'\nDEBUG=1 # a comment\n", "DEBUG=1\nSECRET_KEY=s3cret $x #y\n"),
        ("SECRET_KEY=\"s3cret \\\"a\\\" \\$b\"\r\n", "SECRET_KEY=s3cret \"a\" $b\n"),
        // As Django's own example has it: no tool of ours may change it.
        ("SECRET_KEY=s3cret$$(b)c&d#e=f\n", "SECRET_KEY=s3cret$$(b)c&d#e=f\n"),
        ("SECRET_KEY=\nDEBUG=''\n", ""),
        ("OTHER=s3cret\n", ""),
    ] {
        assert_eq!(seen(file, &[]), values, "{file}");
    }
    // The environment comes first.
    assert_eq!(seen("DEBUG=1\nSECRET_KEY=s3cret", &[("DEBUG", "0")]), "DEBUG=0\nSECRET_KEY=s3cret\n");
}
