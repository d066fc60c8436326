//! `moiso check`: everything that is wrong, at once, before the hall opens.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::output::Output;
use crate::audio::clips::ClipError;
use crate::audio::{output, sounds};
use crate::config::load::{LoadError, load};
use crate::config::{Config, CounterConfig};
use crate::pictures;
use crate::ready::{missing, voice_of};
use crate::scene::theme::{CONTRAST_LEAST, Pair};
use crate::scene::{Look, Size, Theme, distance, font, idle_room};
use crate::speech::number;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Prints the contrast of every text on its ground, not only of those that have too little.
    #[arg(long)]
    pub contrast: bool,
    #[command(flatten)]
    pub output: Output,
}

pub fn run(args: &Args, path: Option<&Path>) -> ExitCode {
    let (config, wrong) = match load(path) {
        Ok(config) => (config, None),
        // What is right is checked all the same, so that all problems come at once.
        Err(error) => match &error {
            LoadError::Wrong { config, .. } => ((**config).clone(), Some(error)),
            LoadError::Unreadable { .. } => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        },
    };
    let mut problems = missing(&config);
    problems.extend(damaged(&config));
    let problems: Vec<String> = wrong.iter().map(ToString::to_string).chain(problems).collect();
    let unseen = letters_without_glyph(&config);
    let warnings: Vec<String> = absent_cards(&config)
        .into_iter()
        .chain(crate::power::lacks(&config))
        .chain(sound_alike(&config))
        .chain(same_name(&config))
        .chain(unseen)
        .chain(unshown(&config))
        .collect();
    let verdict = if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if args.output.json {
        println!("{}", json!({ "ok": problems.is_empty(), "problems": problems, "warnings": warnings }));
        return verdict;
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    if !problems.is_empty() {
        return verdict;
    }
    println!("{}", distances(&config));
    print!("{}", contrasts(&config.theme, args.contrast));
    println!(
        "ok: hall {}, screen {} of rank {}, {} counters, {} series, voice {}",
        config.hall.id,
        config.screen.id,
        config.screen.rank,
        config.counters.len(),
        config.series.len(),
        if config.audio.enabled { &config.speech.voice } else { "off" },
    );
    verdict
}

/// What can be read from where, and what would help where it cannot.
fn distances(config: &Config) -> distance::Table {
    distance::table(config, Size { w: config.screen.width, h: config.screen.height })
}

/// The text that has too little contrast, or all text; empty where there is nothing to tell.
fn contrasts(theme: &Theme, all: bool) -> String {
    let told = theme.text_pairs().into_iter().filter(|pair| all || !pair.is_met());
    let line = |pair: Pair| {
        let what = format!("{} ({} on {})", pair.what, pair.ink, pair.ground);
        let verdict = if pair.is_met() { "met" } else { "NOT MET" };
        // Rounded down: 6.996 is not 7.
        let ratio = (pair.contrast() * 100.0).floor() / 100.0;
        format!("{what:<66}{ratio:>6.2}:1   {CONTRAST_LEAST}:1 needed: {verdict}\n")
    };
    let lines: String = told.map(line).collect();
    if lines.is_empty() { lines } else { format!("contrast of text on its ground\n{lines}\n") }
}

/// Sound cards that are not there now. It may be switched on later, so it is no problem of the config.
fn absent_cards(config: &Config) -> Vec<String> {
    let zones = config.audio.zones.iter().filter(|_| config.audio.enabled);
    let absent = zones.filter_map(|zone| {
        let device = zone.device.as_deref()?;
        let names = output::instead_of(device)?;
        Some(format!(
            "audio.zone {}: no sound card is named {device}; there are: {}",
            zone.id,
            names.join(", ")
        ))
    });
    absent.collect()
}

/// Series whose letters are easily taken for each other over a loudspeaker.
fn sound_alike(config: &Config) -> Vec<String> {
    let names: Vec<&str> = config.series.iter().map(|s| s.id.as_str()).collect();
    let alike = names.iter().enumerate().filter_map(|(index, name)| {
        let others: Vec<&str> =
            names[index + 1..].iter().copied().filter(|other| number::sound_alike(name, other)).collect();
        (!others.is_empty()).then(|| {
            format!(
                "series {name} sounds like {}: A, C, H, K, Q and X are told apart safely",
                others.join(", ")
            )
        })
    });
    alike.collect()
}

/// Counters that are announced alike, such as 1 and 01.
fn same_name(config: &Config) -> Vec<String> {
    let spoken = |c: &CounterConfig| {
        let number = c.id.as_str().trim_start_matches('0').to_uppercase();
        (c.noun.to_lowercase(), number)
    };
    let alike = config.counters.iter().enumerate().filter_map(|(index, counter)| {
        let other = config.counters[..index].iter().find(|other| spoken(other) == spoken(counter))?;
        Some(format!("counters {} and {} are announced alike", other.id, counter.id))
    });
    alike.collect()
}

/// Texts of the config with letters that no font has.
fn letters_without_glyph(config: &Config) -> Vec<String> {
    let (hall, board) = (&config.hall, &config.board);
    let mut texts = vec![
        ("hall.title".to_owned(), Some(&hall.title)),
        ("hall.motto".to_owned(), Some(&hall.motto)),
        ("board.ticker_title".to_owned(), Some(&board.ticker_title)),
    ];
    texts.extend(board.idle_ticker.iter().map(|text| ("board.idle_ticker".to_owned(), Some(text))));
    texts.extend(config.hours.advice.iter().map(|text| ("hours.advice".to_owned(), Some(text))));
    for series in &config.series {
        texts.push((format!("series {}: label", series.id), series.label.as_ref()));
    }
    for counter in &config.counters {
        let name = |key: &str| format!("counter {}: {key}", counter.id);
        texts.push((name("noun"), Some(&counter.noun)));
        texts.push((name("label"), counter.label.as_ref()));
        texts.push((name("label_en"), counter.label_en.as_ref()));
    }
    let told = texts.into_iter().filter_map(|(what, text)| {
        let letters: String = font::missing(text?).collect();
        let shown = font::REPLACEMENT;
        (!letters.is_empty()).then(|| format!("{what}: no font has {letters}; {shown} is shown"))
    });
    told.collect()
}

/// Files in the folder of pictures that are left out. The hall does without them, so it is no problem of the config.
fn unshown(config: &Config) -> Vec<String> {
    let Some(folder) = &config.board.idle_pictures else { return Vec::new() };
    let size = Size { w: config.screen.width, h: config.screen.height };
    // A folder that cannot be read is told already.
    let Ok((shown, unshown)) =
        pictures::all(folder, idle_room(&Look::of(config), size, config.counters.len()))
    else {
        return Vec::new();
    };
    let named =
        |(path, error): &pictures::Unshown| format!("board.idle_pictures: {} {error}", path.display());
    let mut told: Vec<String> = unshown.iter().map(named).collect();
    if shown.is_empty() {
        told.push(format!("board.idle_pictures: {} has no picture to show", folder.display()));
    }
    told
}

/// Warns of what is joined word by word, and decodes every clip, which takes some seconds.
fn damaged(config: &Config) -> Vec<String> {
    let Some(Ok((voice, folder))) = voice_of(config) else { return Vec::new() };
    for note in voice.joined() {
        eprintln!("warning: voice {}: {note}; harder to understand", config.speech.voice);
    }
    let wrong = sounds::verify(&folder, &voice);
    // What is missing is told already.
    wrong.iter().filter(|e| !matches!(e, ClipError::Open { .. })).map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::Env;

    #[test]
    fn letters_that_no_font_has_are_named_with_their_place() {
        let mut config = Config::default();
        assert!(letters_without_glyph(&config).is_empty());
        config.counters[0].label = Some("窗口 → Thuế".into());
        let told = format!("counter {}: label: no font has 窗口; □ is shown", config.counters[0].id);
        assert_eq!(letters_without_glyph(&config), [told]);
    }

    #[test]
    fn text_with_too_little_contrast_is_told_with_what_it_needs() {
        assert_eq!(contrasts(&Theme::navy(), false), "");
        assert_eq!(contrasts(&Theme::navy(), true).lines().count(), Theme::navy().text_pairs().len() + 2);
        let pale = Theme::read("[colours]\nquiet = \"#6f7f9c\"\n").unwrap();
        let told = contrasts(&pale, false);
        let label = told.lines().find(|line| line.starts_with("grid: label (quiet on panel) ")).expect(&told);
        assert!(label.ends_with(":1   7:1 needed: NOT MET"), "{told}");
        assert_eq!(told.lines().count(), 6, "on header, ground, panel and panel_low, and no others: {told}");
    }

    #[test]
    fn counters_that_are_announced_alike_are_told() {
        let hall = |second: &str| {
            let text = format!("[[counter]]\nid = \"1\"\n[[counter]]\n{second}");
            same_name(&Config::read(&text, Env::new()).unwrap())
        };
        assert_eq!(hall("id = \"01\"\n"), ["counters 1 and 01 are announced alike"]);
        assert!(hall("id = \"01\"\nnoun = \"Phòng\"\n").is_empty());
        assert!(hall("id = \"10\"\n").is_empty());
    }
}
