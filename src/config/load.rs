//! Finds and reads the config file and the environment.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Config;
use super::section::{Env, Problem};

/// Where the file is looked for when none is named.
pub const DEFAULT_PATH: &str = "/etc/moiso/moiso.toml";
const PREFIX: &str = "MOISO_";
/// Variables that are not keys of the config.
const NOT_KEYS: [&str; 3] = ["CONFIG", "LOG", "TOKEN"];

#[derive(Debug, Error)]
pub enum LoadError {
    #[error("cannot read the config {path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the config {path} has {} problem(s)\n{}", problems.len(), list(path, problems))]
    Wrong { path: PathBuf, problems: Vec<Problem> },
}

fn list(path: &Path, problems: &[Problem]) -> String {
    let line = |p: &Problem| match p.line {
        Some(line) => format!("{}:{line}: {}", path.display(), Problem { line: None, ..p.clone() }),
        None => format!("{}: {p}", path.display()),
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Reads `path`, or [`DEFAULT_PATH`] when it exists, or the defaults.
///
/// # Errors
/// [`LoadError`] with all problems, each with file, line, key and what is allowed.
pub fn load(path: Option<&Path>) -> Result<Config, LoadError> {
    let default = Path::new(DEFAULT_PATH);
    let path = path.or_else(|| default.exists().then_some(default));
    let text = match path {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?,
    };
    let shown = path.unwrap_or(Path::new("(defaults)")).to_owned();
    Config::read(&text, environment()).map_err(|problems| LoadError::Wrong { path: shown, problems })
}

fn environment() -> Env {
    let vars = std::env::vars();
    vars.filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)))
        .filter(|(name, _)| !NOT_KEYS.contains(&name.as_str()))
        .collect()
}
