//! How a session ends.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use tests::{Cluster, Passage, Proxy, Sender};

/// The driver waits for each answer that is due before it ends a connection, for ever for one that it could not read.
#[test]
fn a_session_with_an_unreadable_answer_ends() {
    let cluster = Cluster::start();
    let is_armed = Arc::new(AtomicBool::new(false));
    let armed = is_armed.clone();
    let proxy = Proxy::before(cluster.port(), move |message| {
        // ReadyForQuery becomes a message that does not exist.
        if (message.sender, message.tag) == (Sender::Server, Some(b'Z')) && armed.load(SeqCst) {
            message.bytes[0] = 1;
        }
        Passage::Pass
    });
    let mut info = cluster.superuser();
    info.port = proxy.port;
    let mut session = pg_connect::connect(&info).unwrap();
    is_armed.store(true, SeqCst);
    session.client.simple_query("SELECT 1").unwrap_err();
    // The test's runner ends a test that hangs here.
    drop(session);
}
