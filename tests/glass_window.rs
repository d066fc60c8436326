//! The board on a real X server: what the glass shows is read from the server's own frame buffer.
//!
//! A window system wants the main thread of a process, so every board here is this very program started again.

#[path = "glass/board.rs"]
mod board;
#[path = "glass/xvfb.rs"]
mod xvfb;

use std::process::Command;
use std::time::{Duration, Instant};

use board::{Board, Start, until};
use libtest_mimic::{Arguments, Trial};
use x11rb::connection::Connection as _;
use x11rb::protocol::screensaver::{ConnectionExt as _, State};
use x11rb::protocol::xproto::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use xvfb::Xvfb;

const SIZE: (u32, u32) = (1280, 720);

fn main() {
    board::be_the_child_if_asked();
    let tests: [(&str, fn()); 17] = [
        ("the_window_covers_the_screen_and_shows_what_is_drawn_without_a_display", same_as_headless),
        ("a_whole_surface_shows_the_same_as_the_damaged_parts", surface_same_as_headless),
        ("a_changed_view_is_on_the_glass_within_a_tenth_of_a_second", changed_view),
        ("a_new_call_moves_on_the_glass_for_its_dwell_and_then_no_frame_is_drawn", new_call),
        ("the_ticker_moves_by_equal_steps_of_whole_pixels", ticker_moves),
        ("a_board_that_nobody_changes_draws_no_frame", still_board),
        ("a_monitor_that_changes_or_goes_and_comes_back_is_covered_again", monitor_changes),
        ("a_surface_whose_monitor_changes_is_configured_again", surface_monitor_changes),
        ("a_fractional_scale_of_the_desktop_changes_no_pixel", fractional_scale),
        ("a_window_that_is_hidden_and_shown_again_has_its_picture", hidden_window),
        ("a_window_that_is_destroyed_ends_the_process", destroyed_window),
        ("the_display_does_not_blank_the_screen_while_the_board_is_on_it", no_blanking),
        ("a_display_that_dies_ends_the_process_with_a_message", killed_display),
        ("a_display_that_comes_later_is_taken_while_the_board_runs", late_display),
        ("a_display_that_takes_no_window_is_left_to_the_next_process_after_a_minute", no_window),
        ("a_surface_without_a_display_is_an_error_at_once", no_display),
        ("a_board_that_is_told_to_quit_leaves_with_success", quits),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    // Each test watches the time and draws on the CPU: side by side they would disturb each other.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials.into()).exit();
}

fn start(display: Option<&str>, present: &str, running: bool) -> Board {
    Board::start(&Start { display, present, size: SIZE, running, monitor: None, scale: None })
}

/// The headless picture of view 1 at the start of the clock.
fn headless_picture() -> Vec<u8> {
    let mut board = start(None, "auto", false);
    let report = board.report_when("a headless frame", |r| r.frames > 0);
    assert_eq!(report.present, "headless");
    board.snapshot()
}

/// No channel of any pixel may be further away than `rounding`. A window that is one pixel off, an sRGB mistake or
/// swapped channels would all show here.
fn shows_the_headless_picture(present: &str, rounding: u8) {
    let wanted = headless_picture();
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    let mut board = start(Some(&screen.display), present, false);
    board.report_when("a frame", |r| r.frames > 0);
    let is_wanted = |pixels: &[u8]| {
        pixels.len() == wanted.len() && pixels.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= rounding)
    };
    until("the headless picture on the glass", || is_wanted(&without_padding(screen.pixels())));
    assert!(wanted.chunks_exact(4).any(|p| p != &wanted[..4]), "an empty picture proves nothing");
    assert!(is_wanted(&board.snapshot()), "a snapshot is what is on the glass");
    // The line slides on the glass and is drawn anew for a snapshot: both must be the same pixels, at its end too.
    for span in [2_345, 30_000, 7] {
        board.ask(&format!("advance {span}"));
        let later = board.snapshot();
        assert!(later != wanted, "the line has moved");
        until("the moved line on the glass", || without_padding(screen.pixels()) == later);
    }
}

