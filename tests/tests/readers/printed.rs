//! The seed document's URL goes in, what `db-url` prints comes out, and every reader takes that.

use serde_json::Value;
use tests::{Cluster, Workspace, psql};

use crate::reader::{Question, READERS, SESSION};

#[test]
fn f04_every_reader_takes_what_is_printed() {
    let cluster = Cluster::start();
    let plain = cluster.url("aura_user", "the-app's", "aura_db");
    let documented = format!("{plain}&options=-csearch_path=aura");
    let workspace = Workspace::on(&cluster).with("DATABASE_URL", &documented);
    workspace.run(&["db-setup"]).exits(0);
    psql(&documented, &[], "SELECT 1").exits(2).complains("extra key/value separator");
    // Read is either spelling; and both come to the same.
    let encoded = Workspace::on(&cluster).with("DATABASE_URL", &format!("{plain}&options=-csearch_path%3Daura"));
    for arguments in [&["db-url"][..], &["db-url", "--options"]] {
        let printed = workspace.run(arguments).exits(0);
        assert_eq!(encoded.run(arguments).exits(0).stdout, printed.stdout);
        for reader in &READERS {
            let question = Question { url: printed.line().to_owned(), query: Some(SESSION) };
            let Some(answers) = (reader.read)(&[question]) else { continue };
            let session = &answers[0]["session"];
            assert_eq!(session["database"], Value::from("aura_db"), "{}, {arguments:?}: {}", reader.name, answers[0]);
            if reader.asks.contains(&"search_path") {
                assert_eq!(session["search_path"], Value::from("aura, public"), "{}, {arguments:?}", reader.name);
            }
        }
    }
}
