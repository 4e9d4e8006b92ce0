//! From the sources to what each of them says: our own keys, a connection string with its service, libpq's variables.

use std::path::Path;

use pg_connect::{Parameters, Surroundings};

use super::{OWN, PATHS, Parts};
use crate::{
    Environment, Source,
    config::{ConfigError, Sourced},
    environment::Layer,
};

impl Parts {
    /// What one source says with our own keys. `DATABASE_URL` and `DB_*` may repeat each other, as they
    /// do in the seed document, and must not differ.
    pub(in crate::config) fn read(
        environment: &Environment,
        layer: Layer,
        around: &Surroundings<'_>,
    ) -> Result<Self, ConfigError> {
        let mut parts = Self::default();
        for (key, name, _) in OWN {
            if let Some(value) = environment.at(layer, key) {
                parts.set(name, value, environment.source(layer, key))?;
            }
        }
        let Some(text) = environment.at(layer, "DATABASE_URL") else { return Ok(parts) };
        let source = environment.source(layer, "DATABASE_URL");
        let url = Self::of_url(text, &source, environment, around)?;
        for (name, found) in &url.values {
            parts.merge(name, &found.value, found.source.clone())?;
        }
        // With a port in the DB_* parts, a URL without one means the default, as libpq would.
        if parts.says("port") && !url.says("port") {
            parts.merge("port", "5432", source.clone())?;
        }
        parts.url = Some(source);
        Ok(parts)
    }

    /// What one source's `ADMIN_DATABASE_URL` says, if there is one.
    pub(in crate::config) fn of_administrator(
        environment: &Environment,
        layer: Layer,
        around: &Surroundings<'_>,
    ) -> Result<Option<Sourced<Self>>, ConfigError> {
        let Some(text) = environment.at(layer, "ADMIN_DATABASE_URL") else { return Ok(None) };
        let source = environment.source(layer, "ADMIN_DATABASE_URL");
        let value = Self::of_url(text, &source, environment, around)?;
        Ok(Some(Sourced { value, source }))
    }

    /// What a connection string says, and its service besides.
    fn of_url(
        text: &str,
        source: &Source,
        environment: &Environment,
        around: &Surroundings<'_>,
    ) -> Result<Self, ConfigError> {
        let wrong = |error| ConfigError::ConnString(source.clone(), error);
        let said = Parameters::parse(text).map_err(wrong)?;
        let mut parts = Self::default();
        for (name, value) in said.iter() {
            parts.set(name, value, source.clone())?;
        }
        if let Some(name) = said.get("service") {
            let own = said.get("servicefile").map(|file| environment.directory_of(source).join(file));
            let file = own.or_else(|| environment.path("PGSERVICEFILE"));
            let found = around.service(name, file).map_err(|error| wrong(error.into()))?;
            // That is the string's word too.
            parts.fill_from_service(&found, name, source)?;
        }
        parts.make_absolute(&environment.directory_of(source))?;
        Ok(parts)
    }

    /// What libpq's own variables of one source say, and the service that they name, if one.
    pub(in crate::config) fn of_libpq(
        environment: &Environment,
        layer: Layer,
        around: &Surroundings<'_>,
    ) -> Result<(Self, Option<Self>), ConfigError> {
        let mut parts = Self::default();
        let (said, passed_by) = Parameters::of_variables(|key| environment.at(layer, key).map(str::to_owned));
        for (name, variable, value) in said {
            parts.set(name, &value, environment.source(layer, variable))?;
        }
        parts.passed_by = passed_by
            .into_iter()
            .map(|(variable, reason)| format!("{}: {reason}", environment.source(layer, variable)))
            .collect();
        parts.make_absolute(&environment.directory(layer))?;
        let (file, named) = (parts.take("servicefile"), parts.take("service"));
        let Some(Sourced { value: name, source }) = named else {
            parts.passed_by.extend(file.map(|file| format!("{}: it counts where a service is named", file.source)));
            return Ok((parts, None));
        };
        let found = around
            .service(&name, environment.path("PGSERVICEFILE"))
            .map_err(|error| ConfigError::ConnString(source.clone(), error.into()))?;
        let mut service = Self::default();
        service.set("service", &name, source.clone())?;
        service.fill_from_service(&found, &name, &source)?;
        service.make_absolute(&environment.directory(layer))?;
        Ok((parts, Some(service)))
    }

    fn fill_from_service(&mut self, found: &Parameters, name: &str, by: &Source) -> Result<(), ConfigError> {
        for (parameter, value) in found.iter() {
            if !self.says(parameter) {
                self.set(parameter, value, by.clone().by_service(name))?;
            }
        }
        Ok(())
    }

    /// Puts a URL's value where a single key may have put one already.
    fn merge(&mut self, name: &'static str, value: &str, url: Source) -> Result<(), ConfigError> {
        match self.values.get(name) {
            Some(found) if found.value.trim() != value.trim() => {
                let what = OWN.iter().find(|(_, own, _)| *own == name).map_or(name, |(_, _, what)| what);
                Err(ConfigError::Contradiction { url, part: found.source.clone(), what })
            }
            _ => self.set(name, value, url),
        }
    }

    /// Paths are relative to where their source is; the migrations run elsewhere, and a printed URL is used anywhere.
    fn make_absolute(&mut self, directory: &Path) -> Result<(), ConfigError> {
        for name in PATHS {
            // `sslrootcert=system` is no file.
            let is_path = |found: &&Sourced<String>| {
                !found.value.is_empty() && (*name != "sslrootcert" || found.value != "system")
            };
            if let Some(found) = self.values.get(name).filter(is_path) {
                let (path, source) = (directory.join(&found.value), found.source.clone());
                self.set(name, &path.to_string_lossy(), source)?;
            }
        }
        Ok(())
    }
}
