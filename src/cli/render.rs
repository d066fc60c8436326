//! `moiso render`: recorded stretches of a day as the pictures that a screen would show, one by one or on one sheet.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use jiff::Timestamp;

use crate::config::Config;
use crate::config::load::theme_named;
use crate::gpu::Picture;
use crate::raster::Raster;
use crate::scenario::{self, Scenario};
use crate::scene::{Align, Colour, Face, Layer, Look, Rect, Scene, Size, TextRun};

/// Draw recorded events to PNG, without a display.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSON lines: {"t":"RFC 3339","topic":"moiso/<hall>/…","payload":{…}}; `-` reads the standard input, a folder
    /// stands for all its .jsonl files. A NAME.toml beside NAME.jsonl is its config.
    #[arg(required = true)]
    pub events: Vec<PathBuf>,
    /// The instant of the picture, for instance 2026-11-24T09:41:00.250+07:00; left out, the last event's.
    #[arg(long, value_name = "TIME")]
    pub at: Option<Timestamp>,
    /// Width and height in pixels, for instance 1920x1080; left out, the config's.
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    pub size: Option<Size>,
    /// Where the picture goes, or the sheet.
    #[arg(long, value_name = "FILE", default_value = "board.png")]
    pub out: PathBuf,
    /// A folder for one picture of each recording, named after it.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["out", "sheet"])]
    pub into: Option<PathBuf>,
    /// All recordings on one sheet, each a third of its size: what they look like from the back of the hall.
    #[arg(long)]
    pub sheet: bool,
    /// navy, paper or a theme's file, in place of the config's.
    #[arg(long, value_name = "FILE")]
    pub theme: Option<String>,
}

pub(super) fn parse_size(text: &str) -> Result<Size, String> {
    let wrong = || format!("must be such as 1920x1080, not {text:?}");
    let (w, h) = text.split_once('x').ok_or_else(wrong)?;
    let side = |t: &str| t.parse::<u32>().ok().filter(|n| (160..=16384).contains(n)).ok_or_else(wrong);
    Ok(Size { w: side(w)?, h: side(h)? })
}

/// # Errors
/// When the events cannot be read, or a picture cannot be written.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let scenarios = scenario::read_all(&args.events, config)?;
    if scenarios.len() != 1 && args.into.is_none() && !args.sheet {
        bail!("{} recordings: --into FOLDER draws one picture each, --sheet one of all", scenarios.len());
    }
    let mut raster = Raster::default();
    let mut pictures = Vec::new();
    for scenario in scenarios {
        let scenario = dressed(scenario, args.theme.as_deref())?;
        let picture = raster.picture(&scenario.scene_at(told(&scenario, args.at), size(args, &scenario)));
        match &args.into {
            Some(folder) => write(&folder.join(format!("{}.png", scenario.name)), &picture.png()?)?,
            None => pictures.push((scenario.name, picture)),
        }
    }
    match pictures.first() {
        _ if args.sheet => {
            write(&args.out, &sheet(&mut raster, &pictures).png_of_few_colours(SHEET_COLOURS)?.0)
        }
        Some((_, picture)) => write(&args.out, &picture.png()?),
        None => Ok(()),
    }
}

/// The instant of the picture, after telling what the recording has that the contract has not.
fn told(scenario: &Scenario, at: Option<Timestamp>) -> Timestamp {
    let at = at.unwrap_or(scenario.until);
    for (at, rejection) in &scenario.board_at(at).rejected {
        eprintln!("{}: {at}: {rejection}", scenario.name);
    }
    at
}

fn size(args: &Args, scenario: &Scenario) -> Size {
    let screen = &scenario.config.screen;
    args.size.unwrap_or(Size { w: screen.width, h: screen.height })
}

fn write(path: &Path, png: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))
}

fn dressed(scenario: Scenario, theme: Option<&str>) -> anyhow::Result<Scenario> {
    let Some(name) = theme else { return Ok(scenario) };
    let theme = theme_named(name).map_err(|problems| anyhow!("the theme cannot be used\n{problems}"))?;
    let look = Look { theme, ..scenario.look().clone() };
    Ok(scenario.with_look(look))
}

/// Pictures on a sheet are this much smaller.
const SMALLER: u32 = 3;
/// How far the colours of its palette are apart at least: a sheet of forty boards is a small file.
const SHEET_COLOURS: u8 = 6;
/// Columns of a sheet, the space around its pictures, and the height of their names, in pixels.
const COLUMNS: usize = 4;
const SPACE: u32 = 24;
const NAME: u32 = 40;

/// All pictures with their names, in rows.
fn sheet(raster: &mut Raster, pictures: &[(String, Picture)]) -> Picture {
    let small = |(name, picture): &(String, Picture)| {
        (name.clone(), picture.scaled(picture.w / SMALLER, picture.h / SMALLER))
    };
    let small: Vec<(String, Picture)> = pictures.iter().map(small).collect();
    let tile = |side: fn(&Picture) -> u32| small.iter().map(|(_, picture)| side(picture)).max().unwrap_or(1);
    let (w, h) = (tile(|p| p.w), tile(|p| p.h));
    let columns = COLUMNS.min(small.len()).max(1);
    let place = |index: usize| {
        let (column, row) = ((index % columns) as u32, (index / columns) as u32);
        (SPACE + column * (w + SPACE), SPACE + row * (h + NAME + SPACE))
    };
    let rows = small.len().div_ceil(columns) as u32;
    let size = Size { w: SPACE + columns as u32 * (w + SPACE), h: SPACE + rows * (h + NAME + SPACE) };
    let names = small.iter().enumerate().map(|(index, (name, _))| {
        let (x, y) = place(index);
        let rect = Rect { x: x as f32, y: (y + h) as f32, w: w as f32, h: NAME as f32 };
        label(name, rect)
    });
    let mut sheet = raster.picture(&of_names(size, names.collect()));
    for (index, (_, picture)) in small.iter().enumerate() {
        let (x, y) = place(index);
        sheet.paste(picture, x, y);
    }
    sheet
}

fn label(name: &str, rect: Rect) -> TextRun {
    let colour = Colour([20, 20, 20, 255]);
    TextRun { text: name.into(), rect, size: 24.0, face: Face::Words(600), colour, align: Align::Start }
}

fn of_names(size: Size, texts: Vec<TextRun>) -> Scene {
    let layers = vec![Layer { texts, ..Layer::default() }];
    Scene {
        size,
        background: Colour([232, 232, 232, 255]),
        layers,
        strip: None,
        next_change: None,
        moving: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_numbers() {
        assert_eq!(parse_size("1920x1080"), Ok(Size { w: 1920, h: 1080 }));
        for wrong in ["1920", "1920x", "0x10", "99999x1080", "a x b"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
