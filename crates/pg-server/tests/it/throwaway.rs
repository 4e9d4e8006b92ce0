//! Servers for tests and benchmarks.

use std::fs;

use pg_server::{Error, Throwaway, template, throwaway};

use crate::support::{Place, WAIT, binaries, has_ended, query};

fn start(place: &Place, name: &str, settings: &[(&str, &str)]) -> Result<Throwaway, Error> {
    let kept = template(&place.data_dir(), &binaries(), WAIT, &mut |_| panic!("initialised again"))?;
    throwaway(&kept, &binaries(), &place.root.join(name), settings, WAIT, &mut |_| {})
}

#[test]
fn two_at_once_have_their_own_settings_and_leave_nothing() {
    let place = Place::with_template();
    let first = start(&place, "servers/first", &[("wal_level", "replica"), ("fsync", "on")]).unwrap();
    let second = start(&place, "servers/second", &[]).unwrap();
    assert_eq!(
        query(&first.superuser, "SELECT concat_ws(' ', current_setting('wal_level'), current_setting('fsync'))"),
        "replica on"
    );
    assert_eq!(query(&second.superuser, "SHOW wal_level"), "minimal");
    assert_ne!(first.superuser.port, second.superuser.port);
    let pids = [first.local.pid, second.local.pid];
    drop((first, second));
    assert!(pids.iter().all(|pid| has_ended(*pid)));
    assert_eq!(fs::read_dir(place.root.join("servers")).unwrap().count(), 0);
}

#[test]
fn a_used_directory_is_refused() {
    let place = Place::with_template();
    fs::create_dir(place.root.join("used")).unwrap();
    fs::write(place.root.join("used/file"), "").unwrap();
    assert!(matches!(start(&place, "used", &[]), Err(Error::NotOurs { .. })));
    fs::create_dir(place.root.join("empty")).unwrap();
    start(&place, "empty", &[]).unwrap();
}

#[test]
fn a_setting_that_the_server_refuses_is_shown() {
    let place = Place::with_template();
    let text = start(&place, "wrong", &[("no_such_setting", "on")]).unwrap_err().to_string();
    assert!(text.contains("no_such_setting"), "{text}");
    assert!(!place.root.join("wrong").exists());
}
