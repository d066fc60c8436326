//! Finds and reads the config file and the environment.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Config;
use super::section::{Env, Problem};
use crate::scene::Theme;

/// Where the file is looked for when none is named.
pub const DEFAULT_PATH: &str = "/etc/moiso/moiso.toml";
const PREFIX: &str = "MOISO_";
/// Variables that are not keys of the config.
const NOT_KEYS: [&str; 4] = ["CONFIG", "LOG", "TOKEN", "TRACE"];

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
        None if p.key.starts_with("MOISO_") => format!("environment: {p}"),
        _ => located(p, path),
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A problem with its file, `path` unless it names another, and its line.
fn located(problem: &Problem, path: &Path) -> String {
    let path = problem.file.as_deref().unwrap_or(path).display();
    match problem.line {
        Some(line) => format!("{path}:{line}: {}", Problem { line: None, ..problem.clone() }),
        None => format!("{path}: {problem}"),
    }
}

/// A built-in theme by its name, or the one in a file; a path that is not absolute starts at `folder`.
///
/// # Errors
/// All problems, those of the file with its path.
pub fn theme(name: &str, folder: &Path) -> Result<Theme, Vec<Problem>> {
    if let Some(theme) = Theme::named(name) {
        return Ok(theme);
    }
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).map_err(|why| {
        let message = format!("cannot read {}: {why}", path.display());
        vec![Problem { file: None, line: None, key: "screen.theme".to_owned(), message }]
    })?;
    let of_file = |problem| Problem { file: Some(path.clone()), ..problem };
    Theme::read(&text).map_err(|problems| problems.into_iter().map(of_file).collect())
}

/// The same with all problems in one text, for whoever names a theme outside of a config.
///
/// # Errors
/// The problems, one a line.
pub fn theme_named(name: &str) -> Result<Theme, String> {
    theme(name, Path::new("")).map_err(|problems| {
        problems.iter().map(|p| located(p, Path::new("--theme"))).collect::<Vec<_>>().join("\n")
    })
}

/// Files of the hall's that are part of the picture start at the config's folder, as a theme's does, unless they are
/// absolute.
pub fn place_pictures(config: &mut Config, folder: &Path) {
    let board = &mut config.board;
    for path in board.logo.iter_mut().chain(&mut board.idle_pictures) {
        *path = folder.join(&*path);
    }
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
    let (mut config, mut problems) = Config::read_all(&text, env);
    problems.extend(unreadable);
    let folder = path.and_then(Path::parent).unwrap_or(Path::new(""));
    place_pictures(&mut config, folder);
    match theme(&config.screen.theme, folder) {
        Ok(theme) => config.theme = theme,
        Err(wrong) => problems.extend(wrong),
    }
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
                file: None,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn hall(theme: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("hall.toml"), theme).unwrap();
        let config = folder.path().join("moiso.toml");
        std::fs::write(&config, "[screen]\ntheme = \"hall.toml\"\n").unwrap();
        (folder, config)
    }

    #[test]
    fn a_theme_in_a_file_beside_the_config_is_read_with_what_it_leaves_out() {
        let (_folder, config) = hall("base = \"paper\"\n[colours]\nheader = \"#0b5d3b\"\n");
        let theme = load(Some(&config)).unwrap().theme;
        let header = crate::scene::Colour::parse("#0b5d3b").unwrap();
        assert_eq!(theme, Theme { header, ..Theme::named("paper").unwrap() });
    }

    #[test]
    fn what_is_wrong_in_a_theme_is_named_with_its_file_and_line() {
        let (folder, config) = hall("[colours]\ninkk = \"#ffffff\"\nquiet = \"grey\"\n");
        let told = load(Some(&config)).unwrap_err().to_string();
        let file = folder.path().join("hall.toml").display().to_string();
        assert!(told.contains(&format!("{file}:2: colours.inkk: is not a key of [colours]")), "{told}");
        assert!(
            told.contains(&format!("{file}:3: colours.quiet: must be a colour such as #0a1a33")),
            "{told}"
        );
        std::fs::remove_file(&file).unwrap();
        let told = load(Some(&config)).unwrap_err().to_string();
        assert!(told.contains(&format!("moiso.toml: screen.theme: cannot read {file}: ")), "{told}");
    }
}
