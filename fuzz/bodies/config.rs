//! A config file and, after a zero byte, a theme.

use moiso::config::Config;
use moiso::scene::Theme;

/// Whatever stands in a file, there is a config; every problem names a line of the file, and without problems it is used.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (config, theme) = text.split_once('\0').unwrap_or((&text, ""));
    let lines = config.lines().count() + 1;
    let (_, problems) = Config::read_all(config, [].into());
    for problem in &problems {
        assert!(!problem.message.is_empty(), "{problem:?}");
        assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem:?} of {lines} lines");
    }
    assert_eq!(Config::read(config, [].into()).is_ok(), problems.is_empty());
    let _ = Theme::read(theme);
}
