//! Themes: the colours, corners and sizes of a board, read from TOML. Two are built in; every colour is opaque.
//! Reads no file: its text comes from outside.

use toml::de::DeValue;

use super::Colour;
use crate::config::section::{Env, Problem, Reading, Section};

/// Colours by their role, corner radii in pixels at 1920x1080, and how large the parts are.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    pub ground: Colour,
    pub header: Colour,
    pub line: Colour,
    pub ink: Colour,
    /// Labels and second lines; still 7:1 on ground, header and both panels.
    pub quiet: Colour,
    pub panel: Colour,
    pub panel_low: Colour,
    pub tab: Colour,
    pub tab_quiet: Colour,
    pub off: Colour,
    pub off_tab: Colour,
    pub off_ink: Colour,
    pub call: Colour,
    pub call_older: Colour,
    pub call_ink: Colour,
    pub call_quiet: Colour,
    pub warn: Colour,
    pub remark: Colour,
    pub warn_ink: Colour,
    pub alarm: Colour,
    pub alarm_ink: Colour,
    pub priority: Colour,
    pub priority_ink: Colour,
    pub slot: Colour,
    pub slot_ink: Colour,
    pub plain_chip: Colour,
    pub plain_chip_ink: Colour,
    pub ticker: Colour,
    pub ticker_ink: Colour,
    pub ticker_mark: Colour,
    pub emblem: Colour,
    pub emblem_ink: Colour,
    pub radius: f32,
    pub radius_large: f32,
    pub radius_chip: f32,
    pub sizes: Sizes,
}

/// How large the type of each part is beside the designed size.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Sizes {
    pub header: f32,
    pub spotlight: f32,
    /// Labels on the counter grid; numbers there take the room that is left.
    pub labels: f32,
    pub recent: f32,
    pub ticker: f32,
    /// The closed screen and emergencies.
    pub full: f32,
}

/// A text on its ground, and how well it stands out.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Where it is seen.
    pub what: &'static str,
    /// Keys of the colours.
    pub ink: &'static str,
    pub ground: &'static str,
    pub colours: [Colour; 2],
}

/// Contrast that text needs which a citizen must read (rule of the board; WCAG 2.1, 1.4.6).
pub const CONTRAST_LEAST: f32 = 7.0;

impl Pair {
    /// 1 to 21.
    pub fn contrast(&self) -> f32 {
        self.colours[0].contrast(self.colours[1])
    }

    pub fn is_met(&self) -> bool {
        self.contrast() >= CONTRAST_LEAST
    }
}

const BLACK: Colour = Colour([0, 0, 0, 255]);
const DESIGNED: Sizes =
    Sizes { header: 1.0, spotlight: 1.0, labels: 1.0, recent: 1.0, ticker: 1.0, full: 1.0 };

const NAVY: &str = include_str!("themes/navy.toml");
const PAPER: &str = include_str!("themes/paper.toml");

