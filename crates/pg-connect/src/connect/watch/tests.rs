//! What holds of bytes, however they are cut; and of a network, where no test of a server can be sure of one.

use super::*;
use crate::{Address, Parameters};

fn info(text: &str) -> ConnInfo {
    let parameters = Parameters::parse(&format!("host=h user=u dbname=d {text}")).unwrap();
    ConnInfo::new(&Address::all(&parameters).unwrap()[0], &parameters).unwrap()
}

fn request(code: u8) -> Vec<u8> {
    vec![b'R', 0, 0, 0, 8, 0, 0, 0, code]
}

/// The reason, where a login by this request is not accepted, over a network and in the clear.
fn refusal(text: &str, code: u8) -> Option<String> {
    let mut watch = Watch::new(Policy::new(&info(text), false, true));
    watch.look(&request(code)).err().map(|fault| format!("{fault:?}"))
}

#[test]
fn a_password_does_not_go_through_a_network_in_the_clear() {
    for (code, method) in [(3, "password"), (5, "md5")] {
        let reason = refusal("password=s3cret", code).unwrap();
        assert!(reason.contains("sslmode=require") && reason.contains(&format!("require_auth={method}")), "{reason}");
        // Only a word for it is one.
        for text in ["require_auth=!gss", "require_auth=!none", "sslmode=disable", "channel_binding=prefer"] {
            assert!(refusal(&format!("password=s3cret {text}"), code).is_some(), "{text}");
        }
        assert_eq!(refusal(&format!("password=s3cret require_auth={method}"), code), None);
        assert_eq!(refusal(&format!("password=s3cret require_auth=scram-sha-256,{method}"), code), None);
        // There is nothing to send.
        assert_eq!(refusal("", code), None);
        for (is_encrypted, is_network) in [(true, true), (false, false)] {
            let mut watch = Watch::new(Policy::new(&info("password=s3cret"), is_encrypted, is_network));
            assert_eq!(watch.look(&request(code)), Ok(()));
        }
    }
    assert!(refusal("password=s3cret require_auth=md5", 3).is_some());
    assert!(refusal("password=s3cret require_auth=password", 5).is_some());
    for code in [0, 7, 9, 10] {
        assert_eq!(refusal("password=s3cret", code), None, "{code}");
    }
}

#[test]
fn a_server_of_ours_asks_for_scram() {
    let ours = ConnInfo { scram_only: true, ..info("password=s3cret") };
    for (code, is_refused) in [(0, true), (2, true), (3, true), (5, true), (7, true), (10, false)] {
        let mut watch = Watch::new(Policy::new(&ours, false, false));
        assert_eq!(watch.look(&request(code)).is_err(), is_refused, "{code}");
    }
    let variables = ours.libpq_environment();
    assert!(variables.contains(&("PGREQUIREAUTH", "scram-sha-256".to_owned())), "{variables:?}");
    assert!(!ours.url().contains("require_auth"), "an older libpq could not read it");
}

#[test]
fn bytes_may_be_cut_anywhere() {
    let clear = request(3);
    let notice = [&b"N\0\0\0\x0b"[..], b"SLOG\0\0\0"].concat();
    let before = [notice.clone(), notice].concat();
    let stream = [before, clear].concat();
    for size in 1..=stream.len() {
        let mut watch = Watch::new(Policy::new(&info("require_auth=md5"), false, false));
        let looks: Vec<_> = stream.chunks(size).map(|chunk| watch.look(chunk)).collect();
        let (last, first) = looks.split_last().unwrap();
        assert!(last.is_err() && first.iter().all(Result::is_ok), "{size}: {looks:?}");
    }
}
