//! The panel's power: tells the panel to go off and on by whatever this PC has. It decides nothing, the view says when
//! the board is dark; and the picture is black then in any case, so a panel that does not obey shows no stale numbers.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::board::view::SharedView;
use crate::config::{Config, PanelSwitch};
use crate::health::PanelState;

/// A panel that was turned on by hand, or whose standby woke up by itself, is told again after that long.
const AGAIN: Duration = Duration::from_secs(600);
/// After a failure it is told again sooner: a panel that stays off in the morning is the worst that can happen.
const RETRY: Duration = Duration::from_secs(30);
/// A program that has not ended by then is killed.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Error)]
enum PowerError {
    #[error("{0} cannot be started: {1}")]
    Start(&'static str, std::io::Error),
    #[error("{0} did not end in time")]
    Slow(&'static str),
    #[error("{0} failed: {1}")]
    Failed(&'static str, String),
    #[error("no program is installed that could")]
    Nothing,
}

/// A program that turns a panel off and on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Tool {
    Xset,
    Wlopm,
    WlrRandr,
    Cec,
}

impl Tool {
    fn program(self) -> &'static str {
        match self {
            Self::Xset => "xset",
            Self::Wlopm => "wlopm",
            Self::WlrRandr => "wlr-randr",
            Self::Cec => "cec-client",
        }
    }

    /// The Debian package that has it.
    fn package(self) -> &'static str {
        match self {
            Self::Xset => "x11-xserver-utils",
            Self::Wlopm => "wlopm",
            Self::WlrRandr => "wlr-randr",
            Self::Cec => "cec-utils",
        }
    }
}

/// What this PC has.
struct Place<'a> {
    x11: bool,
    wayland: bool,
    has: &'a dyn Fn(Tool) -> bool,
}

impl Place<'_> {
    /// The tools to use, all of them. A tool that is asked for by name is there even when it is not installed: that it
    /// fails must be told.
    fn tools(&self, switch: PanelSwitch) -> Vec<Tool> {
        let wlroots = if (self.has)(Tool::Wlopm) { Tool::Wlopm } else { Tool::WlrRandr };
        match switch {
            PanelSwitch::Never | PanelSwitch::Black => Vec::new(),
            PanelSwitch::Xset => vec![Tool::Xset],
            PanelSwitch::Wlroots => vec![wlroots],
            PanelSwitch::Cec => vec![Tool::Cec],
            PanelSwitch::Auto => {
                let display = match (self.wayland, self.x11) {
                    (true, _) => Some(wlroots),
                    (false, true) => Some(Tool::Xset),
                    (false, false) => None,
                };
                // Both where both are there: most televisions sleep without a signal, but few wake up with one.
                let tools = display.into_iter().chain([Tool::Cec]);
                tools.filter(|tool| (self.has)(*tool)).collect()
            }
        }
    }
}

/// A panel and how it is turned off and on.
pub struct Panel {
    switch: PanelSwitch,
    /// The output's name, where the config names one.
    output: Option<String>,
}

impl Panel {
    /// None: the panel is always on.
    pub fn of(config: &Config) -> Option<Self> {
        let switch = config.power.panel;
        // A number is no name.
        let output = config.screen.monitor.clone().filter(|name| name.parse::<u32>().is_err());
        (switch != PanelSwitch::Never).then_some(Self { switch, output })
    }

    /// Tells the panel what the view says, at each change and now and then, for ever.
    pub async fn run(self, views: watch::Receiver<SharedView>, state: watch::Sender<PanelState>) {
        let panel = &self;
        keep(views, state, move |on| panel.turn(on)).await;
    }

    async fn turn(&self, on: bool) -> Result<(), PowerError> {
        let tools = here(&installed).tools(self.switch);
        if tools.is_empty() {
            return if self.switch == PanelSwitch::Black { Ok(()) } else { Err(PowerError::Nothing) };
        }
        let mut outcome = Ok(());
        for tool in tools {
            outcome = outcome.and(self.turn_by(tool, on).await);
        }
        outcome
    }

