//! The cases: strings and environments, `{words}` filled in by the world.

/// A connection string, the environment around it, and what must come of it.
pub(crate) struct Case {
    pub(crate) string: &'static str,
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) expect: Expect,
}

/// What must come of a case.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    /// Both connect, to the same server as the same role with the same settings.
    Same,
    /// Neither connects.
    NeitherConnects,
    /// Neither connects, and our error says what to write: a screen has it.
    WeExplain,
    /// libpq connects; we refuse by name: a screen has our error.
    WeRefuse,
    /// libpq refuses; we read it.
    WeRead,
    /// The same from this version of libpq on; older ones refuse what they do not know.
    SameFrom(u32),
    /// The same before this version of libpq; from it on libpq refuses, and we read it still.
    SameBefore(u32),
}

/// Read alike: URLs.
pub(crate) fn urls() -> Vec<Case> {
    with(SAME, Expect::Same)
}

/// Read alike: what files, variables and `key=value` say.
pub(crate) fn others() -> Vec<Case> {
    let alike = [PASSFILES, ENVIRONMENT, SERVICES, KEY_VALUE].into_iter().flat_map(|cases| with(cases, Expect::Same));
    let new = NEW.iter().map(|(version, string)| Case { string, environment: &[], expect: Expect::SameFrom(*version) });
    let old =
        OLD.iter().map(|(version, string)| Case { string, environment: &[], expect: Expect::SameBefore(*version) });
    alike.chain(new).chain(old).collect()
}

/// Refused by one of the two, or by both.
pub(crate) fn refused() -> Vec<Case> {
    let alone = |strings: &'static [&'static str], expect| {
        strings.iter().map(move |string| Case { string, environment: &[], expect })
    };
    let both = with(NEITHER, Expect::NeitherConnects).into_iter().chain(with(READ, Expect::WeRead));
    both.chain(alone(EXPLAINED, Expect::WeExplain)).chain(alone(REFUSED, Expect::WeRefuse)).collect()
}

fn with(cases: &'static [Named], expect: Expect) -> Vec<Case> {
    cases.iter().map(|(string, environment)| Case { string, environment, expect }).collect()
}

type Named = (&'static str, &'static [(&'static str, &'static str)]);

