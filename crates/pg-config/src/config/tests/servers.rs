//! One server for the whole configuration, and nothing on it of what was said for another.

use super::*;

/// What one file says belongs together, by whichever keys it says it.
#[test]
fn a_files_secrets_stay_with_the_files_server_whatever_names_it() {
    let here = ("DB_HOST", "127.0.0.1");
    for (file, process) in [
        (&[("PGHOST", "h"), ("DB_PASSWORD", "s3cret")][..], here),
        (&[("DB_HOST", "h"), ("PGPASSWORD", "s3cret")], here),
        (&[("DATABASE_URL", "postgres://u@h/d"), ("PGPASSWORD", "s3cret")], ("DATABASE_URL", "postgres://127.0.0.1")),
        (&[("PGHOST", "h"), ("PGPASSWORD", "s3cret")], here),
    ] {
        let config = resolve(&[process], file).unwrap();
        assert!(summary(&config).ends_with("127.0.0.1:5432 none"), "{file:?}: {}", summary(&config));
        assert!(config.ignored.iter().any(|line| line.contains("names another server")), "{:?}", config.ignored);
    }
    // A string without a host means a server too: the local socket.
    let hostless = ("DATABASE_URL", "postgres://u:s3cret@/d");
    let process = [("PGHOST", "127.0.0.6"), ("PGPORT", "7"), ("PGSSLMODE", "require"), ("PGPASSWORD", "own")];
    let config = resolve(&process, &[hostless]).unwrap();
    assert_eq!(summary(&config), "u d 127.0.0.6:7 own");
    assert_eq!(config.ssl_mode(), SslMode::Require);
    assert_eq!(summary(&resolve(&process[..1], &[hostless]).unwrap()), "u d 127.0.0.6:5432 none");
    let file = [("DB_PASSWORD", "s3cret"), ("DB_PORT", "5433")];
    assert_eq!(summary(&resolve(&process[..1], &file).unwrap()), "aura_user aura_db 127.0.0.6:5432 none");
}

#[test]
fn a_files_word_for_its_administrator_stays_with_its_server() {
    let shown = |process: &[(&str, &str)], file: &[(&str, &str)]| {
        let config = resolve(process, file).unwrap();
        (config.admin.as_ref().unwrap().value[0].masked_url(), summary(&config), config.ignored)
    };
    let here = ("DB_HOST", "127.0.0.1");
    let (admin, ..) = shown(&[here], &[("PGHOST", "h"), ("ADMIN_DATABASE_URL", "postgres://root:s3cret@/")]);
    assert_eq!(admin, "postgresql://root@127.0.0.1:5432/postgres");
    let said = ("ADMIN_DATABASE_URL", "postgres://root:s3cret@/?sslmode=disable&options=-cwork_mem%3D1MB");
    let (admin, _, ignored) = shown(&[here], &[("DATABASE_URL", "postgres://u@h/d"), said]);
    assert_eq!(admin, "postgresql://root@127.0.0.1:5432/postgres");
    for what in ["password", "sslmode", "options"] {
        let line = format!("the {what} of ADMIN_DATABASE_URL in .env: DB_HOST in the environment names another server");
        assert!(ignored.contains(&line), "{ignored:?}");
    }
    // What a file says of its own server weakens no other's.
    let process = ("ADMIN_DATABASE_URL", "postgres://root:pw@x/");
    for file in [&[("PGHOST", "h"), ("PGSSLMODE", "disable")][..], &[("PGSSLMODE", "disable")]] {
        assert_eq!(shown(&[process], file).0, "postgresql://root:***@x:5432/postgres");
    }
    // Where it alone names the file's server, the file's other words are for that one.
    let file = [("ADMIN_DATABASE_URL", "postgres://root:pw@h/"), ("DB_PASSWORD", "s3cret")];
    assert_eq!(shown(&[("PGHOST", "x")], &file).1, "aura_user aura_db x:5432 none");
    assert_eq!(shown(&[], &file).1, "aura_user aura_db h:5432 s3cret");
}