    async fn turn_by(&self, tool: Tool, on: bool) -> Result<(), PowerError> {
        let output = self.output.as_deref();
        let all = output.unwrap_or("*");
        let (args, input): (&[&str], &str) = match (tool, on) {
            // Afterwards the timers that would turn it off by themselves stand still, as a board gets no input.
            (Tool::Xset, true) => (&["dpms", "force", "on", "-dpms", "s", "off"], ""),
            (Tool::Xset, false) => (&["dpms", "0", "0", "0", "dpms", "force", "off"], ""),
            (Tool::Wlopm, true) => (&["--on", all], ""),
            (Tool::Wlopm, false) => (&["--off", all], ""),
            (Tool::Cec, true) => (&["-s", "-d", "1"], "on 0\n"),
            (Tool::Cec, false) => (&["-s", "-d", "1"], "standby 0\n"),
            (Tool::WlrRandr, _) => {
                let listed = run(tool, &[], "").await?;
                let args = of_outputs(&listed, output, on);
                if args.is_empty() {
                    return Err(PowerError::Failed(tool.program(), "it lists no such output".into()));
                }
                return run(tool, &args, "").await.map(drop);
            }
        };
        run(tool, args, input).await.map(drop)
    }
}

/// Turns what the view says by `turn`, at each change and now and then, until the hub is gone.
async fn keep<T: Future<Output = Result<(), PowerError>>>(
    mut views: watch::Receiver<SharedView>,
    state: watch::Sender<PanelState>,
    turn: impl Fn(bool) -> T,
) {
    let mut told = None;
    loop {
        let dark = views.borrow_and_update().dark;
        let outcome = turn(!dark).await;
        let now = match (&outcome, dark) {
            (Ok(()), true) => PanelState::Off,
            (Ok(()), false) => PanelState::On,
            (Err(_), _) => PanelState::Unknown,
        };
        // At night a failure would be told every half minute.
        if told.replace((dark, now)) != Some((dark, now)) {
            match &outcome {
                Ok(()) => info!(state = now.as_str(), "the panel"),
                Err(error) => warn!(%error, on = !dark, "the panel cannot be turned off or on"),
            }
        }
        state.send_replace(now);
        let pause = if outcome.is_ok() { AGAIN } else { RETRY };
        let other = views.wait_for(|view| view.dark != dark);
        if let Ok(Err(_)) = tokio::time::timeout(pause, other).await {
            return;
        }
    }
}

/// What `moiso check` warns of.
pub fn lacks(config: &Config) -> Vec<String> {
    let place = here(&installed);
    let tools = place.tools(config.power.panel);
    if config.power.panel == PanelSwitch::Auto && tools.is_empty() {
        let tools = [Tool::Xset, Tool::Wlopm, Tool::WlrRandr, Tool::Cec];
        let packages = tools.map(Tool::package).join(", ");
        return vec![format!(
            "power.panel: nothing here turns the panel off; it stays on and black. One of these packages may help: {packages}"
        )];
    }
    let absent = tools.into_iter().filter(|tool| !installed(*tool));
    absent
        .map(|tool| format!("power.panel: {} is not installed (package {})", tool.program(), tool.package()))
        .collect()
}

fn here(has: &dyn Fn(Tool) -> bool) -> Place<'_> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    Place { x11: is_set("DISPLAY"), wayland: is_set("WAYLAND_DISPLAY"), has }
}

fn installed(tool: Tool) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool.program()).is_file())
}

/// The names that `wlr-randr` lists: each begins a line, its properties are indented.
fn outputs(listed: &str) -> impl Iterator<Item = &str> {
    let heads = listed.lines().filter(|line| !line.starts_with(char::is_whitespace));
    heads.filter_map(|line| line.split_whitespace().next())
}

/// What turns those of the listed outputs off or on that are wanted.
fn of_outputs<'l>(listed: &'l str, wanted: Option<&str>, on: bool) -> Vec<&'l str> {
    let names = outputs(listed).filter(|name| wanted.is_none_or(|wanted| wanted == *name));
    names.flat_map(|name| ["--output", name, if on { "--on" } else { "--off" }]).collect()
}

