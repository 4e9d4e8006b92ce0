//! Where the servers of the tests come from: one list of cases for every rung of the ladder and every version.

use std::process::Command;

use pg_server::EngineSettings;

use crate::skipped;

/// A rung of the ladder, and a major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// Binaries on this machine: the newest, or those of one version.
    Local(Option<u32>),
    /// A container.
    Container(u32),
}

impl Rung {
    /// The rung that `TESTS_SERVER` names: `local`, `local:13`, `container:18`. Unset: the newest binaries.
    #[expect(clippy::disallowed_methods, reason = "the tests' own variable")]
    pub fn named() -> Self {
        Self::parse(&std::env::var("TESTS_SERVER").unwrap_or_default())
    }

    /// The rung that such a text names.
    pub fn parse(text: &str) -> Self {
        let (rung, major) = text.split_once(':').unwrap_or((text, ""));
        match (rung, major.parse().ok()) {
            ("" | "local", major) => Self::Local(major),
            ("container", Some(major)) => Self::Container(major),
            _ => panic!("TESTS_SERVER={text:?} is none of local, local:13, container:18"),
        }
    }
}

/// The image of a major version, which `.ci/image` makes from Debian's packages; `None`, and said, where it is missing.
pub fn image(major: u32) -> Option<String> {
    let image = format!("aura-tests/postgres:{major}");
    let found = Command::new("docker").args(["image", "inspect", &image]).output();
    if found.is_ok_and(|found| found.status.success()) {
        return Some(image);
    }
    skipped(&format!("no Docker engine, or no image {image} in it; make it by `.ci/image RELEASE {image}`"));
    None
}

/// The engine that the environment means.
#[expect(clippy::disallowed_methods, reason = "the tests stand where xtask stands")]
pub(crate) fn engine() -> EngineSettings {
    EngineSettings { docker_host: std::env::var("DOCKER_HOST").ok(), ..EngineSettings::default() }
}