#[test]
fn the_environments_secrets_stay_with_the_environments_server() {
    let url = ("DATABASE_URL", "postgres://u@h/d");
    let config = resolve(&[("PGHOST", "x"), ("PGPASSWORD", "s3cret")], &[url]).unwrap();
    assert_eq!(summary(&config), "u d h:5432 none");
    // A password that is for no server in particular fills what is open, as in libpq.
    assert_eq!(summary(&resolve(&[("PGPASSWORD", "p")], &[url]).unwrap()), "u d h:5432 p");
    assert_eq!(summary(&resolve(&[url, ("PGHOST", "x"), ("PGPASSWORD", "p")], &[]).unwrap()), "u d h:5432 p");
    // A connection string is a whole: another source's variables do not move its server.
    let config = resolve(&[("PGHOSTADDR", "127.0.0.2"), ("PGPORT", "6000")], &[url]).unwrap();
    assert_eq!(summary(&config), "u d h:5432 none");
    let dropped = "the port of PGPORT in the environment: DATABASE_URL in .env names the server";
    assert!(config.ignored.iter().any(|line| line == dropped), "{:?}", config.ignored);
    assert_eq!(summary(&resolve(&[("PGPORT", "6000"), url], &[]).unwrap()), "u d h:6000 none");
}

#[test]
fn the_administrators_server_is_spoken_to_as_safely_as_the_apps() {
    let modes = |process: &[(&str, &str)]| {
        let config = resolve(process, &[]).unwrap();
        let admin = config.admin.as_ref().unwrap().value[0].clone();
        let app = config.app(&config.named.as_ref().unwrap().value[0]);
        let root =
            |info: &ConnInfo| info.more.get("sslrootcert").unwrap_or("none").rsplit('/').next().unwrap().to_owned();
        format!("{} {} {} {}", app.ssl_mode, root(&app), admin.ssl_mode, root(&admin))
    };
    let verified = [("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", "ca.crt")];
    let with = |more: &[(&'static str, &'static str)]| [&verified[..], more].concat();
    let admin = |url| ("ADMIN_DATABASE_URL", url);
    // It alone names the server.
    let alone = with(&[admin("postgres://root@h/")]);
    assert_eq!(modes(&alone), "verify-full ca.crt verify-full ca.crt");
    let own_words = [admin("postgres://root@h/?sslmode=verify-full&sslrootcert=ca.crt")];
    assert_eq!(modes(&own_words), "verify-full ca.crt verify-full ca.crt");
    // On another server libpq's variables hold, not what the app's URL says.
    let elsewhere = with(&[("DATABASE_URL", "postgres://u@h/d?sslmode=disable"), admin("postgres://root@x/")]);
    assert_eq!(modes(&elsewhere), "disable ca.crt verify-full ca.crt");
    // What it says itself does not undo the rest.
    for url in ["postgres://root@h/?sslsni=0", "postgres://root@h/?sslrootcert=ca.crt"] {
        assert_eq!(
            modes(&with(&[("DATABASE_URL", "postgres://u@h/d"), admin(url)])),
            "verify-full ca.crt verify-full ca.crt"
        );
    }
    let system = [("DATABASE_URL", "postgres://u@h/d?sslrootcert=system"), admin("postgres://root@h/?sslmode=require")];
    assert_eq!(modes(&system), "verify-full system require none");
    let config = resolve(&[("PGCHANNELBINDING", "require"), admin("postgres://root@h/")], &[]).unwrap();
    assert_eq!(config.admin.unwrap().value[0].more.get("channel_binding"), Some("require"));
}

