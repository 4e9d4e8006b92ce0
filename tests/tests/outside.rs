//! Another workspace, outside this one, that uses the commands and the test databases as the README says.

#![expect(clippy::unwrap_used, reason = "a test has nobody to tell but its reader")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Stdio,
};

use tests::{Run, alone, cargo_of, kept, psql, skipped};

/// What the workspace has before: the README's lines are added to that. Its debug information nobody needs.
const BEFORE: [(&str, &str); 6] = [
    ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"shop\", \"xtask\"]\n[profile.dev]\ndebug = false\n"),
    ("shop/Cargo.toml", "[package]\nname = \"shop\"\nedition = \"2024\"\n"),
    ("shop/src/lib.rs", ""),
    ("shop/tests/many.rs", MANY),
    (
        "schema.sql",
        "CREATE TABLE IF NOT EXISTS orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, article text NOT NULL);\n",
    ),
    (".config/nextest.toml", NEXTEST),
];

const MANY: &str = r#"
macro_rules! tests { ($($name:ident)*) => { $(#[test] fn $name() { one() })* } }

tests!(a b c d e f g h);

fn one() {
    let db = pg_testdb::TestDb::new().unwrap();
    let mut client = db.client().unwrap();
    client.execute("INSERT INTO orders (article) VALUES ('tea')", &[]).unwrap();
    let row = client.query_one("SELECT count(*), current_schema()::text, max(id) FROM orders", &[]).unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, &str>(1), row.get::<_, i64>(2)), (1, "shop", 1));
    println!("database {}", db.name());
}
"#;

/// Where the README has this repository from.
const URL: &str = "\"https://git.example/aura\"";

/// A setup script of the runner's has all its tests use the server that it has set up.
const NEXTEST: &str = r#"
experimental = ["setup-scripts"]

[scripts.setup.database]
command = ["sh", "-c", """
    cargo xtask db-setup && cargo xtask db-url | sed s/^/DATABASE_URL=/ >"$NEXTEST_ENV"
"""]

[[profile.scripted.scripts]]
filter = "all()"
setup = "database"
"#;

/// The workspace. Always at the same place, so that cargo need not build it anew; a server that it has started ends
/// with the value.
struct Outside {
    root: PathBuf,
    target: PathBuf,
    servers: PathBuf,
    _alone: File,
}

impl Outside {
    fn new() -> Self {
        let place = std::env::temp_dir();
        let mut key = DefaultHasher::new();
        (kept("outside"), &place).hash(&mut key);
        let name = format!("outside-{:016x}", key.finish());
        // What cargo has built knows where: another place is another target.
        let target = kept(&name);
        let alone = alone(&target);
        let root = place.join(format!("aura-tests-{name}"));
        let servers = pg_server::scratch().join(format!("aura-tests-{name}-servers"));
        let outside = Self { root, target, servers, _alone: alone };
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut files: BTreeMap<_, _> = BEFORE.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let readme = fs::read_to_string(repository.join("README.md")).unwrap();
        for (path, text) in of_the_readme(&readme) {
            // By path what is there by git.
            let text =
                [("xtask", "xtask"), ("pg-testdb", "crates/pg-testdb")].iter().fold(text, |text, (name, place)| {
                    let place = repository.join(place);
                    text.replace(
                        &format!("\n{name} = {{ git = {URL} }}"),
                        &format!("\n{name} = {{ path = {place:?} }}"),
                    )
                });
            assert!(!text.contains(URL), "{path}: {text}");
            files.entry(path).or_default().push_str(&text);
        }
        for (path, text) in files {
            outside.write(&path, &text);
        }
        // The versions that this workspace has: no newer ones, and none that would have to be fetched.
        fs::copy(repository.join("Cargo.lock"), outside.root.join("Cargo.lock")).unwrap();
        outside
    }

    /// What has not changed is left alone: cargo goes by the time.
    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs cargo there, with a server of the workspace's own.
    fn cargo(&self, arguments: &str) -> Run {
        let mut cargo = cargo_of(&self.root, &self.target);
        cargo.args(arguments.split(' ')).stdin(Stdio::null());
        cargo.env("DB_DATA_DIR", &self.servers).env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        Run::of(format!("cargo {arguments}"), cargo.output().unwrap())
    }

    /// All databases of the server that are named after the project's.
    fn databases(&self) -> Vec<String> {
        let administrator = self.cargo("xtask db-url --admin").exits(0);
        let sql = "SELECT datname FROM pg_catalog.pg_database WHERE datname ~ '^shop_db_' ORDER BY datname";
        psql(administrator.line(), &[], sql).exits(0).stdout.lines().map(str::to_owned).collect()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.cargo("xtask db-stop --purge --yes");
    }
}

/// Path and text of each file that the README's section has lines for.
fn of_the_readme(readme: &str) -> Vec<(String, String)> {
    let section = readme.split_once("\n## Use it in your own workspace\n").unwrap().1.split("\n## ").next().unwrap();
    // Every second part is a block.
    let blocks = section.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap().1);
    let mut files: Vec<(String, String)> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        let remark = line.strip_prefix("# ").or_else(|| line.strip_prefix("// "));
        match remark.and_then(|remark| remark.split([' ', ',']).next()) {
            Some(path) => files.push((path.to_owned(), String::new())),
            None => files.last_mut().unwrap().1.push_str(&format!("{line}\n")),
        }
    }
    let paths: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
    let toml = ["Cargo.toml", ".cargo/config.toml", "xtask/Cargo.toml", "shop/Cargo.toml"];
    assert_eq!(paths, [&toml[..], &["xtask/src/main.rs", "shop/tests/orders.rs"]].concat());
    files
}

