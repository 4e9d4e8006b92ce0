//! Connections of every kind, for what must hold of all of them.

use pg_connect::{Address, ConnInfo, Host, Options, Parameters, Password, SslMode};
use proptest::prelude::*;

/// Any text that PostgreSQL can hold in one line, awkward characters more often than others.
fn text() -> impl Strategy<Value = String> {
    let awkward = proptest::sample::select(r#" @:/?#%&=+\'"[]{}<>|^~`$!*();,.-é€𝄞"#.chars().collect::<Vec<_>>());
    let any = any::<char>().prop_filter("one line", |c| !matches!(c, '\0' | '\n' | '\r'));
    proptest::collection::vec(prop_oneof![3 => awkward, 2 => proptest::char::range('a', 'z'), 1 => any], 1..24)
        .prop_map(|characters| characters.into_iter().collect())
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,20}(\\.[a-z]{2,8}){0,3}".prop_map(Host::Tcp),
        any::<std::net::Ipv4Addr>().prop_map(|ip| Host::Tcp(ip.to_string())),
        any::<std::net::Ipv6Addr>().prop_map(|ip| Host::Tcp(ip.to_string())),
        ("[a-z]{1,9}\\.example", any::<std::net::IpAddr>()).prop_map(|(name, ip)| Host::At(name, ip)),
        "(/[A-Za-z0-9 _.@:?#%&=-]{1,9}){1,4}".prop_map(|path| Host::Unix(path.into())),
    ]
}

fn settings() -> impl Strategy<Value = Options> {
    let setting = ("[a-z_]{1,9}(\\.[a-z_]{1,9})?", text());
    proptest::collection::vec(setting, 0..4).prop_map(|settings| {
        settings.iter().fold(Options::default(), |options, (name, value)| options.with(name, value))
    })
}

prop_compose! {
    /// A connection to anything, by anybody, with anything in its names.
    pub fn any_connection()(
        address in (host(), 1..=u16::MAX).prop_map(|(host, port)| Address { host, port }),
        user in text(),
        password in proptest::option::of(text()),
        database in text(),
        options in settings(),
        ssl_mode in proptest::sample::select(vec![
            SslMode::Disable, SslMode::Allow, SslMode::Prefer, SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull,
        ]),
        application_name in proptest::option::of(text()),
        connect_timeout in proptest::option::of(1..=i32::MAX),
        root in proptest::option::of("/[ -~é]{1,20}"),
    ) -> ConnInfo {
        let mut more = Parameters::default();
        if let Some(root) = root {
            more.set("sslrootcert", root).unwrap();
        }
        ConnInfo {
            password: password.map(Password::new),
            options,
            ssl_mode,
            application_name,
            connect_timeout: connect_timeout.map(|seconds| std::time::Duration::from_secs(u64::try_from(seconds).unwrap())),
            more,
            ..ConnInfo::of(&address, &user, &database)
        }
    }
}
