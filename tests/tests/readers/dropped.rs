//! Readers that drop a URL's options, and connect by the rest.

use pg_connect::{ConnInfo, Options};
use serde_json::Value;
use tests::{Cluster, connection, psql};

use crate::{
    python,
    reader::{Question, SESSION},
};

#[test]
fn f05_without_the_options_the_path_is_still_the_apps() {
    let (cluster, workspace) = Cluster::set_up();
    let whole = connection(workspace.run(&["db-url", "--options"]).exits(0).line());
    assert_eq!(whole.options.get("search_path"), Some("aura, public"));
    let dropped = ConnInfo { options: Options::default(), ..whole.clone() };
    let path = || psql(&dropped.url(), &[], "SHOW search_path").exits(0).line().to_owned();

    assert_eq!(path(), "aura, public");
    let made = "CREATE TABLE made_without_options (); SELECT 'made_without_options'::regclass::oid::regclass,
                relnamespace::regnamespace FROM pg_class WHERE relname = 'made_without_options'";
    assert_eq!(psql(&dropped.url(), &[], made).exits(0).line(), "made_without_options|aura");
    let question = Question { url: dropped.url(), query: Some(SESSION) };
    if let Some(answers) = python::ask("by_psycopg.py", &[], &[question]) {
        assert_eq!(answers[0]["session"]["search_path"], Value::from("aura, public"), "{}", answers[0]);
    }

    // Either of the two settings does it, and nothing else.
    let role = "ALTER ROLE aura_user IN DATABASE aura_db RESET search_path";
    let database = "ALTER DATABASE aura_db RESET search_path";
    cluster.sql("postgres", role);
    assert_eq!(path(), "aura, public", "the database's");
    workspace.run(&["db-setup"]).exits(0);
    cluster.sql("postgres", database);
    assert_eq!(path(), "aura, public", "the role's");
    cluster.sql("postgres", role);
    assert_eq!(path(), r#""$user", public"#);
    // A database without them is known: the URL must carry the path then.
    assert_eq!(connection(workspace.run(&["db-url"]).exits(0).line()).options, whole.options);
    let verdict = workspace.verify().exits(3);
    assert!(verdict.with_status("fail").contains(&"search-path".to_owned()));
}
