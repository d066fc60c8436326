//! A real X server without a monitor, whose pixels lie in a mapped file: a test sees the glass without asking the
//! program that draws on it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub struct Xvfb {
    server: Child,
    pub display: String,
    folder: PathBuf,
    pub w: u32,
    pub h: u32,
}

impl Xvfb {
    /// Starts a server on a free display.
    pub fn start(w: u32, h: u32) -> Self {
        Self::launch(None, w, h)
    }

    /// Starts a server on this display.
    pub fn start_on(display: &str, w: u32, h: u32) -> Self {
        Self::launch(Some(display), w, h)
    }

    fn launch(display: Option<&str>, w: u32, h: u32) -> Self {
        let unique = format!("moiso-glass-{}-{w}x{h}", std::process::id());
        let folder = (0..100)
            .map(|n| std::env::temp_dir().join(format!("{unique}-{n}")))
            .find(|folder| std::fs::create_dir(folder).is_ok())
            .expect("one of the names is free");
        let mut server = Command::new("Xvfb")
            .args(display)
            .args(["-displayfd", "1", "-screen", "0", &format!("{w}x{h}x24"), "-nolisten", "tcp", "-fbdir"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed (Debian: xvfb)");
        let mut number = String::new();
        let output = server.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut number).expect("Xvfb says its display");
        assert!(!number.trim().is_empty(), "Xvfb did not start");
        Self { server, display: format!(":{}", number.trim()), folder, w, h }
    }

    /// The pixels of the screen as RGB rows.
    pub fn pixels(&self) -> Vec<u8> {
        let mut all = Vec::new();
        File::open(self.file())
            .and_then(|mut f| f.read_to_end(&mut all))
            .expect("Xvfb keeps its frame there");
        let (start, stride) = layout(&all);
        let row = |y: u32| start + y as usize * stride;
        (0..self.h)
            .flat_map(|y| rgb(&all[row(y)..row(y) + self.w as usize * 4]).collect::<Vec<_>>())
            .collect()
    }

    /// One row of pixels, RGB; quick enough to watch a moving line.
    pub fn row(&self, y: u32) -> Vec<u8> {
        let file = File::open(self.file()).expect("Xvfb keeps its frame there");
        let mut head = [0; 100];
        file.read_exact_at(&mut head, 0).expect("a header");
        let (start, stride) = layout(&head);
        let mut row = vec![0; self.w as usize * 4];
        file.read_exact_at(&mut row, (start + y as usize * stride) as u64).expect("a row");
        rgb(&row).collect()
    }

    fn file(&self) -> PathBuf {
        self.folder.join("Xvfb_screen0")
    }

    /// Kills the server under its clients.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
        let number = self.display.trim_start_matches(':');
        let _ = std::fs::remove_file(format!("/tmp/.X{number}-lock"));
        let _ = std::fs::remove_file(format!("/tmp/.X11-unix/X{number}"));
    }
}

/// Of the X window dump: where the pixels begin, and the bytes of a row. All words of the header are big endian.
fn layout(dump: &[u8]) -> (usize, usize) {
    let word = |n: usize| u32::from_be_bytes(dump[n * 4..n * 4 + 4].try_into().expect("four bytes")) as usize;
    let (header, stride, colours) = (word(0), word(12), word(19));
    (header + colours * 12, stride)
}

fn rgb(row: &[u8]) -> impl Iterator<Item = u8> {
    row.as_chunks::<4>().0.iter().flat_map(|[b, g, r, _]| [*r, *g, *b])
}
