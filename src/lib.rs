//! moiso: the now-serving board and the voice of a public-service hall.
//!
//! ARCHITECTURE.md is the map. Core modules (board, speech, scene, wire, config) are pure; the shell around them
//! (mqtt, control, audio, gpu, present, window, hub, app) does the IO.

pub mod app;
pub mod audio;
pub mod board;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod demo;
pub mod gpu;
pub mod health;
pub mod hub;
pub mod journal;
pub mod metrics;
pub mod mqtt;
pub mod orders;
pub mod pictures;
mod power;
pub mod present;
pub mod raster;
pub mod ready;
pub mod replay;
pub mod scenario;
pub mod scene;
pub mod screens;
pub mod sharing;
pub mod soak;
pub mod speech;
pub mod trace;
mod typeset;
pub mod voices;
pub mod window;
pub mod wire;
