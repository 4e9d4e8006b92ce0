//! A registry's password, where it lies in `config.json`. Helpers that keep passwords elsewhere are not run.

use std::path::Path;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde_json::{Value, json};

use super::context;

/// The header `X-Registry-Auth` for a registry that somebody logged in to.
///
/// The engine wants the user and the password, not the `auth` that the file has instead of them.
pub(super) fn credentials(config: &Path, registry: &str) -> Option<String> {
    let config = context::json(&config.join("config.json")).ok()?;
    let same = |key: &str| host(key) == host(registry);
    let (server, entry) = config["auths"].as_object()?.iter().find(|(key, _)| same(key))?;
    let plain = STANDARD.decode(entry["auth"].as_str()?).ok()?;
    let (user, password) = std::str::from_utf8(&plain).ok()?.split_once(':')?;
    let header: Value = json!({ "username": user, "password": password, "serveraddress": server });
    Some(URL_SAFE.encode(header.to_string()))
}

/// Of `https://index.docker.io/v1/`, as of `docker.io`, it is the first's host.
fn host(server: &str) -> &str {
    let server = server.split_once("://").map_or(server, |(_, rest)| rest);
    match server.split('/').next().unwrap_or(server) {
        "docker.io" | "registry-1.docker.io" => "index.docker.io",
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::engine::fake::Fake;

    #[test]
    fn a_password_that_lies_open() {
        let directory = Fake::directory("credentials");
        assert_eq!(credentials(&directory, "r:5000"), None);
        let config = format!(
            r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{}"}},"r:5000":{{"auth":"{}"}},"helped":{{}}}}}}"#,
            STANDARD.encode("ann:a:b"),
            STANDARD.encode("bob:c")
        );
        fs::write(directory.join("config.json"), config).unwrap();
        let plain = |registry: &str| {
            let header = credentials(&directory, registry)?;
            Some(serde_json::from_slice::<Value>(&URL_SAFE.decode(header).unwrap()).unwrap())
        };
        let hub = json!({"username": "ann", "password": "a:b", "serveraddress": "https://index.docker.io/v1/"});
        assert_eq!(plain("index.docker.io"), Some(hub.clone()));
        assert_eq!(plain("docker.io"), Some(hub));
        assert_eq!(plain("r:5000").unwrap()["username"], "bob");
        assert_eq!(plain("helped"), None);
        assert_eq!(plain("other"), None);
        fs::remove_dir_all(directory).unwrap();
    }
}
