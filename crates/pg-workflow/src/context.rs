//! What every step begins with: the environment read, the configuration resolved.

use std::{sync::Arc, time::Duration};

use pg_config::{Config, Environment};

use crate::Voice;

/// The configuration, and whom to tell what is going on.
#[derive(Clone)]
pub struct Context {
    /// What the configuration was resolved from.
    pub environment: Environment,
    /// The configuration.
    pub config: Config,
    /// Whom to tell.
    pub voice: Arc<dyn Voice>,
    /// How long a server that is still starting is waited for.
    pub wait: Duration,
}
