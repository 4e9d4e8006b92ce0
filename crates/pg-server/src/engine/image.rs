//! An image's name, taken apart for the engine, and encoded for a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

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

/// In a value of a query all but letters, digits and these signs is encoded.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// In a path slashes, colons and at signs stand for themselves.
const PATH: &AsciiSet = &VALUE.remove(b'/').remove(b':').remove(b'@');

/// For a path.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// For a value of a query.
pub(super) fn encode_value(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
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
