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
    #[error("cannot read the config {path}: {why}")]
    Unreadable { path: PathBuf, why: std::io::Error },
    #[error("the config {path} has {} problem(s)\n{}", problems.len(), list(path, problems))]
    Wrong {
        path: PathBuf,
        problems: Vec<Problem>,
        /// With the defaults in place of what is wrong.
        config: Box<Config>,
    },
}

fn list(path: &Path, problems: &[Problem]) -> String {
    let line = |p: &Problem| match p.line {
        Some(line) => format!("{}:{line}: {}", path.display(), Problem { line: None, ..p.clone() }),
        None if p.key.starts_with("MOISO_") => format!("environment: {p}"),
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
            .map_err(|why| LoadError::Unreadable { path: path.to_owned(), why })?,
    };
    let shown = path.unwrap_or(Path::new("(defaults)")).to_owned();
    let (env, unreadable) = environment();
    let (config, mut problems) = Config::read_all(&text, env);
    problems.extend(unreadable);
    if problems.is_empty() {
        return Ok(config);
    }
    Err(LoadError::Wrong { path: shown, problems, config: Box::new(config) })
}

/// The variables that replace keys, and those whose value is no text.
fn environment() -> (Env, Vec<Problem>) {
    let (mut env, mut problems) = (Env::new(), Vec::new());
    for (name, value) in std::env::vars_os() {
        let Some(key) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        if NOT_KEYS.contains(&key) {
            continue;
        }
        match value.into_string() {
            Ok(value) => drop(env.insert(key.to_owned(), value)),
            Err(_) => problems.push(Problem {
                line: None,
                key: format!("{PREFIX}{key}"),
                message: "is not UTF-8".to_owned(),
            }),
        }
    }
    (env, problems)
}

/// The folder of what must outlast a restart: `paths.state`, else what systemd gives the service, else the user's.
pub fn state_dir(config: &Config) -> PathBuf {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // With several state folders systemd joins them with colons; the first is the unit's main one.
    let of_service = || {
        let folders = std::env::var("STATE_DIRECTORY").ok()?;
        folders.split(':').next().filter(|first| !first.is_empty()).map(PathBuf::from)
    };
    let of_user = || given("XDG_STATE_HOME").or_else(|| Some(given("HOME")?.join(".local/state")));
    let chosen = config.paths.state.clone().or_else(of_service);
    chosen.or_else(|| Some(of_user()?.join("moiso"))).unwrap_or_else(|| "/var/lib/moiso".into())
}
