//! The files that a board is dressed in: its theme. Reads files; draws nothing.

use std::path::Path;

use crate::config::Config;
use crate::scene::Look;

/// The look that a config describes.
pub fn look(config: &Config) -> Look {
    Look::of(config)
}

/// Makes the paths of the picture's files relative to `folder`.
pub fn resolve(_config: &mut Config, _folder: &Path) {}
