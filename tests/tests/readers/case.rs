//! The URLs that every reader is given: roles, databases and passwords with every character that some
//! encoding trips over, on each address of a real server.

use std::{
    fs,
    net::{Ipv4Addr, Ipv6Addr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use pg_config::{Identifier, Literal};
use pg_connect::{ConnInfo, Host, Options, Password, SslMode};
use tests::Cluster;

/// A connection that a reader must make of its URL.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) connection: ConnInfo,
    /// Whether it is connected by; else its URL is read and no more.
    pub(crate) connects: bool,
}

/// A server with the cases' roles and databases.
pub(crate) struct World {
    pub(crate) cases: Vec<Case>,
    /// It ends before its socket's directory goes.
    cluster: Cluster,
    _sockets: SocketDirectory,
}

/// Roles, each with a database of its own that nobody else may enter.
const NAMES: [(&str, &str); 8] = [
    ("aura_user", "aura_db"),
    (r#"Ro'le "x" äöüß€"#, r#"d b 'y' "ÄÖÜ" €"#),
    (r"u@h:1/d?q#f&g=h+i%20\", r"d@h:2/e?r#s&t=u+v%25\"),
    (" led and trailed ", " so is this "),
    ("%41", "%2F"),
    ("007", "0042"),
    ("true", "false"),
    ("-dash", "--"),
];

/// Passwords; one with every printable ASCII character is added.
const PASSWORDS: [&str; 14] = [
    " led and trailed ",
    "it's \"quoted\" `three` ways",
    r"back\slash\\es\",
    "p@ss:w/o?r#d",
    "a+b=c&d;e,f",
    "100%",
    "%41%2F%25",
    "007",
    "true",
    "***",
    "[::1]",
    "${HOME} $$ !1 ~",
    "Äpfel süß 5€",
    DECOMPOSED,
];

/// What a SCRAM client must normalise before it is a key (RFC 4013): to `ü a IX`.
pub(crate) const DECOMPOSED: &str = "u\u{308} ª Ⅸ";

/// What `options` may hold: the path as everybody writes it, with spaces, with what a schema's name may hold.
const OPTIONS: [&str; 4] = [
    "-c search_path=aura,public",
    r"-c search_path=aura,\ public -c statement_timeout=0",
    r#"-c search_path="Odd\ na\\me",public"#,
    r#"-c search_path="a+b&c=d%20#é'f",\ public"#,
];

impl World {
    pub(crate) fn new() -> Self {
        let sockets = SocketDirectory::new();
        let listed = format!("\"{}\"", sockets.0.display());
        let settings = [("listen_addresses", "127.0.0.1,::1"), ("unix_socket_directories", &listed)];
        let cluster = Cluster::start_with(&settings);
        let port = cluster.port();
        let mut hosts = vec![("127.0.0.1", Host::parse("127.0.0.1")), ("socket", Host::Unix(sockets.0.clone()))];
        if TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok() {
            hosts.push(("::1", Host::parse("::1")));
        }
        furnish(&cluster);
        let plain = ConnInfo {
            user: "aura_user".to_owned(),
            password: Some(Password::new("its own")),
            database: "aura_db".to_owned(),
            ssl_mode: SslMode::Prefer,
            connect_timeout: None,
            ..cluster.superuser()
        };
        let mut cases = Vec::new();
        for (place, host) in hosts {
            let plain = ConnInfo { host, ..plain.clone() };
            let mut add = |name: String, connection| {
                cases.push(Case { name: format!("{place}: {name}"), connection, connects: true });
            };
            for (user, database) in NAMES {
                let (user, database) = (user.to_owned(), database.to_owned());
                add(format!("role {user:?}"), ConnInfo { user, database, ..plain.clone() });
            }
            for text in OPTIONS {
                add(text.to_owned(), ConnInfo { options: Options::parse(text).unwrap(), ..plain.clone() });
            }
            add("all at once".to_owned(), everything(&plain));
        }
        for (number, password) in passwords().into_iter().enumerate() {
            let connection =
                ConnInfo { user: format!("role {number}"), password: Some(Password::new(&*password)), ..plain.clone() };
            cases.push(Case { name: format!("password {password:?}"), connection, connects: true });
        }
        cases.extend(peculiar(&plain));
        Self { cases, cluster, _sockets: sockets }
    }

    /// Gives a connection's role the connection's password.
    pub(crate) fn change_password(&self, connection: &ConnInfo) {
        let role = Identifier::new(&*connection.user).unwrap();
        let password = connection.password.as_ref().unwrap().reveal();
        self.cluster.sql("postgres", &format!("ALTER ROLE {role} PASSWORD {}", Literal(password)));
    }
}

/// Every parameter that people set, beside the options.
fn everything(plain: &ConnInfo) -> ConnInfo {
    ConnInfo {
        options: Options::parse(OPTIONS[1]).unwrap(),
        ssl_mode: SslMode::Disable,
        application_name: Some("Aura's tests: 50% + more & \\ \"all\"".to_owned()),
        connect_timeout: Some(Duration::from_secs(7)),
        ..plain.clone()
    }
}

/// What some reader is known to take otherwise, and what this server does not offer: that is only read.
fn peculiar(plain: &ConnInfo) -> impl Iterator<Item = Case> {
    let named = |name: &str| ConnInfo { application_name: Some(name.to_owned()), ..plain.clone() };
    let at = Host::At("no.such.host".to_owned(), Ipv4Addr::LOCALHOST.into());
    [
        ("hostaddr", ConnInfo { host: at, ..plain.clone() }, true),
        ("application_name of digits", named("007"), true),
        ("application_name like a truth value", named("true"), true),
        ("sslmode=require", ConnInfo { ssl_mode: SslMode::Require, ..plain.clone() }, false),
        ("database of two dots", plain.with_database(".."), false),
    ]
    .into_iter()
    .map(|(name, connection, connects)| Case { name: name.to_owned(), connection, connects })
}

fn passwords() -> Vec<String> {
    let every: String = (' '..='~').collect();
    PASSWORDS.iter().map(|password| (*password).to_owned()).chain([every]).collect()
}

fn furnish(cluster: &Cluster) {
    let name = |name: &str| Identifier::new(name).unwrap();
    for (user, database) in NAMES {
        let (role, database) = (name(user), name(database));
        cluster.sql("postgres", &format!("CREATE ROLE {role} LOGIN PASSWORD 'its own'"));
        cluster.sql("postgres", &format!("CREATE DATABASE {database} OWNER {role}"));
        cluster.sql("postgres", &format!("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC"));
    }
    for (number, password) in passwords().iter().enumerate() {
        let (role, password) = (name(&format!("role {number}")), Literal(password));
        cluster.sql("postgres", &format!("CREATE ROLE {role} LOGIN PASSWORD {password}"));
        cluster.sql("postgres", &format!("GRANT CONNECT ON DATABASE aura_db TO {role}"));
    }
}

/// A directory whose name is as odd as a password, in which anybody may make a socket.
struct SocketDirectory(PathBuf);

impl SocketDirectory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = (process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(format!("Aura {}-{} a+b%2F&ü", unique.0, unique.1));
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
        Self(directory)
    }
}

impl Drop for SocketDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