/// Runs a tool to its end; returns what it said.
async fn run(tool: Tool, args: &[&str], input: &str) -> Result<String, PowerError> {
    let program = tool.program();
    let started = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = started.map_err(|error| PowerError::Start(program, error))?;
    let whole = async {
        if let Some(mut pipe) = child.stdin.take() {
            // A program that does not read has ended, and says so by its status.
            let _ = pipe.write_all(input.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let ended = tokio::time::timeout(PATIENCE, whole).await.map_err(|_| PowerError::Slow(program))?;
    let output = ended.map_err(|error| PowerError::Start(program, error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().next().unwrap_or("without a word").trim();
        return Err(PowerError::Failed(program, line.to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;

    use tokio::time::Instant;

    use super::*;
    use crate::board::view::BoardView;

    #[tokio::test(start_paused = true)]
    async fn a_panel_is_told_again_every_ten_minutes_and_sooner_after_a_failure() {
        let view = |dark| Arc::new(BoardView { dark, ..BoardView::empty() });
        let (views, seen) = watch::channel(view(true));
        let (state, panel) = watch::channel(PanelState::Unknown);
        let (start, told) = (Instant::now(), RefCell::new(Vec::new()));
        let turn = |on: bool| {
            told.borrow_mut().push((start.elapsed().as_secs(), on));
            // The third time it does not obey.
            let obeys = told.borrow().len() != 3;
            std::future::ready(if obeys { Ok(()) } else { Err(PowerError::Nothing) })
        };
        let day = async {
            let at = |s: u64| tokio::time::sleep_until(start + Duration::from_secs(s));
            at(1205).await;
            assert_eq!(*panel.borrow(), PanelState::Unknown);
            at(1235).await;
            assert_eq!(*panel.borrow(), PanelState::Off);
            at(1300).await;
            views.send_replace(view(false));
            at(2000).await;
            assert_eq!(*panel.borrow(), PanelState::On);
            drop(views);
        };
        tokio::join!(keep(seen, state, turn), day);
        let wanted = [(0, false), (600, false), (1200, false), (1230, false), (1300, true), (1900, true)];
        assert_eq!(*told.borrow(), wanted);
    }

    fn tools(switch: PanelSwitch, x11: bool, wayland: bool, has: &[Tool]) -> Vec<Tool> {
        Place { x11, wayland, has: &|tool| has.contains(&tool) }.tools(switch)
    }

    #[test]
    fn a_panel_is_turned_by_what_the_display_has_and_by_its_own_standby() {
        let all = [Tool::Xset, Tool::Wlopm, Tool::WlrRandr, Tool::Cec];
        let auto = |x11, wayland, has: &[Tool]| tools(PanelSwitch::Auto, x11, wayland, has);
        assert_eq!(auto(true, false, &all), [Tool::Xset, Tool::Cec]);
        assert_eq!(auto(true, true, &all), [Tool::Wlopm, Tool::Cec], "beside Wayland, X11 is a guest");
        assert_eq!(auto(false, true, &[Tool::WlrRandr]), [Tool::WlrRandr]);
        assert_eq!(auto(false, false, &all), [Tool::Cec]);
        assert_eq!(auto(true, false, &[]), []);
    }

    #[test]
    fn a_tool_that_is_asked_for_is_tried_although_it_is_not_installed() {
        assert_eq!(tools(PanelSwitch::Cec, true, false, &[]), [Tool::Cec]);
        assert_eq!(tools(PanelSwitch::Wlroots, true, false, &[]), [Tool::WlrRandr]);
        assert_eq!(tools(PanelSwitch::Black, true, false, &[Tool::Xset]), []);
    }

    #[test]
    fn the_outputs_of_a_compositor_are_the_lines_that_are_not_indented() {
        let listed = "HDMI-A-1 \"LG Electronics 43 (HDMI-A-1)\"\n  Enabled: yes\n  Modes:\n    1920x1080 px\nDP-1 \"x\"\n  Enabled: no\n";
        assert_eq!(outputs(listed).collect::<Vec<_>>(), ["HDMI-A-1", "DP-1"]);
        assert_eq!(of_outputs(listed, Some("DP-1"), false), ["--output", "DP-1", "--off"]);
        assert_eq!(
            of_outputs(listed, None, true),
            ["--output", "HDMI-A-1", "--on", "--output", "DP-1", "--on"]
        );
        assert!(of_outputs(listed, Some("VGA-1"), true).is_empty());
    }
}
