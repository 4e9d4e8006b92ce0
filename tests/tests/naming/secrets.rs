//! A password is in no error, no Debug output, no panic and no process list, however it was named.

use std::{fs, process::Stdio, thread, time::Duration};

use pg_connect::{Candidates, Parameters, Surroundings};
use tests::Workspace;

/// No other text holds it, and it needs no escape.
const SECRET: &str = "zq7-s3cret-xw";

#[test]
fn debug_output_and_panics_show_none() {
    let workspace = Workspace::new();
    let directory = workspace.root();
    let passfile = directory.join("passfile");
    fs::write(&passfile, format!("*:*:*:*:{SECRET}\n")).unwrap();
    fs::set_permissions(&passfile, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(directory.join("services"), format!("[s]\nhost=127.0.0.1\nport=1\npassword={SECRET}\n")).unwrap();
    let environment = [
        ("PGPASSWORD", SECRET.to_owned()),
        ("PGPASSFILE", passfile.display().to_string()),
        ("PGSERVICEFILE", directory.join("services").display().to_string()),
    ];
    let none = |_: &str| None;
    let some = |key: &str| environment.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
    let passfile_alone = |key: &str| some(key).filter(|_| key != "PGPASSWORD");
    type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;
    let cases: [(&str, Variable<'_>); 5] = [
        (&format!("postgresql://u:{SECRET}@127.0.0.1:1/d"), &none),
        (&format!("host=127.0.0.1 port=1 user=u password='{SECRET}'"), &none),
        ("postgresql://u@127.0.0.1:1/d", &some),
        ("postgresql://u@127.0.0.1:1/d", &passfile_alone),
        ("postgresql://u@/d?service=s", &passfile_alone),
    ];
    for (string, variable) in cases {
        let around = Surroundings { variable, home: None };
        let parameters = Parameters::parse(string).unwrap();
        let mut shown = format!("{parameters:?}");
        shown += &format!("{:?}", around.passfile(&Parameters::parse("passfile=").unwrap()));
        let (candidates, ignored) = around.complete(parameters).unwrap();
        assert_eq!(candidates.all()[0].password.as_ref().map(|found| found.reveal()), Some(SECRET), "{string}");
        shown += &format!("{candidates:?}{candidates:#?}{ignored:?}{}", candidates.all()[0].masked_url());
        let error = candidates.connect(Duration::ZERO).err().unwrap();
        shown += &format!("{error}{error:?}{error:#?}");
        let said = std::panic::catch_unwind(|| panic!("{:?}", Candidates::of(candidates.all().to_vec())));
        shown += said.unwrap_err().downcast_ref::<String>().unwrap();
        assert!(!shown.contains(SECRET), "{string}: {shown}");
    }
}

/// While a command waits for a server that does not answer, everybody may look at its process.
#[test]
fn the_process_list_shows_none() {
    let workspace = Workspace::new().with("DATABASE_URL", &format!("postgresql://u:{SECRET}@127.0.0.1:1/d"));
    let command = workspace.command(&["db-verify", "--wait", "1"]).stderr(Stdio::null()).spawn();
    let mut child = command.unwrap();
    // Until it ends; at first the new process still has this one's command line.
    let mut was_seen = false;
    while child.try_wait().unwrap().is_none() {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            assert!(!line.contains(SECRET), "{line}");
            was_seen |= line.contains("db-verify") && entry.file_name() == child.id().to_string().as_str();
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert!(was_seen, "its command line was looked at");
}
