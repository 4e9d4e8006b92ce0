//! `require_auth`, given to psql and to us: who gets in must be the same.

use std::{
    fmt::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use pg_connect::{Parameters, Surroundings};
use tests::{Cluster, shows};

const HBA: &str = "\
local all clear        password
host  all clear    all password
host  all hashed   all md5
host  all scrambled all scram-sha-256
host  all trusted  all trust";

const ROLES: &str = "SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD 's3cret';
    SET password_encryption = 'scram-sha-256'; CREATE ROLE clear LOGIN PASSWORD 's3cret';
    CREATE ROLE scrambled LOGIN PASSWORD 's3cret'; CREATE ROLE trusted LOGIN PASSWORD 's3cret'";

/// What is said of methods: each word alone and not, lists of both kinds, and what is no list.
const LISTS: [&str; 26] = [
    "password",
    "md5",
    "scram-sha-256",
    "none",
    "gss",
    "sspi",
    "!password",
    "!md5",
    "!scram-sha-256",
    "!none",
    "!gss",
    "!sspi",
    "password,md5",
    "scram-sha-256,none",
    "md5,scram-sha-256,none",
    "!password,!md5",
    "!none,!password",
    "!gss,!sspi",
    "gss,sspi",
    "md5,md5",
    "!md5,!md5",
    "none,none",
    "md5,!none",
    "!md5,none",
    "md5,",
    "Password",
];

/// The version of libpq that knows it.
const FIRST: u32 = 16;

#[test]
fn who_gets_in_is_as_libpq_has_it() {
    let cluster = Cluster::start_with(&[]);
    cluster.sql("postgres", ROLES);
    cluster.let_in(HBA);
    let psql = [18, 17].into_iter().find_map(Cluster::programs_of).unwrap_or_else(|| cluster.binaries()).join("psql");
    let is_known = String::from_utf8(Command::new(&psql).arg("--version").output().unwrap().stdout).unwrap();
    let major: u32 = is_known.split(|c: char| !c.is_ascii_digit()).find_map(|word| word.parse().ok()).unwrap();
    assert!(major >= FIRST, "{is_known}");
    let socket = cluster.value("postgres", "SHOW unix_socket_directories").replace('"', "");
    let (mut wrong, mut said) = (Vec::new(), String::new());
    for list in LISTS {
        for role in ["clear", "hashed", "scrambled", "trusted", "socket"] {
            let (host, user) = if role == "socket" { (socket.as_str(), "clear") } else { ("127.0.0.1", role) };
            let string = format!("host='{host}' port={} user={user} password=s3cret dbname=postgres", cluster.port());
            let theirs = Command::new(&psql)
                .args(["-XAtqw", "-d", &string, "-c", "SELECT 1"])
                .env_clear()
                .env("PGREQUIREAUTH", list)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let ours = connect(&string, list);
            if theirs.status.success() != ours.is_ok() {
                let theirs = String::from_utf8_lossy(&theirs.stderr).into_owned();
                wrong.push(format!("{list:?} as {role}: psql {theirs:?}, we {ours:?}"));
            }
            if let Err(error) = ours {
                assert!(!error.contains("s3cret"), "{error}");
                writeln!(
                    said,
                    "{list} as {role}\n    {}",
                    error.replace(&cluster.port().to_string(), "PORT").replace(&socket, "SOCKET")
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    shows("required-logins", &said);
}

/// Once by the string, once by the environment.
fn connect(string: &str, list: &str) -> Result<(), String> {
    let by_string = connect_with(&format!("{string} require_auth='{list}'"), None);
    assert_eq!(by_string, connect_with(string, Some(list)));
    by_string
}

fn connect_with(string: &str, variable: Option<&str>) -> Result<(), String> {
    let variable = |key: &str| variable.filter(|_| key == "PGREQUIREAUTH").map(str::to_owned);
    let around = Surroundings { variable: &variable, home: None };
    let said = Parameters::parse(string).and_then(|parameters| around.complete(parameters));
    let (candidates, _) = said.map_err(|error| error.to_string())?;
    let (_, mut session) = candidates.connect(Duration::ZERO).map_err(|error| error.to_string())?;
    session.client.batch_execute("SELECT 1").map_err(|error| error.to_string())
}
