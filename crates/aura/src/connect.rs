//! From a connection string to a session.

use std::time::Duration;

use pg_connect::{Parameters, Surroundings};
use postgres::Client;

use crate::error::{Error, Result};

/// Opens a session to what the connection string says, and to nothing else: no variable of the environment
/// and no file of the user's counts.
///
/// `url` is a URI or `key=value` pairs with libpq's parameters (the manual's section 34.1), TLS up to
/// `sslmode=verify-full` among them. `?options=-csearch_path=aura` may stand unencoded.
pub fn connect(url: &str) -> Result<Client> {
    connect_around(url, &Surroundings { variable: &|_| None, home: None }, &mut |_| ())
}

/// The same, with libpq's variables and files (sections 34.15 to 34.17) for what the string leaves open. `warn`
/// hears of what was not used, and why.
pub(crate) fn connect_around(url: &str, around: &Surroundings<'_>, warn: &mut dyn FnMut(&str)) -> Result<Client> {
    let unusable = |error: pg_connect::InvalidConnString| Error::Url(error.to_string());
    let mut parameters = Parameters::parse(url).map_err(unusable)?;
    if !parameters.says("fallback_application_name") {
        parameters.set("fallback_application_name", "aura").map_err(unusable)?;
    }
    let (candidates, ignored) = around.complete(parameters).map_err(unusable)?;
    ignored.iter().for_each(|remark| warn(remark));
    Ok(candidates.connect(Duration::ZERO)?.1.into_client())
}