#[test]
fn services_and_files_are_found_where_their_source_says() {
    let directory = std::env::temp_dir().join(format!("pg-config-services-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("services"), "[s]\nhost=by-service\nuser=u\npassword=p\ndbname=d\n").unwrap();
    let path = directory.join("services").display().to_string();
    for (process, file) in [
        (&[("PGSERVICEFILE", path.as_str())][..], &[("PGSERVICE", "s")][..]),
        (&[("PGSERVICEFILE", &path)], &[("DATABASE_URL", "postgres://?service=s")]),
        (&[], &[("PGSERVICEFILE", &path), ("PGSERVICE", "s")]),
    ] {
        assert_eq!(summary(&resolve(process, file).unwrap()), "u d by-service:5432 p");
    }
    std::fs::write(directory.join("two"), "[one]\nhost=one\n[two]\nhost=two\n").unwrap();
    let two = directory.join("two").display().to_string();
    let file = [("PGSERVICE", "one"), ("PGPASSWORD", "s3cret"), ("PGSSLMODE", "disable"), ("PGSERVICEFILE", &two)];
    for process in [("PGSERVICE", "two"), ("DATABASE_URL", "postgres://?service=two")] {
        let config = resolve(&[process], &file).unwrap();
        assert_eq!(summary(&config), "aura_user aura_db two:5432 none");
        assert_eq!(config.ssl_mode(), SslMode::Prefer);
        let told = |line: &String| line.contains("PGSERVICE in .env");
        assert!(config.ignored.iter().any(told), "{:?}", config.ignored);
    }
    let passfile = directory.join("passfile");
    std::fs::write(&passfile, "*:*:*:root:of the file\n").unwrap();
    std::fs::set_permissions(&passfile, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let admin = format!("postgres://root@h/?passfile={}", passfile.display());
    let config = resolve(&[("ADMIN_DATABASE_URL", &admin)], &[]).unwrap();
    assert_eq!(config.admin.unwrap().value[0].password, Some(Password::new("of the file")));
    std::fs::remove_dir_all(directory).unwrap();
}

/// The source that names the host owns the port.
#[test]
fn ports_go_with_the_host_that_they_were_said_for() {
    for (process, file, expected) in [
        (&[("DB_HOST", "x")][..], &[("DB_PORT", "9002")][..], "aura_user aura_db x:5432 none"),
        (&[("DB_HOST", "x"), ("DB_PASSWORD", "p")], &[("PGPORT", "9002")], "aura_user aura_db x:5432 p"),
        (&[("DB_HOST", "x")], &[("PGHOST", "h"), ("PGPORT", "9002")], "aura_user aura_db x:5432 none"),
        (
            &[("PGHOST", "x"), ("PGPORT", "9001"), ("PGPASSWORD", "s3cret")],
            &[("DB_HOST", "h"), ("DB_PASSWORD", "p")],
            "aura_user aura_db h:5432 p",
        ),
        (&[("DB_HOST", "x")], &[("PGHOST", "a,b"), ("PGPORT", "1,2")], "aura_user aura_db x:5432 none"),
        (
            &[("PGHOST", "a,b"), ("PGPORT", "1,2")],
            &[("DB_HOST", "h"), ("DB_PASSWORD", "p")],
            "aura_user aura_db h:5432 p",
        ),
        (&[("PGPORT", "9001")], &[("DB_HOST", "h"), ("DB_PASSWORD", "p")], "aura_user aura_db h:5432 p"),
        (&[("PGHOST", "x"), ("PGPASSWORD", "p")], &[("PGPORT", "9002")], "aura_user aura_db x:5432 p"),
        (&[("DB_PORT", "7"), ("PGHOST", "x"), ("PGPORT", "8")], &[], "aura_user aura_db x:7 none"),
        (&[("DATABASE_URL", "postgres://u:s3cret@/d?port=9")], &[("PGHOST", "h"), ("PGPASSWORD", "p")], "u d h:5432 p"),
        (
            &[("DB_PASSWORD", "p"), ("PGPORT", "5433"), ("ADMIN_DATABASE_URL", "postgres://root@h/")],
            &[],
            "aura_user aura_db h:5432 p",
        ),
        (
            &[("DB_PASSWORD", "p"), ("ADMIN_DATABASE_URL", "postgres://root@x/")],
            &[("DB_HOST", "h")],
            "aura_user aura_db h:5432 p",
        ),
        (
            &[("DATABASE_URL", "postgres:///d")],
            &[("PGHOST", "h"), ("PGPASSWORD", "p"), ("DATABASE_URL", "postgres://u:s3cret@x/d")],
            "aura_user d h:5432 p",
        ),
    ] {
        let config = resolve(process, file).unwrap_or_else(|error| panic!("{process:?} {file:?}: {error}"));
        assert_eq!(summary(&config), expected, "{process:?} {file:?} {:?}", config.ignored);
        assert!(!config.ignored.iter().any(|line| line.contains("default")), "{:?}", config.ignored);
    }
    let config = resolve(&[("DB_HOST", "x")], &[("DB_PORT", "9002")]).unwrap();
    assert_eq!(config.ignored, ["the port of DB_PORT in .env: DB_HOST in the environment names the server"]);
}

/// `DB_PORT` of a higher source is the port of a host that a lower one gives in parts.
#[test]
fn a_higher_port_is_for_a_host_in_parts() {
    for (process, file, expected) in [
        (&[][..], &[("DB_HOST", "h"), ("DB_PORT", "9002"), ("DB_PASSWORD", "p")][..], "aura_user aura_db h:9001 p"),
        (&[("DB_PASSWORD", "own")], &[("DB_HOST", "h"), ("DB_PASSWORD", "p")], "aura_user aura_db h:9001 own"),
        (&[], &[("PGHOST", "h"), ("PGPORT", "9002"), ("PGPASSWORD", "p")], "aura_user aura_db h:9001 p"),
        // Alone it means localhost.
        (&[], &[("DB_PASSWORD", "p")], "aura_user aura_db localhost:9001 p"),
        (&[], &[("ADMIN_DATABASE_URL", "postgres://root@x/")], "aura_user aura_db localhost:9001 none"),
        // A source that names a host says its port for that one.
        (&[("PGHOST", "x")], &[("DB_HOST", "h"), ("DB_PASSWORD", "p")], "aura_user aura_db h:5432 p"),
        // The same port, said again.
        (&[], &[("DATABASE_URL", "postgres://u:p@h:9001/d")], "u d h:9001 p"),
    ] {
        let process = [process, &[("DB_PORT", "9001")]].concat();
        let config = resolve(&process, file).unwrap_or_else(|error| panic!("{process:?} {file:?}: {error}"));
        assert_eq!(summary(&config), expected, "{process:?} {file:?} {:?}", config.ignored);
        let source = if expected.contains(":9001") { Source::Process("DB_PORT") } else { Source::Default };
        let is_url = file[0].0 == "DATABASE_URL";
        assert_eq!(config.port_source == source, !is_url, "{process:?} {file:?}");
    }
    for url in ["postgres://u:s3cret@h:9002/d", "postgres://u:s3cret@h/d", "postgres:///d", "host=a,b port=9001,9002"] {
        let error = resolve(&[("DB_PORT", "9001")], &[("DATABASE_URL", url)]).unwrap_err().to_string();
        let both = "DATABASE_URL in .env and DB_PORT in the environment contradict each other about the port\n  \
                    help: keep one of them";
        assert_eq!(error, both, "{url}");
    }
}

/// The source that names the host owns TLS: a lower one says nothing of it, a higher one fills what is open.
#[test]
fn tls_goes_with_the_host_that_it_was_said_for() {
    let owner = |source: &str| Some(format!("the sslmode of PGSSLMODE in {source} names the server"));
    let (require, disable) = (("PGSSLMODE", "require"), ("PGSSLMODE", "disable"));
    for (process, file, expected, ignored) in [
        (&[("DB_HOST", "x")][..], &[require][..], SslMode::Prefer, owner(".env: DB_HOST in the environment")),
        (
            &[("DATABASE_URL", "postgres://u@h/d")],
            &[disable],
            SslMode::Prefer,
            owner(".env: DATABASE_URL in the environment"),
        ),
        (&[disable], &[("PGHOST", "h"), require], SslMode::Require, owner("the environment: PGHOST in .env")),
        (
            &[require],
            &[("DATABASE_URL", "postgres://u@h/d?sslmode=disable")],
            SslMode::Disable,
            owner("the environment: DATABASE_URL in .env"),
        ),
        (&[require], &[("DATABASE_URL", "postgres://u@h/d")], SslMode::Require, None),
        (&[("DB_PORT", "1")], &[("PGHOST", "h"), require], SslMode::Require, None),
        (&[require], &[("ADMIN_DATABASE_URL", "postgres://root@h/")], SslMode::Require, None),
        // The same server, said again.
        (&[("DB_HOST", "h")], &[("DB_HOST", "h"), require], SslMode::Require, None),
    ] {
        let config = resolve(process, file).unwrap();
        assert_eq!(config.ssl_mode(), expected, "{process:?} {file:?}");
        assert_eq!(config.ignored, Vec::from_iter(ignored), "{process:?} {file:?}");
    }
}

#[test]
fn another_servers_words_weaken_no_administrators() {
    let shown = |process: &[(&str, &str)], file: &[(&str, &str)]| {
        resolve(process, file).unwrap().admin.unwrap().value[0].masked_url()
    };
    let file =
        [("ADMIN_DATABASE_URL", "postgres://root:pw@h/"), ("DATABASE_URL", "postgres://u:p@h/d?sslmode=verify-full")];
    for server in [("DATABASE_URL", "postgres://u@x/d"), ("DB_HOST", "x")] {
        let admin = shown(&[server, ("PGSSLMODE", "disable")], &file);
        assert_eq!(admin, "postgresql://root:***@h:5432/postgres?sslmode=verify-full");
    }
    // A port of a higher source is for the file's host; so is the administrator's password beside it.
    let process = [("DB_PORT", "9001"), ("ADMIN_DATABASE_URL", "postgres://root:pw@/")];
    assert_eq!(shown(&process, &[("DATABASE_URL", "postgres://u@h:9001/d")]), "postgresql://root:***@h:9001/postgres");
}