impl Theme {
    /// Names of the built-in themes.
    pub const NAMES: [&'static str; 2] = ["navy", "paper"];

    /// A built-in theme; none for another name.
    pub fn named(name: &str) -> Option<Self> {
        let text = match name {
            "navy" => NAVY,
            "paper" => PAPER,
            _ => return None,
        };
        let theme = Self::read_onto(text, |_| BLANK).0;
        Some(theme.expect("the built-in themes are valid, which a test shows"))
    }

    /// The built-in dark theme.
    pub fn navy() -> Self {
        Self::named("navy").expect("navy is built in")
    }

    /// Whether `screen.theme` names a file rather than a built-in theme.
    pub fn is_file(name: &str) -> bool {
        std::path::Path::new(name).extension().is_some_and(|ending| ending == "toml")
    }

    /// Reads a theme. What it leaves out is that of its `base`, which is navy unless it names another.
    ///
    /// # Errors
    /// All problems with their lines.
    pub fn read(text: &str) -> Result<Self, Vec<Problem>> {
        Self::read_onto(text, |base| base.and_then(Self::named).unwrap_or_else(Self::navy)).0
    }

    /// The theme, and every key that one may have.
    fn read_onto(
        text: &str,
        base: impl FnOnce(Option<&str>) -> Self,
    ) -> (Result<Self, Vec<Problem>>, Vec<String>) {
        let (mut reading, root) = Reading::parse(text, Env::new());
        reading.only(&root, &["base", "colours", "shape", "sizes"]);
        let named = root.get("base").map(|value| (reading.line_at(value.span().start), value.get_ref()));
        let base = match named {
            None => base(None),
            Some((_, DeValue::String(name))) if Self::NAMES.contains(&name.as_ref()) => {
                base(Some(name.as_ref()))
            }
            Some((line, _)) => {
                reading.problem(Some(line), "base", format!("must be {}", Self::NAMES.join(" or ")));
                base(None)
            }
        };
        let theme = colours(Section::of(&mut reading, &root, "colours"), &base);
        let theme = shape(Section::of(&mut reading, &root, "shape"), &theme);
        let theme = Self { sizes: sizes(Section::of(&mut reading, &root, "sizes"), theme.sizes), ..theme };
        let keys = reading.keys.iter().cloned().collect();
        let problems = reading.finish();
        (if problems.is_empty() { Ok(theme) } else { Err(problems) }, keys)
    }

    /// Every text on its ground that is drawn and that a citizen needs.
    pub fn text_pairs(&self) -> Vec<Pair> {
        macro_rules! pairs {
            ($($what:literal: $ink:ident on $ground:ident,)*) => {
                vec![$(Pair {
                    what: $what,
                    ink: stringify!($ink),
                    ground: stringify!($ground),
                    colours: [self.$ink, self.$ground],
                }),*]
            };
        }
        pairs! {
            "title and clock": ink on header,
            "motto and date": quiet on header,
            "closed: opening": ink on ground,
            "closed: advice": quiet on ground,
            "grid: number": ink on panel,
            "grid: label": quiet on panel,
            "grid: counter": ink on tab,
            "grid: noun": tab_quiet on tab,
            "grid: paused": off_ink on off,
            "grid: paused counter": off_ink on off_tab,
            "grid: called counter": call_ink on call,
            "grid: called noun": call_quiet on call,
            "recent and remarks": ink on panel_low,
            "recent: time": quiet on panel_low,
            "called number": call_ink on call,
            "called number, older": call_ink on call_older,
            "destination and chips of a call": call on call_ink,
            "calls that wait": ink on tab,
            "stale band": warn_ink on warn,
            "emergency and head of the ticker": alarm_ink on alarm,
            "chip: priority": priority_ink on priority,
            "chip: booked; name of the screen": slot_ink on slot,
            "chip: other": plain_chip_ink on plain_chip,
            "ticker": ticker_ink on ticker,
            "ticker: important": ticker_mark on ticker,
        }
    }
}

/// What a built-in theme stands on: its file has every key, which a test shows.
const BLANK: Theme = Theme {
    ground: BLACK,
    header: BLACK,
    line: BLACK,
    ink: BLACK,
    quiet: BLACK,
    panel: BLACK,
    panel_low: BLACK,
    tab: BLACK,
    tab_quiet: BLACK,
    off: BLACK,
    off_tab: BLACK,
    off_ink: BLACK,
    call: BLACK,
    call_older: BLACK,
    call_ink: BLACK,
    call_quiet: BLACK,
    warn: BLACK,
    remark: BLACK,
    warn_ink: BLACK,
    alarm: BLACK,
    alarm_ink: BLACK,
    priority: BLACK,
    priority_ink: BLACK,
    slot: BLACK,
    slot_ink: BLACK,
    plain_chip: BLACK,
    plain_chip_ink: BLACK,
    ticker: BLACK,
    ticker_ink: BLACK,
    ticker_mark: BLACK,
    emblem: BLACK,
    emblem_ink: BLACK,
    radius: 0.0,
    radius_large: 0.0,
    radius_chip: 0.0,
    sizes: DESIGNED,
};

fn colours(mut s: Section<'_, '_, '_>, base: &Theme) -> Theme {
    macro_rules! colour {
        ($name:ident) => {
            s.parsed(stringify!($name), base.$name, "a colour such as #0a1a33", Colour::parse)
        };
    }
    let theme = Theme {
        ground: colour!(ground),
        header: colour!(header),
        line: colour!(line),
        ink: colour!(ink),
        quiet: colour!(quiet),
        panel: colour!(panel),
        panel_low: colour!(panel_low),
        tab: colour!(tab),
        tab_quiet: colour!(tab_quiet),
        off: colour!(off),
        off_tab: colour!(off_tab),
        off_ink: colour!(off_ink),
        call: colour!(call),
        call_older: colour!(call_older),
        call_ink: colour!(call_ink),
        call_quiet: colour!(call_quiet),
        warn: colour!(warn),
        remark: colour!(remark),
        warn_ink: colour!(warn_ink),
        alarm: colour!(alarm),
        alarm_ink: colour!(alarm_ink),
        priority: colour!(priority),
        priority_ink: colour!(priority_ink),
        slot: colour!(slot),
        slot_ink: colour!(slot_ink),
        plain_chip: colour!(plain_chip),
        plain_chip_ink: colour!(plain_chip_ink),
        ticker: colour!(ticker),
        ticker_ink: colour!(ticker_ink),
        ticker_mark: colour!(ticker_mark),
        emblem: colour!(emblem),
        emblem_ink: colour!(emblem_ink),
        ..base.clone()
    };
    s.finish();
    theme
}

fn shape(mut s: Section<'_, '_, '_>, base: &Theme) -> Theme {
    let theme = Theme {
        radius: s.number("radius", base.radius, 0.0..=60.0),
        radius_large: s.number("radius_large", base.radius_large, 0.0..=60.0),
        radius_chip: s.number("radius_chip", base.radius_chip, 0.0..=30.0),
        ..base.clone()
    };
    s.finish();
    theme
}

/// The bounds are what keeps every text in its box and the called number the largest of the board.
fn sizes(mut s: Section<'_, '_, '_>, base: Sizes) -> Sizes {
    let sizes = Sizes {
        header: s.number("header", base.header, 0.8..=1.4),
        spotlight: s.number("spotlight", base.spotlight, 0.8..=1.1),
        labels: s.number("labels", base.labels, 0.8..=1.3),
        recent: s.number("recent", base.recent, 0.8..=1.3),
        ticker: s.number("ticker", base.ticker, 0.8..=1.3),
        full: s.number("full", base.full, 0.8..=1.2),
    };
    s.finish();
    sizes
}

impl Colour {
    /// `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6)?;
        let [_, r, g, b] = u32::from_str_radix(hex, 16).ok()?.to_be_bytes();
        Some(Self([r, g, b, 255]))
    }

