//! How far a pull is, by what the engine says of its layers.

use std::{collections::HashMap, fmt};

use serde_json::Value;

use super::text::clean;

/// What has been heard of a pull. `Display` is such as `3 of 14 layers, 120 of 143 MB`.
#[derive(Debug, Default)]
pub(super) struct Progress {
    layers: HashMap<String, Layer>,
    told: Option<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Layer {
    /// Bytes that are here.
    here: u64,
    /// Bytes in all, as soon as they are known.
    all: u64,
    /// Whether these bytes are still to come or coming.
    waits: bool,
    done: bool,
}

impl Progress {
    /// Takes a line of the answer; an error is the engine's.
    pub(super) fn take(&mut self, event: &Value) -> Result<(), String> {
        if let Some(words) = event["errorDetail"]["message"].as_str().or_else(|| event["error"].as_str()) {
            return Err(clean(words));
        }
        let (Some(id), Some(status)) = (event["id"].as_str(), event["status"].as_str()) else { return Ok(()) };
        let detail = &event["progressDetail"];
        let now = |layer: &mut Layer| match status {
            "Downloading" => {
                layer.here = detail["current"].as_u64().unwrap_or(layer.here);
                layer.all = detail["total"].as_u64().unwrap_or(layer.all).max(layer.here);
                layer.waits = layer.all == 0;
            }
            "Pull complete" | "Already exists" => {
                *layer = Layer { here: layer.all, all: layer.all, waits: false, done: true };
            }
            "Verifying Checksum" | "Download complete" | "Extracting" => {
                *layer = Layer { here: layer.all, waits: false, ..*layer };
            }
            _ => layer.waits = layer.all == 0,
        };
        // "Pulling from library/postgres" has the tag for an id.
        if !status.starts_with("Pulling from") {
            now(self.layers.entry(id.to_owned()).or_default());
        }
        Ok(())
    }

    pub(super) fn is_new(&self) -> bool {
        !self.layers.is_empty() && self.told.as_deref() != Some(&self.to_string())
    }

    pub(super) fn told(&mut self) {
        self.told = Some(self.to_string());
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers = || self.layers.values();
        let megabytes = |bytes: fn(&Layer) -> u64| layers().map(bytes).fold(0, u64::saturating_add) / 1_000_000;
        let (here, all) = (megabytes(|layer| layer.here), megabytes(|layer| layer.all));
        write!(f, "{} of {} layers", layers().filter(|layer| layer.done).count(), self.layers.len())?;
        // The engine tells a layer's size when it begins to load it.
        match all {
            0 => Ok(()),
            _ if layers().any(|layer| layer.waits) => write!(f, ", {here} MB"),
            _ => write!(f, ", {here} of {all} MB"),
        }
    }
}
