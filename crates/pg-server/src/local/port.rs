//! TCP ports: the same one for the same cluster, as long as it is free.

use std::{
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    os::unix::ffi::OsStrExt,
    path::Path,
};

use pg_config::short_digest;

/// Below the ports that Linux (32768–60999) and macOS (49152–65535) hand out to outgoing connections:
/// those would take the port of a stopped server.
const RANGE: Range<u16> = 15433..32768;

/// A port for the cluster in this directory: the kept one, else the first free one after a number that
/// its path gives. None of `refused`, which another process took between our look and the server's.
pub(crate) fn choose(cluster: &Path, kept: Option<u16>, refused: &[u16]) -> Option<u16> {
    // The standard library's hash may be another in its next release.
    let digest = u64::from_str_radix(&short_digest(cluster.as_os_str().as_bytes()), 16).unwrap_or_default();
    let size = RANGE.end - RANGE.start;
    let first = u16::try_from(digest % u64::from(size)).unwrap_or_default();
    let others =
        (0..size).map(|step| RANGE.start + (u32::from(first) + u32::from(step)).rem_euclid(size.into()) as u16);
    kept.into_iter().chain(others).find(|port| !refused.contains(port) && is_free(*port))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_free_port_and_leaves_a_taken_one() {
        let path = Path::new("/some/where");
        let port = choose(path, None, &[]).unwrap();
        assert!(RANGE.contains(&port));
        assert_eq!(choose(path, None, &[]), Some(port));
        let other = choose(path, Some(port), &[port]).unwrap();
        assert_ne!(other, port);
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert_ne!(choose(path, Some(port), &[]), Some(port));
    }
}
