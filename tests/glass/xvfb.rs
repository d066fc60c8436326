//! A real X server without a monitor, whose pixels lie in a mapped file: a test sees the glass without asking the
//! program that draws on it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub struct Xvfb {
    server: Child,
    pub display: String,
    folder: PathBuf,
    pub w: u32,
    pub h: u32,
    ended: bool,
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
        Self { server, display: format!(":{}", number.trim()), folder, w, h, ended: false }
    }

    /// The pixels of the screen as rows of blue, green, red and a byte that means nothing and is zero here.
    pub fn pixels(&self) -> Vec<u8> {
        self.rows(0, self.h)
    }

    /// The pixels of one row.
    pub fn row(&self, y: u32) -> Vec<u8> {
        self.rows(y, 1)
    }

    fn rows(&self, y: u32, rows: u32) -> Vec<u8> {
        let file = File::open(self.file()).expect("Xvfb keeps its frame there");
        let mut head = [0; 100];
        file.read_exact_at(&mut head, 0).expect("a header");
        let (start, stride) = layout(&head);
        assert_eq!(stride, self.w as usize * 4, "rows without padding");
        let mut pixels = vec![0; stride * rows as usize];
        file.read_exact_at(&mut pixels, (start + y as usize * stride) as u64).expect("rows");
        pixels
    }

    fn file(&self) -> PathBuf {
        self.folder.join("Xvfb_screen0")
    }

    /// Stops the server as it is, or lets it go on: what its clients ask then waits.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let sent = Command::new("kill").args([signal, &self.server.id().to_string()]).status();
        assert!(sent.expect("kill is installed").success());
    }

    #[allow(dead_code, reason = "each test binary uses a part")]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Ends the server under its clients.
    pub fn kill(&mut self) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.freeze(false);
        // Asked to end, it takes its lock and its socket with it; it may have ended by itself.
        let _ = Command::new("kill").arg(self.server.id().to_string()).stderr(Stdio::null()).status();
        let _ = self.server.wait();
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Of the X window dump: where the pixels begin, and the bytes of a row. All words of the header are big endian.
fn layout(dump: &[u8]) -> (usize, usize) {
    let word = |n: usize| u32::from_be_bytes(dump[n * 4..n * 4 + 4].try_into().expect("four bytes")) as usize;
    let (header, stride, colours) = (word(0), word(12), word(19));
    (header + colours * 12, stride)
}