#[test]
fn another_workspace_is_set_up_verified_and_tested_as_the_readme_says() {
    let outside = Outside::new();
    outside.cargo("test").exits(0).complains("Running tests/orders.rs");
    // It started the server, and needed nothing else.
    assert!(outside.databases().iter().any(|name| name.starts_with("shop_db_template_")), "{:?}", outside.databases());
    let run = outside.cargo("xtask db-setup").exits(0).complains("new: 1 table, 1 sequence in shop");
    assert!(
        run.stdout.contains("verified: ") && run.stdout.contains("database shop_db, schema shop"),
        "{}",
        run.stdout
    );
    outside.cargo("xtask db-verify").exits(0);
    outside.cargo("xtask db-setup").exits(0).complains("migrations: unchanged since the last verified run, skipped");
    let run = outside.cargo("test").exits(0);
    assert!(run.stdout.contains("test an_order_is_kept ... ok"), "{}", run.stdout);
    outside.cargo("xtask db-stop --purge --yes").exits(0);
    assert_eq!(outside.cargo("xtask db-verify").code, 4, "the server has gone");
}

/// The one that CI has is preinstalled there; a machine without it skips.
fn has_nextest(outside: &Outside) -> bool {
    let is_there = outside.cargo("nextest --version").code == 0;
    if !is_there {
        skipped("cargo-nextest is not installed (https://nexte.st)");
    }
    is_there
}

#[test]
fn under_nextest_a_process_for_each_test_takes_what_another_gave_back() {
    let outside = Outside::new();
    if !has_nextest(&outside) {
        return;
    }
    // One after the other: all of them have the same database, each under a name of its own.
    let named = names(&outside.cargo("nextest run --test many --no-fail-fast --success-output immediate -j 1"));
    let keys: BTreeSet<_> = named.iter().map(|(key, _)| key).collect();
    let leases: Vec<_> = named.iter().map(|(_, lease)| *lease).collect();
    let administrator = outside.cargo("xtask db-url --admin").exits(0);
    let version: u32 = psql(administrator.line(), &[], "SHOW server_version_num").line().parse().unwrap();
    if version >= 150_000 {
        assert_eq!((keys.len(), leases), (1, (1..=8).collect()), "{named:?}");
    }
    // At once: no more than there are processes, the first among them.
    let at_once = names(&outside.cargo("nextest run --test many --no-fail-fast --success-output immediate -j 4"));
    let more: BTreeSet<_> = at_once.iter().map(|(key, _)| key).collect();
    if version >= 150_000 {
        assert!(more.len() <= 4 && more.is_superset(&keys), "{more:?}");
        let left = outside.databases();
        let (templates, clones): (Vec<_>, Vec<_>) = left.iter().partition(|name| name.starts_with("shop_db_template_"));
        assert!(clones.iter().all(|name| name.starts_with("shop_db_ready_")), "{clones:?}");
        assert_eq!(templates.len(), 1, "{templates:?}");
    }
    // A setup script changes nothing but who names the server.
    let scripted = outside.cargo("nextest run --profile scripted --test many --success-output immediate -j 1");
    let scripted = names(&scripted);
    if version >= 150_000 {
        assert!(scripted.iter().all(|(key, _)| more.contains(key)), "{scripted:?} {more:?}");
    }
}

/// The key and the lease of each database that a test of a run has named; all tests have passed.
fn names(run: &Run) -> Vec<(String, u32)> {
    let said = [run.stdout.as_str(), run.stderr.as_str()].concat();
    assert!(run.code == 0 && said.contains("8 tests run: 8 passed"), "{said}");
    let names = said.lines().filter_map(|line| line.trim().strip_prefix("database shop_db_test_"));
    let mut names = names
        .map(|name| {
            let mut parts = name.split('_').skip(1);
            (parts.next().unwrap().to_owned(), parts.next().unwrap().parse().unwrap())
        })
        .collect::<Vec<_>>();
    assert_eq!(names.len(), 8, "{said}");
    names.sort_unstable();
    names
}
