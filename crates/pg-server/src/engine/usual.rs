//! The sockets at which engines usually listen, for who named none.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use super::{
    Engine, EngineError, EngineSettings, Limits,
    endpoint::Endpoint,
    set,
    target::{Naming, Target},
};

/// The first of these sockets at which an engine answers, else what is wrong with those that exist.
pub(super) fn first_that_answers(
    places: &[PathBuf],
    settings: &EngineSettings,
    limits: Limits,
) -> Result<Engine, EngineError> {
    let end = Instant::now() + limits.find;
    let mut seen = Vec::new();
    let mut errors: Vec<EngineError> = Vec::new();
    for place in places {
        // Links to one another are usual.
        let real = place.canonicalize().unwrap_or_else(|_| place.clone());
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || seen.contains(&real) || !there(place) {
            continue;
        }
        seen.push(real);
        let target = Target { endpoint: Endpoint::Unix(place.clone()), tls: None, naming: Naming::Usual };
        match Engine::look(target, settings, limits.within(left)) {
            Ok(engine) => return Ok(Engine { limits, ..engine }),
            Err(error) => errors.push(error),
        }
    }
    let Some(first) = errors.first() else {
        let looked: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
        return Err(EngineError::new(
            format!("no Docker engine: none of {} exists", looked.join(", ")),
            "start Docker or Podman, or name an engine in DOCKER_HOST",
        ));
    };
    let reasons: Vec<_> = errors.iter().map(|error| error.reason.as_str()).collect();
    Err(EngineError::new(reasons.join("; "), &first.remedy))
}

/// Where engines put their sockets: Docker, Docker without root, Docker Desktop, Podman, Podman's machine.
pub(super) fn places(settings: &EngineSettings) -> Vec<PathBuf> {
    let runtime = set(settings.runtime_dir.as_deref());
    let home = set(settings.home.as_deref());
    let places = [
        (None, "/var/run/docker.sock"),
        (Some(&runtime), "docker.sock"),
        (Some(&home), ".docker/run/docker.sock"),
        (Some(&home), ".docker/desktop/docker.sock"),
        (Some(&runtime), "podman/podman.sock"),
        (None, "/run/podman/podman.sock"),
        (Some(&home), ".local/share/containers/podman/machine/podman.sock"),
    ];
    let place = |(directory, name): (Option<&Option<PathBuf>>, &str)| match directory {
        None => Some(PathBuf::from(name)),
        Some(directory) => directory.as_ref().map(|directory| directory.join(name)),
    };
    places.into_iter().filter_map(place).collect()
}

/// A directory that we may not enter may hold one.
fn there(place: &Path) -> bool {
    place.try_exists().unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::net::UnixListener, time::Duration};

    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::engine::{
        fake::{Act, Fake},
        tests::{PONG, SHORT},
    };

    fn first(places: &[&Path]) -> Result<Engine, EngineError> {
        let places: Vec<_> = places.iter().map(|place| (*place).to_owned()).collect();
        first_that_answers(&places, &EngineSettings::default(), SHORT)
    }

    #[test]
    fn the_places() {
        let settings = EngineSettings {
            runtime_dir: Some("/run/user/7".into()),
            home: Some("/home/ann".into()),
            ..EngineSettings::default()
        };
        let all: Vec<_> = places(&settings).iter().map(|place| place.display().to_string()).collect();
        assert_eq!(
            all,
            [
                "/var/run/docker.sock",
                "/run/user/7/docker.sock",
                "/home/ann/.docker/run/docker.sock",
                "/home/ann/.docker/desktop/docker.sock",
                "/run/user/7/podman/podman.sock",
                "/run/podman/podman.sock",
                "/home/ann/.local/share/containers/podman/machine/podman.sock",
            ]
        );
        let without = EngineSettings { home: Some("".into()), ..EngineSettings::default() };
        assert_eq!(places(&without), ["/var/run/docker.sock", "/run/podman/podman.sock"].map(PathBuf::from));
    }

    #[test]
    fn no_socket_anywhere() {
        let error = first(&[Path::new("/nowhere/a.sock"), Path::new("/nowhere/b.sock")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no Docker engine: none of /nowhere/a.sock, /nowhere/b.sock exists\n  \
             help: start Docker or Podman, or name an engine in DOCKER_HOST"
        );
    }

    #[test]
    fn the_first_that_answers() {
        let stale = Fake::directory("stale").join("docker.sock");
        drop(UnixListener::bind(&stale).unwrap());
        let fake = Fake::start("first", vec![vec![Act::Say(PONG)]]);
        let engine = first(&[Path::new("/nowhere/a.sock"), &stale, fake.socket()]).unwrap();
        assert_eq!(engine.docker_host(), format!("unix://{}", fake.socket().display()));
        assert_eq!(engine.to_string(), format!("Docker 27.1 at {} (its usual place)", engine.docker_host()));
        assert_eq!(engine.remote_host(), None);
        assert_eq!(engine.environment()[2], ("DOCKER_TLS_VERIFY", None));
        fs::remove_dir_all(stale.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_is_wrong_with_each_that_exists() {
        let stale = Fake::directory("wrong").join("docker.sock");
        drop(UnixListener::bind(&stale).unwrap());
        let link = stale.with_file_name("link.sock");
        std::os::unix::fs::symlink(&stale, &link).unwrap();
        let silent = Fake::start("silent", vec![vec![Act::Stall]]);
        let error = first(&[&stale, &link, silent.socket()]).unwrap_err();
        let words = error.to_string().replace(&stale.display().to_string(), "STALE");
        assert_data_eq!(
            words.replace(&silent.socket().display().to_string(), "SILENT"),
            str![[r#"
STALE is there, and nothing listens there: the engine is stopped; SILENT is there, and it accepts connections and does not answer within 0.3 s
  help: start it: [..]
"#]]
        );
        fs::remove_dir_all(stale.parent().unwrap()).unwrap();
    }

    #[test]
    fn many_silent_engines_do_not_add_up() {
        // One after the other they would take 18 s, on any machine: each is waited for 0.3 s.
        let fakes: Vec<_> =
            (0..60).map(|number| Fake::start(&format!("many-{number}"), vec![vec![Act::Stall]])).collect();
        let places: Vec<_> = fakes.iter().map(Fake::socket).collect();
        let start = Instant::now();
        first(&places).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(18), "{:?}", start.elapsed());
    }
}