    /// This colour, a share of the way to another one.
    pub fn towards(self, other: Self, share: f32) -> Self {
        let mixed = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share).round() as u8;
        Self(std::array::from_fn(|i| mixed(self.0[i], other.0[i])))
    }

    /// Relative luminance (WCAG 2.1), 0 to 1.
    pub fn luminance(self) -> f32 {
        let [r, g, b, _] = self.0.map(|c| {
            let c = f32::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Contrast ratio (WCAG 2.1), 1 to 21.
    pub fn contrast(self, other: Self) -> f32 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_text_of_both_themes_has_a_contrast_of_at_least_seven() {
        for name in Theme::NAMES {
            for pair in Theme::named(name).unwrap().text_pairs() {
                assert!(pair.is_met(), "{name}: {pair:?} has only {:.2}", pair.contrast());
            }
        }
    }

    fn problems(text: &str) -> Vec<String> {
        Theme::read(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_theme_says_which_keys_are_wrong_and_where() {
        let text = "base = \"dark\"\n[colours]\nink = \"white\"\nheadr = \"#000000\"\n[shape]\nradius = 99\n\
                    [sizes]\nticker = 3\nlabels = \"large\"\n[fonts]\n";
        let told = problems(text);
        let begins = [
            "line 1: base: must be navy or paper",
            "line 3: colours.ink: must be a colour such as #0a1a33, not \"white\"",
            "line 4: colours.headr: is not a key of [colours]; its keys are ground, ",
            "line 6: shape.radius: must be a number from 0 to 60, not \"99\"",
            "line 8: sizes.ticker: must be a number from 0.8 to 1.3, not \"3\"",
            "line 9: sizes.labels: must be a number from 0.8 to 1.3, not \"large\"",
            "line 10: fonts: is not a section; the sections are base, colours, shape, sizes",
        ];
        assert_eq!(told.len(), begins.len(), "{told:#?}");
        assert!(told.iter().zip(begins).all(|(told, begin)| told.starts_with(begin)), "{told:#?}");
        assert!(problems("[colours]\nink = 3").len() == 1 && problems("ink = \"").len() == 2);
    }

    #[test]
    fn what_a_theme_leaves_out_is_that_of_its_base() {
        let paper = Theme::named("paper").unwrap();
        assert_eq!(Theme::read("").unwrap(), Theme::navy());
        assert_eq!(Theme::read("base = \"paper\"").unwrap(), paper);
        let sizes = Sizes { ticker: 1.2, ..paper.sizes };
        assert_eq!(
            Theme::read("base = \"paper\"\n[sizes]\nticker = 1.2\n").unwrap(),
            Theme { sizes, ..paper }
        );
    }

    /// The keys that a text has, such as `colours.ink`.
    fn keys_of(text: &str) -> Vec<String> {
        let table: toml::Table = text.parse().unwrap();
        let mut keys: Vec<String> = table
            .iter()
            .filter_map(|(section, value)| Some((section, value.as_table()?)))
            .flat_map(|(section, table)| table.keys().map(move |key| format!("{section}.{key}")))
            .collect();
        keys.sort();
        keys
    }

    #[test]
    fn the_built_in_themes_and_the_sample_have_every_key() {
        let all = Theme::read_onto("", |_| BLANK).1;
        for text in [NAVY, PAPER, include_str!("../../deploy/themes/hall.toml")] {
            assert_eq!(keys_of(text), all);
        }
    }

    #[test]
    fn the_sample_is_navy_and_explains_every_key() {
        let text = include_str!("../../deploy/themes/hall.toml");
        assert_eq!(Theme::read(text).unwrap(), Theme::navy());
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in
            lines.iter().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with('#'))
        {
            assert!(index > 0 && lines[index - 1].starts_with("# "), "{line} has no comment above");
        }
    }

    #[test]
    fn contrast_of_black_and_white_is_twenty_one() {
        assert!((Colour([0, 0, 0, 255]).contrast(Colour([255; 4])) - 21.0).abs() < 0.01);
    }
}
