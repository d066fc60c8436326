//! How a board looks: all that the config says about the picture, as one value.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::theme::Theme;
use super::{Art, Idle};
use crate::clock::Millis;
use crate::config::hours::Hours;
use crate::config::{Config, Motion};

#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    pub theme: Theme,
    /// In place of the emblem.
    pub logo: Option<Arc<Art>>,
    pub idle: Idle,
    pub title: String,
    pub motto: String,
    pub ticker_title: String,
    pub time_zone: TimeZone,
    /// How long a page of counters stays.
    pub page: Millis,
    /// Most counters of a page; 0 leaves it to the reading distance.
    pub page_counters: usize,
    /// How long a call holds the spotlight.
    pub dwell: Millis,
    /// Opening hours, by which a break is a lunch break or not.
    pub hours: Hours,
    pub english: bool,
    pub show_holder: bool,
    pub diagonal_inches: f32,
    pub farthest_seat_m: f32,
    /// At 1080 lines.
    pub ticker_px_s: u32,
    /// Where a code on the board leads phones.
    pub phone_qr: Option<String>,
    /// What the closed screen says under the time of opening.
    pub advice: Vec<String>,
    /// Named by the identify overlay.
    pub screen: String,
    pub motion: Motion,
}

impl Look {
    /// The look that the config describes, without the pictures of its files; a time zone that does not exist falls
    /// back to UTC.
    pub fn of(config: &Config) -> Self {
        Self {
            theme: config.theme.clone(),
            logo: None,
            idle: Idle {
                after: config.board.idle_after,
                each: config.board.idle_picture,
                pictures: Vec::new(),
            },
            title: config.hall.title.clone(),
            motto: config.hall.motto.clone(),
            ticker_title: config.board.ticker_title.clone(),
            time_zone: TimeZone::get(&config.hall.time_zone).unwrap_or(TimeZone::UTC),
            page: config.board.page,
            page_counters: config.board.page_counters,
            dwell: config.board.dwell,
            hours: config.hours.clone(),
            english: config.board.english,
            show_holder: config.board.show_holder,
            diagonal_inches: config.screen.diagonal_inches,
            farthest_seat_m: config.screen.farthest_seat_m,
            ticker_px_s: config.board.ticker_px_s,
            phone_qr: config.board.phone_qr.clone(),
            advice: config.hours.advice.clone(),
            screen: config.screen.id.clone(),
            motion: config.board.motion,
        }
    }
}