/// Read alike: the URI's parts and its parameters.
const SAME: &[Named] = &[
    // Users, passwords, databases.
    ("postgresql://app:app-pw@127.0.0.1:{port}/db", &[]),
    ("postgres://app:app-pw@127.0.0.1:{port}/db", &[]),
    ("postgresql://app:app-pw@127.0.0.1:{port}/", &[]),
    ("postgresql://app:app-pw@127.0.0.1:{port}", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db", &[]),
    ("postgresql://trusted:@127.0.0.1:{port}/db", &[]),
    ("postgresql://127.0.0.1:{port}/db", &[]),
    ("postgresql://127.0.0.1:{port}", &[]),
    ("postgresql://trusted@127.0.0.1:{port}?dbname=db", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/?dbname=db", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/other?dbname=db", &[]),
    ("postgresql:///db?host=127.0.0.1&port={port}&user=trusted", &[]),
    ("postgresql://?host=127.0.0.1&port={port}&user=trusted&dbname=db", &[]),
    ("postgresql://trusted@/db?host=127.0.0.1&port={port}", &[]),
    ("postgresql://app@127.0.0.1:{port}/db?password=app-pw", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?user=app&password=app-pw", &[]),
    ("postgresql://odd:{odd}@127.0.0.1:{port}/db", &[]),
    ("postgresql://%61pp:app%2dpw@127.0.0.1:{port}/db", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/%64%62", &[]),
    ("postgresql://app:app-pw@127.0.0.1:{port}/d%20b", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/%C3%BC%2Fx%3Fy%40z", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/ü%2Fx%3Fy%40z", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/a=b", &[]),
    ("postgresql://o'neil%20%5C%20%40%C3%A9:app-pw@127.0.0.1:{port}/db", &[]),
    ("postgresql://spaced:two%20words@127.0.0.1:{port}/db", &[]),
    // Hosts and ports.
    ("postgresql://app:app-pw@localhost:{port}/db", &[]),
    ("postgresql://app:app-pw@[::1]:{port}/db", &[]),
    ("postgresql://app:app-pw@127.0.0.2:{port}/db", &[]),
    ("postgresql://trusted@LOCALHOST:{port}/db", &[]),
    ("postgresql://trusted@%3127.0.0.1:{port}/db", &[]),
    ("postgresql://trusted@127.0.0.1:%20{port}/db", &[]),
    ("postgresql://trusted@db.internal:{port}/db?hostaddr=127.0.0.1", &[]),
    ("postgresql://trusted@/db?hostaddr=127.0.0.1&port={port}", &[]),
    ("postgresql://trusted@/db?hostaddr=::1&port={port}", &[]),
    ("postgresql://trusted@127.0.0.1:1/db?port={port}", &[]),
    ("postgresql://trusted@elsewhere.invalid:{port}/db?host=127.0.0.1", &[]),
    // Several hosts.
    ("postgresql://trusted@127.0.0.1:{closed},127.0.0.1:{port}/db", &[]),
    ("postgresql://trusted@127.0.0.1:{closed},[::1]:{port}/db", &[]),
    ("postgresql://trusted@nowhere.invalid:1,127.0.0.1:{port}/db", &[]),
    ("postgresql://trusted@127.0.0.1,127.0.0.2/db?port={port}", &[]),
    ("postgresql://trusted@/db?host=127.0.0.1,127.0.0.2&port={closed},{port}", &[]),
    ("postgresql://trusted@127.0.0.1:{port},127.0.0.1:{standby}/db", &[]),
    ("postgresql://trusted@127.0.0.1:{standby},127.0.0.1:{port}/db?target_session_attrs=any", &[]),
    ("postgresql://trusted@127.0.0.1:{standby},127.0.0.1:{port}/db?target_session_attrs=read-write", &[]),
    ("postgresql://trusted@127.0.0.1:{standby},127.0.0.1:{port}/db?target_session_attrs=read-only", &[]),
    ("postgresql://trusted@127.0.0.1:{standby},127.0.0.1:{port}/db?target_session_attrs=primary", &[]),
    ("postgresql://trusted@127.0.0.1:{standby},127.0.0.1:{port}/db?target_session_attrs=standby", &[]),
    ("postgresql://trusted@127.0.0.1:{standby},127.0.0.1:{port}/db?target_session_attrs=prefer-standby", &[]),
    ("postgresql://trusted@127.0.0.1:{port},127.0.0.1:{standby}/db?target_session_attrs=read-write", &[]),
    ("postgresql://trusted@127.0.0.1:{port},127.0.0.1:{standby}/db?target_session_attrs=read-only", &[]),
    ("postgresql://trusted@127.0.0.1:{port},127.0.0.1:{standby}/db?target_session_attrs=standby", &[]),
    ("postgresql://trusted@127.0.0.1:{port},127.0.0.1:{standby}/db?target_session_attrs=prefer-standby", &[]),
    ("postgresql://trusted@127.0.0.1:{closed},127.0.0.1:{port}/db?target_session_attrs=prefer-standby", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?target_session_attrs=prefer-standby", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?target_session_attrs=primary", &[]),
    ("host=127.0.0.1,127.0.0.1 port={closed},{port} user=trusted dbname=db", &[]),
    ("host=a,b hostaddr=127.0.0.1,127.0.0.1 port={closed},{port} user=trusted dbname=db", &[]),
    ("host=127.0.0.1,{socket} port={closed},{port} user=trusted dbname=db", &[]),
    // Sockets.
    ("postgresql://app:app-pw@{socket-encoded}:{port}/db", &[]),
    ("postgresql:///db?host={socket}&port={port}&user=trusted", &[]),
    ("postgresql://trusted@/db?host={socket-encoded}&port={port}", &[]),
    ("host={socket} port={port} user=trusted dbname=db", &[]),
    ("host='{socket}' port={port} user=trusted dbname=db", &[]),
    ("postgresql://trusted@{socket-encoded}:{port}/db?sslmode=require", &[]),
    ("postgresql://trusted@{socket-encoded}:{port}/db?sslmode=verify-full&sslrootcert=/nowhere", &[]),
    // Parameters.
    ("postgresql://trusted@127.0.0.1:{port}/db?sslsni=&sslrootcert=&ssl_min_protocol_version=", &[]),
    ("postgresql://trusted@/db?host=/nowhere&hostaddr=127.0.0.1&port={port}", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?application_name=my%20app", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-c%20work_mem%3D2MB", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-cwork_mem%3D2MB", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=--work_mem%3D2MB", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=--work-mem%3D2MB", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-c%20search_path%3D%22a%5C%20b%22%2Cpublic", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=%20-c%20%20work_mem%3D2MB%09-csearch_path%3Dx%20", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-c%20work_mem%3D2MB&options=-c%20search_path%3Daura", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-c%20work_mem%3D2MB%20-c%20work_mem%3D3MB", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-S%203MB", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-c%20search_path%3D%22%24user%22%2Cpublic", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=disable", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=allow", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=prefer", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?connect_timeout=5", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?connect_timeout=0", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?connect_timeout=-1", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?connect_timeout=%205%20", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?keepalives=0", &[]),
    (
        "postgresql://trusted@127.0.0.1:{port}/db?keepalives=1&keepalives_idle=60&keepalives_interval=10&keepalives_count=5&tcp_user_timeout=10000",
        &[],
    ),
    ("postgresql://trusted@127.0.0.1:{port}/db?tcp_user_timeout=-5", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?client_encoding=UTF8", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?client_encoding=auto", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?gssencmode=disable", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?channel_binding=prefer", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?channel_binding=disable", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslcompression=0", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslsni=0", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?ssl_min_protocol_version=TLSv1.3", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?ssl_min_protocol_version=tlsv1", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?replication=false", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?krbsrvname=postgres", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=disable&sslrootcert=/nowhere", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=disable&", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?application_name=", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?application_name=%27%22%5C%26", &[]),
];

/// Read alike: passwords of files.
const PASSFILES: &[Named] = &[
    ("postgresql://app@127.0.0.1:{port}/db", &[]),
    ("postgresql://app@localhost:{port}/other", &[]),
    ("postgresql://app@[::1]:{port}/db", &[]),
    ("postgresql://app@[::1]:{port}/other", &[]),
    ("postgresql://app@{socket-encoded}:{port}/db", &[]),
    ("postgresql://app@127.0.0.1:{port}/d%20b", &[]),
    ("postgresql://o'neil%20%5C%20%40%C3%A9@127.0.0.1:{port}/db", &[]),
    ("postgresql://spaced@127.0.0.1:{port}/db", &[]),
    ("postgresql://odd@127.0.0.1:{port}/db", &[]),
    ("postgresql://app@db.internal:{port}/db?hostaddr=127.0.0.1", &[]),
    ("postgresql://app@127.0.0.1:{port}/db?passfile={home}/second.pgpass", &[]),
    ("postgresql://app@127.0.0.1:{closed},127.0.0.1:{port}/db", &[]),
    ("postgresql://app@127.0.0.1:{port}/db?password=", &[]),
    ("postgresql://app@127.0.0.1:{port}/db", &[("PGPASSFILE", "{home}/second.pgpass")]),
    ("postgresql://app@127.0.0.1:{port}/db?password=", &[("PGPASSWORD", "wrong")]),
    ("postgresql://app@127.0.0.1:{port}/db?passfile=", &[("PGPASSFILE", "/nowhere")]),
];

/// Read alike: libpq's variables.
const ENVIRONMENT: &[Named] = &[
    ("postgresql://", &[("PGHOST", "127.0.0.1"), ("PGPORT", "{port}"), ("PGUSER", "trusted"), ("PGDATABASE", "db")]),
    (
        "postgresql:///other",
        &[("PGHOST", "127.0.0.1"), ("PGPORT", "{port}"), ("PGUSER", "trusted"), ("PGDATABASE", "db")],
    ),
    ("host=127.0.0.1", &[("PGHOST", "127.0.0.1"), ("PGPORT", "{port}"), ("PGUSER", "trusted"), ("PGDATABASE", "db")]),
    ("user=trusted", &[("PGHOST", "127.0.0.1"), ("PGPORT", "{port}"), ("PGUSER", "trusted"), ("PGDATABASE", "db")]),
    (
        "postgresql://trusted@127.0.0.1:{port}/db",
        &[
            ("PGHOST", "nowhere.invalid"),
            ("PGPORT", "1"),
            ("PGUSER", "app"),
            ("PGPASSWORD", "wrong"),
            ("PGDATABASE", "other"),
        ],
    ),
    ("postgresql://app@127.0.0.1:{port}/other", &[("PGPASSWORD", "app-pw")]),
    ("postgresql://trusted@127.0.0.1:{port}/db", &[("PGOPTIONS", "-c work_mem=2MB")]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-csearch_path%3Dx", &[("PGOPTIONS", "-c work_mem=2MB")]),
    ("postgresql://trusted@127.0.0.1:{port}/db", &[("PGAPPNAME", "of the environment")]),
    ("postgresql://trusted@127.0.0.1:{port}/db", &[("PGSSLMODE", "disable"), ("PGCONNECT_TIMEOUT", "3")]),
    ("postgresql://trusted@db.internal:{port}/db", &[("PGHOSTADDR", "127.0.0.1")]),
    (
        "postgresql://trusted@127.0.0.1:{port}/db",
        &[("PGTARGETSESSIONATTRS", "read-write"), ("PGGSSENCMODE", "disable"), ("PGCHANNELBINDING", "prefer")],
    ),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=disable", &[("PGSSLMODE", "nonsense"), ("PGPORT", "nonsense")]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=disable", &[("PGREQUIRESSL", "1")]),
    ("postgresql://trusted@127.0.0.1:{port}/db", &[("PGREQUIRESSL", "0")]),
    ("postgresql://trusted@/db", &[("PGHOST", "127.0.0.1,127.0.0.1"), ("PGPORT", "{closed},{port}")]),
    ("postgresql://trusted@/db", &[("PGHOST", "{socket}"), ("PGPORT", "{port}"), ("PGSSLMODE", "require")]),
];

/// Read alike: services.
const SERVICES: &[Named] = &[
    ("service=plain", &[]),
    ("postgresql:///?service=plain", &[]),
    ("postgresql://app:app-pw@/db?service=plain", &[]),
    ("service=plain dbname=db", &[]),
    ("service=secret", &[]),
    ("service=indented", &[]),
    ("service=twice", &[]),
    ("service=options", &[]),
    ("service=hosts", &[]),
    ("postgresql:///other?service=secret", &[]),
    ("postgresql://", &[("PGSERVICE", "plain")]),
    ("dbname=db", &[("PGSERVICE", "plain")]),
    ("service=plain", &[("PGUSER", "app"), ("PGHOST", "nowhere.invalid"), ("PGDATABASE", "db"), ("PGPORT", "1")]),
    ("service=plain", &[("PGSERVICE", "missing")]),
    ("service=elsewhere", &[("PGSERVICEFILE", "{home}/other_service.conf")]),
    ("service=of-the-system dbname=db", &[("PGSYSCONFDIR", "{home}/etc")]),
    (
        "service=of-the-system dbname=db",
        &[("PGSERVICEFILE", "{home}/other_service.conf"), ("PGSYSCONFDIR", "{home}/etc")],
    ),
];

/// Read alike: `key=value`.
const KEY_VALUE: &[Named] = &[
    ("host=127.0.0.1 port={port} user=app password=app-pw dbname=db", &[]),
    ("host=127.0.0.1 port={port} user=trusted password=a;b=c dbname=db", &[]),
    ("host = 127.0.0.1 port= {port} user =trusted dbname=db", &[]),
    ("host=127.0.0.1\tport={port}\nuser=trusted  dbname=db ", &[]),
    ("user='trusted'dbname='db'host=127.0.0.1 port={port}", &[]),
    ("user='o\\'neil \\\\ @é' password=app-pw host=127.0.0.1 port={port} dbname=db", &[]),
    ("user=o\\'neil\\ \\\\\\ @é password='app-pw' host=127.0.0.1 port={port} dbname=db", &[]),
    ("user=spaced password='two words' host=127.0.0.1 port={port} dbname=db", &[]),
    ("user=spaced password=two\\ words host=127.0.0.1 port={port} dbname=db", &[]),
    ("host=127.0.0.1 port={port} user=trusted dbname='d b'", &[]),
    ("user=app host=127.0.0.1 port={port} user=trusted dbname=db", &[]),
    ("host=127.0.0.1 port={port} user=trusted dbname=db password=''", &[]),
    ("host=127.0.0.1 port={port} user=trusted dbname=''", &[]),
    ("hostaddr=127.0.0.1 port={port} user=trusted dbname=db", &[]),
    ("host=127.0.0.1 port={port} user=trusted dbname=db requiressl=0", &[]),
    ("host=127.0.0.1 port=' {port} ' user=trusted dbname=db", &[]),
    ("host=127.0.0.1 port={port} user=trusted dbname=db options='-c work_mem=2MB -c search_path=\"a\\\\ b\"'", &[]),
    ("host=127.0.0.1 port={port} user=trusted dbname=db application_name='its'", &[]),
];

/// Refused by both.
const NEITHER: &[Named] = &[
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?channel_binding=", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?target_session_attrs=", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?gssencmode=", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?connect_timeout=", &[]),
    ("postgresql://spaced:two+words@127.0.0.1:{port}/db", &[]),
    ("postgresql://app:wrong@127.0.0.1:{port}/db", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/missing", &[]),
    ("postgresql://missing@127.0.0.1:{port}/db", &[]),
    ("postgresql://trusted@127.0.0.1:{closed}/db", &[]),
    ("postgresql://trusted@127.0.0.1:nonsense/db", &[]),
    ("postgresql://trusted@127.0.0.1:0/db", &[]),
    ("postgresql://trusted@127.0.0.1:65536/db", &[]),
    ("postgresql://trusted@127.0.0.1:-1/db", &[]),
    ("postgresql://trusted@127.0.0.1:1,127.0.0.1:2/db?port=1,2,3", &[]),
    ("postgresql://app:wrong@127.0.0.1:{port},127.0.0.1:{port}/db", &[]),
    ("postgresql://empty@127.0.0.1:{port}/db", &[]),
    ("postgresql://trusted@[::1:{port}/db", &[]),
    ("postgresql://trusted@[]:{port}/db", &[]),
    ("postgresql://trusted@[::1]x:{port}/db", &[]),
    ("postgresql://app@127.0.0.1:{port}/other", &[]),
    ("postgresql://app@127.0.0.1:{port}/db?passfile={home}/open.pgpass", &[]),
    ("postgresql://app@127.0.0.1:{port}/db?passfile=/nowhere", &[]),
    ("postgresql://app@127.0.0.2:{port}/db", &[]),
    ("host=a,b hostaddr=127.0.0.1 user=trusted dbname=db", &[]),
    ("postgresql://trusted@127.0.0.1:{standby},127.0.0.1:{standby}/db?target_session_attrs=primary", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?ssl=true", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=require", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=verify-ca", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=nonsense", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=PREFER", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?target_session_attrs=standby", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?target_session_attrs=nonsense", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?channel_binding=require", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?channel_binding=x", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?connect_timeout=abc", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?connect_timeout=1x", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?keepalives=x", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?tcp_user_timeout=x", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?ssl_min_protocol_version=SSLv3", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?nonsense=1", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?application_name", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?=x", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-c%20nonsense%3D1", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-c", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-c%20work_mem", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?gssencmode=require", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?hostaddr=localhost", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?requiressl=1", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=prefer&sslmode=verify-full", &[]),
    ("host=127.0.0.1 port={port} user=trusted dbname", &[]),
    ("host=127.0.0.1 port={port} user trusted", &[]),
    ("user='trusted host=127.0.0.1", &[]),
    ("=db user=trusted", &[]),
    ("dbname=postgresql://x user=trusted host=127.0.0.1 port={port}", &[]),
    ("host=127.0.0.1 port={port} user=trusted dbname=db nonsense=1", &[]),
    ("service=missing", &[]),
    ("service=spaced-key", &[]),
    ("service=unknown", &[]),
    ("service=nested", &[]),
    ("service=broken", &[("PGSERVICEFILE", "{home}/broken_service.conf")]),
    ("postgresql://", &[("PGSERVICE", "missing")]),
    ("service=of-the-system dbname=db", &[("PGSERVICEFILE", "/nowhere"), ("PGSYSCONFDIR", "{home}/etc")]),
    ("postgresql://trusted@127.0.0.1:{port}/db", &[("PGSSLMODE", "require")]),
    ("postgresql://trusted@127.0.0.1:{port}/db", &[("PGREQUIRESSL", "1")]),
    ("postgresql://trusted@127.0.0.1:{port}/db", &[("PGTARGETSESSIONATTRS", "standby")]),
    ("postgresql://trusted@/db", &[("PGHOST", "127.0.0.1"), ("PGPORT", "nonsense")]),
    ("postgresql://app@127.0.0.1:{port}/db", &[("PGPASSWORD", "wrong")]),
];

/// Refused by libpq; read here, since what is meant is plain.
const READ: &[Named] = &[
    ("postgresql://trusted@127.0.0.1:{port}/db?keepalives_idle=-1&keepalives_count=0", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?options=-csearch_path=aura", &[]),
    ("  postgresql://trusted@127.0.0.1:{port}/db\n", &[]),
    ("postgresql://trusted@127.0.0.1:{port}/db?sslmode=disable&&application_name=x", &[]),
    ("postgresql://trusted@/db?port={port}", &[]),
    ("postgresql://trusted@:{port}/db", &[]),
    ("postgresql://trusted@/db?host=&port={port}", &[("PGHOST", "nowhere.invalid")]),
];

/// Refused by both; our error says what to write.
const EXPLAINED: &[&str] = &[
    "postgresql://odd:p@ss@127.0.0.1:{port}/db",
    "postgresql://odd:p/ss@127.0.0.1:{port}/db",
    "postgresql://odd:p?ss@127.0.0.1:{port}/db",
    "postgresql://trusted@127.0.0.1:{port}/db#x",
    "postgresql://odd:p%ss@127.0.0.1:{port}/db",
    "postgresql://trusted@::1:{port}/db",
    "postgresql+psycopg2://trusted@127.0.0.1:{port}/db",
    "jdbc:postgresql://127.0.0.1:{port}/db?user=trusted",
    "postgis://trusted@127.0.0.1:{port}/db",
    "mysql://trusted@127.0.0.1:{port}/db",
    "'postgresql://trusted@127.0.0.1:{port}/db'",
    "psql postgresql://trusted@127.0.0.1:{port}/db",
    "DATABASE_URL=postgresql://trusted@127.0.0.1:{port}/db",
    "Host=127.0.0.1;Port={port};Username=trusted;Database=db",
    "postgresql://trusted@127.0.0.1:{port}/db?schema=aura",
    "postgresql://trusted@127.0.0.1:{port}/db?currentSchema=aura",
    "postgresql://trusted@127.0.0.1:{port}/db?pgbouncer=true",
    "postgresql://trusted@127.0.0.1:{port}/db?connection_limit=1",
    "postgresql://trusted@127.0.0.1:{port}/db?sslmode=no-verify",
    "postgresql://trusted@127.0.0.1:{port}/db?ssl=require",
    "username=trusted host=127.0.0.1",
    "postgresql://app:[YOUR-PASSWORD]@127.0.0.1:{port}/db",
    "host=127.0.0.1 user=spaced password=two words=x",
    "postgresql://trusted%00@127.0.0.1:{port}/db",
];

/// Taken by libpq; refused here by name, with the reason.
const REFUSED: &[&str] = &[
    "host={socket} port={port} user=trusted dbname=db requirepeer=postgres",
    "postgresql://trusted@127.0.0.1:{port}/db?krbsrvname=other",
    "postgresql://trusted@127.0.0.1:{port}/db?sslpassword=x",
    "postgresql://trusted@127.0.0.1:{port}/db?sslcompression=1",
    "postgresql://trusted@127.0.0.1:{port}/db?client_encoding=latin1",
    "postgresql://trusted@127.0.0.1:{port}/db?sslsni=2",
    "postgresql://trusted@127.0.0.1:{port}/db?application_name=a%0Ab",
    "host=127.0.0.1 port={port} user=trusted dbname=db\\",
    "postgresql://trusted@127.0.0.1:{port}/db?ssl_min_protocol_version=TLSv1&ssl_max_protocol_version=TLSv1.1",
];

/// Parameters that older versions of libpq do not know.
const NEW: &[(u32, &str)] = &[
    (16, "postgresql://trusted@127.0.0.1:{port}/db?load_balance_hosts=disable"),
    (16, "postgresql://trusted@127.0.0.1:{port},127.0.0.1:{closed}/db?load_balance_hosts=random&application_name=x"),
    (16, "postgresql://trusted@127.0.0.1:{port}/db?sslcertmode=allow"),
    (17, "postgresql://trusted@127.0.0.1:{port}/db?sslnegotiation=postgres"),
    (17, "postgresql://trusted@127.0.0.1:{port}/db?gssdelegation=0"),
    (18, "postgresql://trusted@127.0.0.1:{port}/db?max_protocol_version=latest"),
    (18, "postgresql://trusted@127.0.0.1:{port}/db?min_protocol_version=3.0"),
    (19, "service=elsewhere servicefile={home}/other_service.conf"),
];

/// Spellings that newer versions of libpq refuse.
const OLD: &[(u32, &str)] = &[(18, "postgresql://spaced:two words@127.0.0.1:{port}/db")];