/// The fourth byte of a pixel means nothing to an X server, and each way of presenting leaves another one there.
fn without_padding(mut pixels: Vec<u8>) -> Vec<u8> {
    for pixel in pixels.as_chunks_mut::<4>().0 {
        pixel[3] = 0;
    }
    pixels
}

fn same_as_headless() {
    shows_the_headless_picture("auto", 0);
}

fn surface_same_as_headless() {
    shows_the_headless_picture("surface", 3);
}

fn changed_view() {
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    let mut board = start(Some(&screen.display), "auto", false);
    board.report_when("a frame", |r| r.frames > 0);
    let picture = board.snapshot();
    until("the first picture", || screen.pixels() == picture);
    let mut slowest = Duration::ZERO;
    for n in 2..12 {
        let before = screen.pixels();
        let called = Instant::now();
        board.ask(&format!("view {n}"));
        until("another picture", || screen.pixels() != before);
        slowest = slowest.max(called.elapsed());
    }
    println!("slowest of ten changes: {slowest:?}");
    assert!(slowest < Duration::from_millis(100), "a call took {slowest:?} to the glass");
    let hash = board.report().hash;
    board.ask("view 12");
    let other = board.report_when("another hash", |r| r.hash != hash).hash;
    board.ask("view 11");
    let again = board.report_when("the hash of before", |r| r.hash != other).hash;
    assert_eq!(again, hash, "equal pictures have equal hashes");
}

fn new_call() {
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    let mut board = start(Some(&screen.display), "auto", false);
    board.report_when("a frame", |r| r.frames > 0);
    let before = board.report();
    board.ask("call 2");
    let first = board.report_when("another picture", |r| r.hash != before.hash);
    let mut pictures = vec![board.snapshot()];
    // A slide, then breaths: at each of these instants the damaged parts on the glass make up the whole picture.
    for span in [33, 66, 301, 100, 125, 250, 125] {
        board.ask(&format!("advance {span}"));
        let picture = board.snapshot();
        until("the moved call on the glass", || without_padding(screen.pixels()) == picture);
        assert!(!pictures.contains(&picture), "another picture after {span} ms");
        pictures.push(picture);
    }
    board.ask("advance 7000");
    let rest = board.snapshot();
    until("the call at rest on the glass", || without_padding(screen.pixels()) == rest);
    let report = board.report();
    assert_eq!(report.hash, first.hash, "what moves is no other picture to a proof");
    for _ in 0..5 {
        board.ask("advance 0");
    }
    assert!(board.snapshot() == rest);
    assert_eq!(board.report().frames, report.frames);
}

fn ticker_moves() {
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    let mut board = start(Some(&screen.display), "auto", true);
    board.report_when("a frame", |r| r.frames > 0);
    // Nothing else than a window moves the line.
    assert_ne!(board.report().present, "headless");
    // 120 px/s at 1080 lines are 80 px/s at 720: two pixels, forty times a second.
    let y = SIZE.1 * 958 / 1000;
    let mut rows = vec![screen.row(y)];
    until("twenty positions of the ticker", || {
        let row = screen.row(y);
        // A row that the display is just copying is half old.
        std::thread::sleep(Duration::from_millis(3));
        if row == screen.row(y) && Some(&row) != rows.last() {
            rows.push(row);
        }
        rows.len() > 20
    });
    // Left part aside, where the title stands still.
    let right = |row: &[u8]| row[SIZE.0 as usize * 2..].to_vec();
    for pair in rows[1..].windows(2) {
        let (old, new) = (right(&pair[0]), right(&pair[1]));
        let moved = (1..40).find(|px| old[px * 4..] == new[..new.len() - px * 4]);
        let moved = moved.expect("the line slides as a whole");
        assert_eq!(moved % 2, 0, "moved by {moved} px");
    }
}

fn still_board() {
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    // The clock stands, so nothing moves.
    let mut board = start(Some(&screen.display), "auto", false);
    board.report_when("a frame", |r| r.frames > 0);
    let picture = board.snapshot();
    until("the picture", || screen.pixels() == picture);
    let before = board.report().frames;
    for _ in 0..5 {
        board.ask("advance 0");
    }
    assert!(board.snapshot() == picture);
    assert_eq!(board.report().frames, before);
}

