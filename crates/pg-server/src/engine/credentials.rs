//! A registry's password, for the header `X-Registry-Auth`: where `docker login` or `podman login` has put it.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use serde_json::json;

use super::{EngineSettings, set};

/// Docker Hub, as logins to it are kept by `docker login`.
const HUB: &str = "https://index.docker.io/v1/";

/// The header for a registry to which somebody is logged in.
pub(super) fn credentials(settings: &EngineSettings, registry: &str) -> Option<String> {
    let names = if registry == "docker.io" || registry == "index.docker.io" {
        vec![HUB, "index.docker.io"]
    } else {
        vec![registry]
    };
    let (name, credential) =
        files(settings).iter().find_map(|file| names.iter().find_map(|name| Some((*name, kept(file, name).ok()?))))?;
    let header = match credential {
        DockerCredential::IdentityToken(token) => json!({ "identitytoken": token, "serveraddress": name }),
        DockerCredential::UsernamePassword(user, password) => {
            json!({ "username": user, "password": password, "serveraddress": name })
        }
    };
    Some(URL_SAFE.encode(header.to_string()))
}

/// Docker's file, then Podman's (containers-auth.json(5)).
fn files(settings: &EngineSettings) -> Vec<PathBuf> {
    let docker = settings.config().map(|config| config.join("config.json"));
    let runtime = set(settings.runtime_dir.as_deref()).map(|runtime| runtime.join("containers/auth.json"));
    let home = set(settings.home.as_deref()).map(|home| home.join(".config/containers/auth.json"));
    [docker, set(settings.registry_auth_file.as_deref()), runtime, home].into_iter().flatten().collect()
}

/// A helper that the file names is run: `docker-credential-…`.
fn kept(file: &Path, registry: &str) -> Result<DockerCredential, CredentialRetrievalError> {
    let file = File::open(file).map_err(|_| CredentialRetrievalError::ConfigNotFound)?;
    get_credential_from_reader(file, registry)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;

    use super::*;
    use crate::engine::fake::Fake;

    fn plain(settings: &EngineSettings, registry: &str) -> Option<Value> {
        let header = credentials(settings, registry)?;
        Some(serde_json::from_slice(&URL_SAFE.decode(header).unwrap()).unwrap())
    }

    #[test]
    fn a_password_that_lies_open() {
        let directory = Fake::directory("credentials");
        let settings = EngineSettings { docker_config: Some(directory.clone()), ..EngineSettings::default() };
        assert_eq!(plain(&settings, "r:5000"), None);
        let config = format!(
            r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{}"}},"r:5000":{{"auth":"{}"}},"token":{{"identitytoken":"t"}},"none":{{}}}}}}"#,
            STANDARD.encode("ann:a:b"),
            STANDARD.encode("bob:c")
        );
        fs::write(directory.join("config.json"), config).unwrap();
        let hub = json!({"username": "ann", "password": "a:b", "serveraddress": HUB});
        assert_eq!(plain(&settings, "index.docker.io"), Some(hub.clone()));
        assert_eq!(plain(&settings, "docker.io"), Some(hub));
        assert_eq!(plain(&settings, "r:5000").unwrap()["username"], "bob");
        assert_eq!(plain(&settings, "token"), Some(json!({"identitytoken": "t", "serveraddress": "token"})));
        assert_eq!(plain(&settings, "none"), None);
        assert_eq!(plain(&settings, "other"), None);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_password_of_podman() {
        let directory = Fake::directory("podman-credentials");
        let settings = EngineSettings { home: Some(directory.clone()), ..EngineSettings::default() };
        let file = directory.join(".config/containers/auth.json");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let auths = format!(
            r#"{{"auths":{{"docker.io":{{"auth":"{0}"}},"quay.io":{{"auth":"{0}"}}}}}}"#,
            STANDARD.encode("ann:b")
        );
        fs::write(&file, &auths).unwrap();
        assert_eq!(plain(&settings, "quay.io").unwrap()["username"], "ann");
        assert_eq!(plain(&settings, "index.docker.io").unwrap()["username"], "ann");
        let named = EngineSettings { registry_auth_file: Some(file), ..EngineSettings::default() };
        assert_eq!(plain(&named, "quay.io").unwrap()["password"], "b");
        fs::remove_dir_all(directory).unwrap();
    }
}
