//! Themes: the colours and corners of a board, read from TOML. Two are built in; every colour is opaque.

use super::Colour;

/// Colours by their role, and corner radii in pixels at 1920x1080.
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
}

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
        Some(Self::parse(text).expect("the built-in themes are valid, which a test shows"))
    }

    /// The built-in dark theme.
    pub fn navy() -> Self {
        Self::named("navy").expect("navy is built in")
    }

    /// Reads a theme; every key must be there.
    ///
    /// # Errors
    /// A sentence with the key that is missing or wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| e.message().to_owned())?;
        let section = |name: &str| {
            table.get(name).and_then(toml::Value::as_table).ok_or(format!("[{name}] is missing"))
        };
        let (colours, shape) = (section("colours")?, section("shape")?);
        let colour = |key: &str| {
            let text =
                colours.get(key).and_then(toml::Value::as_str).ok_or(format!("colours.{key}: is missing"))?;
            Colour::parse(text).ok_or(format!("colours.{key}: must be such as #0a1a33, not {text:?}"))
        };
        let radius = |key: &str| {
            let value =
                shape.get(key).and_then(toml::Value::as_integer).ok_or(format!("shape.{key}: is missing"))?;
            u8::try_from(value).map(f32::from).map_err(|_| format!("shape.{key}: must be from 0 to 255"))
        };
        Ok(Self {
            ground: colour("ground")?,
            header: colour("header")?,
            line: colour("line")?,
            ink: colour("ink")?,
            quiet: colour("quiet")?,
            panel: colour("panel")?,
            panel_low: colour("panel_low")?,
            tab: colour("tab")?,
            tab_quiet: colour("tab_quiet")?,
            off: colour("off")?,
            off_tab: colour("off_tab")?,
            off_ink: colour("off_ink")?,
            call: colour("call")?,
            call_older: colour("call_older")?,
            call_ink: colour("call_ink")?,
            call_quiet: colour("call_quiet")?,
            warn: colour("warn")?,
            remark: colour("remark")?,
            warn_ink: colour("warn_ink")?,
            alarm: colour("alarm")?,
            alarm_ink: colour("alarm_ink")?,
            priority: colour("priority")?,
            priority_ink: colour("priority_ink")?,
            slot: colour("slot")?,
            slot_ink: colour("slot_ink")?,
            plain_chip: colour("plain_chip")?,
            plain_chip_ink: colour("plain_chip_ink")?,
            ticker: colour("ticker")?,
            ticker_ink: colour("ticker_ink")?,
            ticker_mark: colour("ticker_mark")?,
            emblem: colour("emblem")?,
            emblem_ink: colour("emblem_ink")?,
            radius: radius("radius")?,
            radius_large: radius("radius_large")?,
            radius_chip: radius("radius_chip")?,
        })
    }

    /// Every pair of ink and ground that carries text which a citizen needs.
    pub fn text_pairs(&self) -> Vec<(&'static str, Colour, Colour)> {
        vec![
            ("title", self.ink, self.header),
            ("motto and date", self.quiet, self.header),
            ("page", self.quiet, self.ground),
            ("closed", self.ink, self.ground),
            ("ticket", self.ink, self.panel),
            ("label", self.quiet, self.panel),
            ("recent", self.ink, self.panel_low),
            ("recent time", self.quiet, self.panel_low),
            ("counter", self.ink, self.tab),
            ("noun", self.tab_quiet, self.tab),
            ("paused", self.off_ink, self.off),
            ("paused counter", self.off_ink, self.off_tab),
            ("call", self.call_ink, self.call),
            ("called noun", self.call_quiet, self.call),
            ("destination", self.call, self.call_ink),
            ("older call", self.call_ink, self.call_older),
            ("stale", self.warn_ink, self.warn),
            ("emergency", self.alarm_ink, self.alarm),
            ("priority", self.priority_ink, self.priority),
            ("slot", self.slot_ink, self.slot),
            ("chip", self.plain_chip_ink, self.plain_chip),
            ("ticker", self.ticker_ink, self.ticker),
            ("important", self.ticker_mark, self.ticker),
        ]
    }
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
            for (what, ink, ground) in Theme::named(name).unwrap().text_pairs() {
                let contrast = ink.contrast(ground);
                assert!(contrast >= 7.0, "{name}: {what} has only {contrast:.2}");
            }
        }
    }

    #[test]
    fn a_theme_says_which_key_is_wrong() {
        let text = NAVY.replace("ink = \"#f7faff\"", "ink = \"white\"");
        assert_eq!(Theme::parse(&text).unwrap_err(), "colours.ink: must be such as #0a1a33, not \"white\"");
        let text = NAVY.replace("radius = 18\n", "");
        assert_eq!(Theme::parse(&text).unwrap_err(), "shape.radius: is missing");
    }

    #[test]
    fn contrast_of_black_and_white_is_twenty_one() {
        assert!((Colour([0, 0, 0, 255]).contrast(Colour([255; 4])) - 21.0).abs() < 0.01);
    }
}