fn killed_display() {
    for running in [true, false] {
        let mut screen = Xvfb::start(SIZE.0, SIZE.1);
        let mut board = start(Some(&screen.display), "auto", running);
        board.report_when("a frame in a window", |r| r.frames > 0 && r.present != "headless");
        screen.kill();
        let (status, said) = board.end();
        assert!(!status.success() && status.code().is_some(), "{status:?}");
        let last = said.lines().last().unwrap_or_default().to_owned();
        println!("running {running}: {status:?}: {last}");
        assert!(said.contains("display") || said.contains("X server"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

fn late_display() {
    // A display number that was free a moment ago: its server is stopped, and started again below.
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    let display = screen.display.clone();
    drop(screen);
    let mut board = start(Some(&display), "auto", false);
    let report = board.report_when("a headless frame", |r| r.frames > 0);
    assert_eq!(report.present, "headless");
    let screen = Xvfb::start_on(&display, SIZE.0, SIZE.1);
    board.report_when("a window", |r| r.present != "headless");
    let picture = board.snapshot();
    until("the picture on the glass", || screen.pixels() == picture);
}

fn no_window() {
    let path = std::env::temp_dir().join(format!("moiso-no-wayland-{}", std::process::id()));
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
    // Every connection is taken and closed: the display is there, and is none.
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let mut board = start(path.to_str(), "auto", false);
    let report = board.report_when("a headless frame", |r| r.frames > 0);
    assert_eq!(report.present, "headless", "the hall is served meanwhile");
    board.ask("advance 59000");
    assert!(!board.snapshot().is_empty());
    board.ask("advance 1000");
    let (status, said) = board.end();
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("the display cannot be opened"), "{said}");
    std::fs::remove_file(path).expect("the socket is a file");
}

fn no_display() {
    for present in ["surface", "software"] {
        let (status, said) = start(None, present, true).end();
        assert_eq!(status.code(), Some(3), "{said}");
        assert!(said.contains("DISPLAY and WAYLAND_DISPLAY are not set"), "{said}");
    }
}

fn quits() {
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    for display in [None, Some(screen.display.as_str())] {
        let mut board = start(display, "auto", true);
        board.report_when("a frame", |r| r.frames > 0);
        let (status, said) = board.quit();
        assert!(status.success(), "{status:?}\n{said}");
    }
}

/// Left, top, width and height of the board's window, as the server has them.
fn window_on(screen: &Xvfb) -> [i32; 4] {
    let told = tool(screen, "xwininfo", &["-name", "moiso"]);
    let number = |name: &str| {
        let line = told.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap_or_default();
        line.trim().parse().unwrap_or(-1)
    };
    ["Absolute upper-left X:", "Absolute upper-left Y:", "Width:", "Height:"].map(number)
}

fn tool(screen: &Xvfb, program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).env("DISPLAY", &screen.display).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn monitor_changes() {
    covers_its_monitor("auto");
}

fn surface_monitor_changes() {
    covers_its_monitor("surface");
}

/// A television that switches its mode, is turned off, and is turned on again.
fn covers_its_monitor(present: &str) {
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    let mut board = start(Some(&screen.display), present, false);
    let kind = board.report_when("a frame", |r| r.frames > 0).present;
    assert!(present == "auto" || kind == present, "{kind}");
    let whole = board.snapshot();
    until("the picture on the glass", || without_padding(screen.pixels()) == whole);
    let xrandr = |args: &str| tool(&screen, "xrandr", &args.split(' ').collect::<Vec<_>>());

    xrandr("--newmode small 40 960 984 1080 1224 540 541 544 563");
    xrandr("--addmode screen small");
    xrandr("--output screen --mode small");
    until("the smaller monitor is covered", || window_on(&screen) == [0, 0, 960, 540]);
    let small = board.snapshot();
    until("the smaller picture is on the glass", || corner(&screen, 960, 540) == small);

    xrandr("--fb 1280x720 --output screen --off");
    xrandr("--output screen --mode 1280x720");
    until("the monitor that came back is covered", || window_on(&screen) == [0, 0, 1280, 720]);
    until("the picture is on the glass again", || without_padding(screen.pixels()) == whole);
    assert_eq!(board.report().rebuilds, 0, "nothing was lost on the way");
}

fn fractional_scale() {
    let wanted = headless_picture();
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    let display = Some(screen.display.as_str());
    let how =
        Start { display, present: "auto", size: SIZE, running: false, monitor: None, scale: Some("1.25") };
    let mut board = Board::start(&how);
    board.report_when("a frame", |r| r.frames > 0);
    until("the headless picture on the glass", || without_padding(screen.pixels()) == wanted);
}

/// The pixels of the screen's upper left corner.
fn corner(screen: &Xvfb, w: u32, h: u32) -> Vec<u8> {
    let rows = (0..h).flat_map(|y| screen.row(y)[..w as usize * 4].to_vec());
    without_padding(rows.collect())
}

/// The board's window as another client of the server knows it, and that client.
fn window_of(screen: &Xvfb) -> (RustConnection, u32) {
    let told = tool(screen, "xwininfo", &["-name", "moiso"]);
    let id = told.split("Window id: 0x").nth(1).and_then(|rest| rest.split_whitespace().next());
    let id = id.and_then(|id| u32::from_str_radix(id, 16).ok());
    let (server, _) = x11rb::connect(Some(&screen.display)).expect("a second client");
    (server, id.unwrap_or_else(|| panic!("no window in {told:?}")))
}

/// As when something is laid over the board, and goes.
fn hidden_window() {
    for present in ["auto", "surface"] {
        let screen = Xvfb::start(SIZE.0, SIZE.1);
        let mut board = start(Some(&screen.display), present, false);
        board.report_when("a frame", |r| r.frames > 0);
        let whole = board.snapshot();
        until("the picture on the glass", || without_padding(screen.pixels()) == whole);
        let (server, window) = window_of(&screen);
        server.unmap_window(window).expect("a request").check().expect("a window");
        until("the window is gone", || without_padding(screen.pixels()) != whole);
        board.ask("view 7");
        let other = board.snapshot();
        assert!(other != whole);
        server.map_window(window).expect("a request").check().expect("a window");
        until("the new picture on the glass", || without_padding(screen.pixels()) == other);
        assert!(board.quit().0.success());
    }
}

fn destroyed_window() {
    for (present, running) in [("auto", true), ("auto", false), ("surface", true), ("surface", false)] {
        let screen = Xvfb::start(SIZE.0, SIZE.1);
        let mut board = start(Some(&screen.display), present, running);
        board.report_when("a frame in a window", |r| r.frames > 0 && r.present != "headless");
        let (server, window) = window_of(&screen);
        server.destroy_window(window).expect("a request").check().expect("a window");
        let (status, said) = board.end();
        println!("{present}, running {running}: {status:?}: {}", said.lines().last().unwrap_or_default());
        assert!(!status.success() && status.code().is_some(), "{status:?}\n{said}");
        assert!(said.contains("the window was destroyed") && !said.contains("panicked"), "{said}");
    }
}

fn no_blanking() {
    let screen = Xvfb::start(SIZE.0, SIZE.1);
    let (server, number) = x11rb::connect(Some(&screen.display)).expect("a second client");
    let root = server.setup().roots[number].root;
    let is_blank = || {
        let info = server.screensaver_query_info(root).expect("a question").reply().expect("an answer");
        info.state == u8::from(State::ON)
    };
    let mut board = start(Some(&screen.display), "auto", false);
    board.report_when("a frame", |r| r.frames > 0);
    tool(&screen, "xset", &["s", "1", "s", "blank"]);
    std::thread::sleep(Duration::from_secs(3));
    assert!(!is_blank(), "a second without a key is nothing to a board");
    board.quit();
    until("the server blanks the screen when the board is gone", is_blank);
}
