//! Where servers that go again are quick.

use std::path::PathBuf;

/// Where throw-away servers are quick: in memory where there is plenty, else the temporary directory.
///
/// Each cluster is a thousand files, and ext4 looks for an unused inode among all that were freed in the
/// last minute: on a disk the tenth cluster takes ten times the first.
pub fn scratch() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let free = nix::sys::statvfs::statvfs(&memory)
        .ok()
        .and_then(|memory| memory.blocks_available().checked_mul(memory.fragment_size()));
    if free.is_some_and(|free| free > 2 << 30) { memory } else { std::env::temp_dir() }
}
