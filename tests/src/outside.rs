//! Another workspace, outside this one, that uses the commands and the test databases as the README says.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    Run, alone, cargo_of,
    directory::own,
    kept,
    peers::{once, output, repository},
    psql,
};

/// What the workspace has before: the README's lines are added to that.
const BEFORE: [(&str, &str); 6] = [
    ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"shop\", \"xtask\"]\n"),
    ("shop/Cargo.toml", "[package]\nname = \"shop\"\nedition = \"2024\"\n"),
    ("shop/src/lib.rs", "//! A shop.\n"),
    ("shop/tests/many.rs", MANY),
    (
        "schema.sql",
        "CREATE TABLE IF NOT EXISTS orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, article text NOT NULL);\n",
    ),
    (".config/nextest.toml", NEXTEST),
];

const MANY: &str = r#"macro_rules! tests { ($($name:ident)*) => { $(#[test] fn $name() { one() })* } }

tests!(a b c d e f g h);

fn one() {
    let db = pg_testdb::TestDb::new().unwrap();
    let mut client = db.client().unwrap();
    let insert = "INSERT INTO orders (article) VALUES ('tea')";
    client.execute(insert, &[]).unwrap();
    let look = "SELECT count(*), current_schema()::text, max(id) FROM orders";
    let row = client.query_one(look, &[]).unwrap();
    let (count, schema, id): (i64, &str, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!((count, schema, id), (1, "shop", 1));
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

/// The workspace, built. Always at the same place, so that cargo need not build it again; a server that it has started
/// ends with the value.
pub struct Outside {
    place: Place,
    servers: PathBuf,
    _alone: File,
}

impl Outside {
    /// The workspace with the README's files, for one test at a time.
    pub fn new() -> Self {
        let place = build();
        // Not the lock of the build, which is over.
        let alone = alone(&kept(&format!("{}-run", place.name)));
        let servers = pg_server::scratch().join(format!("{}-servers", place.root.file_name().unwrap().display()));
        Self { place, servers, _alone: alone }
    }

    /// Runs cargo there, with a server of the workspace's own.
    pub fn cargo(&self, arguments: &str) -> Run {
        let mut cargo = self.place.cargo(arguments);
        cargo.env("DB_DATA_DIR", &self.servers).env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        Run::of(format!("cargo {arguments}"), cargo.output().unwrap())
    }

    /// All databases of the server that are named after the project's.
    pub fn databases(&self) -> Vec<String> {
        let administrator = self.cargo("xtask db-url --admin").exits(0);
        let sql = "SELECT datname FROM pg_catalog.pg_database WHERE datname ~ '^shop_db_' ORDER BY datname";
        psql(administrator.line(), &[], sql).exits(0).stdout.lines().map(str::to_owned).collect()
    }
}

impl Default for Outside {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.cargo("xtask db-stop --purge --yes");
    }
}

/// Writes the workspace and builds its programs and tests, where anything has changed.
pub fn outside() {
    build();
}

fn build() -> Place {
    let place = Place::new();
    let sources = ["Cargo.toml", "Cargo.lock", "README.md", "crates", "tests/src/outside.rs"];
    let sources = sources.map(|path| repository().join(path));
    let sources: Vec<_> = sources.iter().map(PathBuf::as_path).collect();
    let built = once(&kept(&place.name), &sources, || {
        place.write_files();
        output(&mut place.cargo("test --quiet --no-run"))?;
        output(&mut place.cargo("build --quiet --package xtask"))
    });
    built.unwrap_or_else(|words| panic!("{words}"));
    place
}

/// Where it is.
struct Place {
    name: String,
    root: PathBuf,
}

impl Place {
    fn new() -> Self {
        let place = std::env::temp_dir();
        let mut key = DefaultHasher::new();
        // Another checkout has another one.
        (kept("outside"), &place).hash(&mut key);
        let name = format!("outside-{:016x}", key.finish());
        let root = own(place.join(format!("aura-tests-{name}")));
        Self { name, root }
    }

    fn write_files(&self) {
        let mut files: BTreeMap<_, _> = BEFORE.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let readme = fs::read_to_string(repository().join("README.md")).unwrap();
        for (path, text) in of_the_readme(&readme) {
            // By path what is there by git.
            let text = ["pg-xtask", "pg-testdb"].iter().fold(text, |text, name| {
                let place = repository().join("crates").join(name);
                text.replace(&format!("\n{name} = {{ git = {URL} }}"), &format!("\n{name} = {{ path = {place:?} }}"))
            });
            assert!(!text.contains(URL), "{path}: {text}");
            files.entry(path).or_default().push_str(&text);
        }
        files.get_mut("Cargo.toml").unwrap().push_str(&profile());
        for (path, text) in files {
            self.write(&path, &text);
        }
        // The versions that this workspace has: no newer ones, and none that would have to be downloaded.
        fs::copy(repository().join("Cargo.lock"), self.root.join("Cargo.lock")).unwrap();
    }

    /// A file that has not changed keeps its time: cargo compares it.
    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Cargo in that workspace. It builds where this workspace is built: what both depend on is compiled once.
    fn cargo(&self, arguments: &str) -> Command {
        let mut cargo = cargo_of(&self.root, kept("outside").parent().unwrap());
        cargo.args(arguments.split(' ')).stdin(Stdio::null());
        cargo
    }
}

/// The profile of this workspace, as the README advises. Another one would compile every dependency again.
fn profile() -> String {
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let (_, profile) = manifest.split_once("\n[profile.dev]\n").unwrap();
    format!("\n[profile.dev]\n{profile}")
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
    // Between two files the page has a blank line.
    files.iter_mut().for_each(|(_, text)| text.truncate(text.trim_end().len() + 1));
    let paths: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
    let toml = ["Cargo.toml", ".cargo/config.toml", "xtask/Cargo.toml", "shop/Cargo.toml"];
    assert_eq!(paths, [&toml[..], &["xtask/src/main.rs", "shop/tests/orders.rs"]].concat());
    files
}
