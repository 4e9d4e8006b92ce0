//! What lies around a connection string: libpq's environment variables, its service file, its password file
//! (the manual's sections 34.15 to 34.17).

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    Candidates, InvalidConnString, Parameters, Passfile, ServiceError,
    parameters::{is_space, known},
};

/// Where libpq looks besides the connection string. This library reads no environment: its caller does.
pub struct Surroundings<'a> {
    /// A variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The user's home directory.
    pub home: Option<PathBuf>,
}

/// The user's home directory, given the variable `HOME`: where that says nothing, what the system's list of users
/// says, as in libpq.
pub fn home(variable: Option<PathBuf>) -> Option<PathBuf> {
    let listed = || Some(nix::unistd::User::from_uid(nix::unistd::geteuid()).ok()??.dir);
    variable.filter(|home| !home.as_os_str().is_empty()).or_else(listed)
}

impl Surroundings<'_> {
    /// Completes what a string says as libpq would: from its service, from the environment, by defaults.
    /// The second value is what was not used, and why.
    pub fn complete(&self, mut parameters: Parameters) -> Result<(Candidates, Vec<String>), InvalidConnString> {
        let (said, passed_by) = Parameters::of_variables(self.variable);
        let mut variables = Parameters::default();
        for (name, _, value) in said {
            variables.set(name, value)?;
        }
        let service =
            parameters.get("service").or(if parameters.says("service") { None } else { variables.get("service") });
        if let Some(name) = service {
            let file = parameters.get("servicefile").or(variables.get("servicefile")).map(PathBuf::from);
            parameters.fill(&self.service(name, file)?);
        }
        parameters.fill(&variables);
        let (passfile, problems) = self.passfile(&parameters);
        let mut ignored = if parameters.get("password").is_none() { problems } else { Vec::new() };
        ignored.extend(passed_by.iter().map(|(variable, reason)| format!("{variable}: {reason}")));
        Ok((Candidates::new(&parameters, &passfile, self.default_certificates())?, ignored))
    }

    /// Where certificates lie that are used where none is named.
    pub fn default_certificates(&self) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(".postgresql"))
    }

    /// A service's parameters, of `file`, which must be there, or of `~/.pg_service.conf`; else of the system's file.
    pub fn service(&self, name: &str, file: Option<PathBuf>) -> Result<Parameters, ServiceError> {
        if let Some((path, Err(error))) = file.as_ref().map(|path| (path, path.metadata())) {
            return Err(ServiceError::Unreadable(path.clone(), error));
        }
        let own = file.or_else(|| self.home.as_ref().map(|home| home.join(".pg_service.conf")));
        let system = match (self.variable)("PGSYSCONFDIR") {
            Some(directory) => vec![PathBuf::from(directory)],
            // Debian's, and the default of a build of one's own.
            None => ["/etc/postgresql-common", "/usr/local/pgsql/etc"].map(PathBuf::from).to_vec(),
        };
        let files: Vec<_> = own.into_iter().chain(system.iter().map(|path| path.join("pg_service.conf"))).collect();
        for path in &files {
            if let Some(found) = read_service(path, name)? {
                return Ok(found);
            }
        }
        Err(ServiceError::Unknown { name: name.to_owned(), looked_at: files })
    }

    /// The password file that the parameters name, or `~/.pgpass`; what is wrong with it, where it is not used.
    pub fn passfile(&self, parameters: &Parameters) -> (Passfile, Vec<String>) {
        let default = || self.home.as_ref().map(|home| home.join(".pgpass"));
        let Some(path) = parameters.get("passfile").map(PathBuf::from).or_else(default) else {
            return (Passfile::default(), Vec::new());
        };
        if parameters.get("passfile").is_some() && !path.exists() {
            return (Passfile::default(), vec![format!("the password file {} is not there", path.display())]);
        }
        match Passfile::read(&path) {
            Ok(file) => (file, Vec::new()),
            Err(error) => (Passfile::default(), vec![error.to_string()]),
        }
    }
}

/// The section of a service file; `None` where there is no such file or section. The first line of a name counts.
fn read_service(path: &Path, name: &str) -> Result<Option<Parameters>, ServiceError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(None);
        }
        Err(error) => return Err(ServiceError::Unreadable(path.to_owned(), error)),
    };
    let mut found: Option<Parameters> = None;
    for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
        let line = line.trim_matches(is_space);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            found = (section.split_once(']').is_some_and(|(section, _)| section == name)).then(Parameters::default);
            continue;
        }
        let Some(parameters) = &mut found else { continue };
        let wrong = |reason: String| ServiceError::Line { path: path.to_owned(), line: number + 1, reason };
        let (key, value) = line.split_once('=').ok_or_else(|| wrong("it is not `name=value`".to_owned()))?;
        let key = known(key).map_err(|_| wrong("libpq knows no such parameter".to_owned()))?.name;
        if key == "service" || key == "servicefile" {
            return Err(wrong("a service cannot name another".to_owned()));
        }
        if !parameters.says(key) {
            parameters.set(key, value).map_err(|error| wrong(error.to_string()))?;
        }
    }
    Ok(found)
}
