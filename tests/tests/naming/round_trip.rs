//! What is printed is read back unchanged, whatever it holds.

use pg_connect::{Address, ConnInfo, Parameters};
use proptest::prelude::*;
use tests::any_connection;

fn read_back(url: &str) -> ConnInfo {
    let parameters = Parameters::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    let addresses = Address::all(&parameters).unwrap_or_else(|error| panic!("{url}: {error}"));
    ConnInfo::new(&addresses[0], &parameters).unwrap_or_else(|error| panic!("{url}: {error}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    #[test]
    fn a_url_is_read_back_as_it_was_meant(info in any_connection()) {
        prop_assert_eq!(read_back(&info.url()), info);
    }

    #[test]
    fn libpqs_variables_say_the_same(info in any_connection()) {
        let variables = info.libpq_environment();
        let variable = |key: &str| variables.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
        let around = pg_connect::Surroundings { variable: &variable, home: None };
        let (candidates, _) = around.complete(Parameters::default()).unwrap();
        prop_assert_eq!(&candidates.all()[0], &info);
    }

    #[test]
    fn nothing_that_is_read_makes_us_panic_or_shows_a_password(text in "\\PC{0,60}") {
        for text in [text.clone(), format!("postgres://{text}"), format!("postgres://u:s3cret@{text}"), format!("password=s3cret {text}")] {
            if let Err(error) = Parameters::parse(&text).and_then(|p| ConnInfo::new(&Address::all(&p)?[0], &p)) {
                prop_assert!(!error.to_string().contains("s3cr"), "{}: {}", text, error);
            }
        }
    }
}
