//! An image's name, taken apart for the engine, and encoded for a URL.

use std::fmt::Write;

/// What a pull asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    /// The registry and the repository.
    pub(super) name: &'a str,
    /// A tag, or a digest with its algorithm, which comes first if there are both.
    pub(super) tag: &'a str,
}

/// Takes a name apart; the engine says whether it is a good one. Without a tag it is `latest`: an engine
/// that is told none pulls all of them.
pub(super) fn reference(image: &str) -> Reference<'_> {
    let (tagged, digest) = image.split_once('@').map_or((image, None), |(tagged, digest)| (tagged, Some(digest)));
    // A colon before a slash is of the registry's port.
    let (name, tag) = match tagged.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (tagged, "latest"),
    };
    Reference { name, tag: digest.unwrap_or(tag) }
}

/// The registry's host, with its port; Docker Hub has the name that logins to it are kept by.
pub(super) fn registry(name: &str) -> &str {
    match name.split_once('/') {
        Some((host, _)) if host == "localhost" || host.contains(['.', ':']) => host,
        _ => "index.docker.io",
    }
}

/// For a path, whose slashes, colons and at signs stand for themselves.
pub(super) fn encode(text: &str) -> String {
    percent(text, b"/:@")
}

/// For a value of a query.
pub(super) fn encode_value(text: &str) -> String {
    percent(text, b"")
}

fn percent(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (image, name, tag, host) in [
            ("postgres", "postgres", "latest", "index.docker.io"),
            ("postgres:17", "postgres", "17", "index.docker.io"),
            ("library/postgres:17-alpine", "library/postgres", "17-alpine", "index.docker.io"),
            ("docker.io/postgres:17", "docker.io/postgres", "17", "docker.io"),
            ("registry:5000/a/b:tag", "registry:5000/a/b", "tag", "registry:5000"),
            ("registry:5000/a/b", "registry:5000/a/b", "latest", "registry:5000"),
            ("localhost/a", "localhost/a", "latest", "localhost"),
            ("ghcr.io/a@sha256:0f", "ghcr.io/a", "sha256:0f", "ghcr.io"),
            ("a:1@sha256:0f", "a", "sha256:0f", "index.docker.io"),
        ] {
            assert_eq!(reference(image), Reference { name, tag }, "{image}");
            assert_eq!(registry(name), host, "{image}");
        }
    }

    #[test]
    fn what_a_url_does_not_hold_is_encoded() {
        assert_eq!(encode("r:5000/a_b@sha256:0 ?é\r\n"), "r:5000/a_b@sha256:0%20%3F%C3%A9%0D%0A");
        assert_eq!(encode_value("r:5000/a&b"), "r%3A5000%2Fa%26b");
    }
}
