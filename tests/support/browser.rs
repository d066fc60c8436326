//! A real browser without a display, driven by WebDriver. Each has a chromedriver, a port and a profile of its own.

#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities as _;
use thirtyfour::error::WebDriverResult;
use thirtyfour::support::base64_decode;
use thirtyfour::{By, DesiredCapabilities, Key, LoggingPrefsLogLevel, WebDriver};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const PATIENCE: Duration = Duration::from_secs(30);

/// The script of axe-core, which `deploy/test.sh` fetches and nothing of ours ships.
fn axe() -> String {
    let fetched = concat!(env!("CARGO_MANIFEST_DIR"), "/target/axe/node_modules/axe-core/axe.min.js");
    let path = std::env::var("MOISO_AXE").unwrap_or_else(|_| fetched.to_owned());
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}; run deploy/test.sh once"))
}

/// A chromedriver on a free port, and its address.
async fn chromedriver() -> (Child, String) {
    let mut process = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("Debian's chromium-driver is installed");
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
    let port = loop {
        let line = said.next_line().await.unwrap().expect("chromedriver tells its port");
        if let Some(port) = line.strip_prefix("ChromeDriver was started successfully on port ") {
            break port.trim_end_matches('.').to_owned();
        }
    };
    // Whoever stops reading stops the browser as soon as the pipe is full.
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    (process, format!("http://127.0.0.1:{port}"))
}

/// One browser with one page; it ends with the test, however that ends.
pub struct Browser {
    // In this order: the session closes the browser before its driver is killed and its profile removed.
    driver: WebDriver,
    process: Child,
    profile: TempDir,
}

impl Browser {
    pub async fn open(url: &str, width: u32, height: u32) -> Self {
        Self::open_with(&[], url, width, height).await
    }

    /// The same with a microphone into which `speech`, a WAV file, is spoken once.
    pub async fn open_with_microphone(speech: &Path, url: &str, width: u32, height: u32) -> Self {
        let speech = format!("--use-file-for-fake-audio-capture={}%noloop", speech.display());
        let fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", &speech];
        Self::open_with(&fake, url, width, height).await
    }

    async fn open_with(more: &[&str], url: &str, width: u32, height: u32) -> Self {
        let profile = tempfile::Builder::new().prefix("moiso-browser-").tempdir().unwrap();
        let mut wanted = DesiredCapabilities::chrome();
        for arg in ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
            .into_iter()
            // A pipe, so that a browser whose driver is killed ends as well.
            .chain([
                "--remote-debugging-pipe",
                "--disable-component-update",
                "--lang=vi",
                "--hide-scrollbars",
            ])
            .chain(more.iter().copied())
            .chain([format!("--user-data-dir={}", profile.path().display()).as_str()])
        {
            wanted.add_arg(arg).unwrap();
        }
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let (process, address) = chromedriver().await;
        let driver = WebDriver::new(address, wanted).await.unwrap();
        let browser = Self { driver, process, profile };
        browser.resize(width, height).await;
        browser.go(url).await;
        browser
    }

    /// A command of Chromium's own, where WebDriver has none.
    async fn chromium(&self, method: &str, params: Value) -> Value {
        self.driver.cdp().send_raw(method, params).await.unwrap()
    }

    /// The size of what the page is laid out in; a window cannot be as narrow as a phone.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.chromium("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Light or dark, as the system of whoever looks has it.
    pub async fn theme(&self, theme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.chromium("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Goes to a page and waits until it has been loaded.
    pub async fn go(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    pub async fn reload(&self) {
        self.driver.refresh().await.unwrap();
    }

    async fn run(&self, script: String) -> WebDriverResult<Value> {
        Ok(self.driver.execute(script, []).await?.json().clone())
    }

    /// The value of a JavaScript expression; a promise is awaited.
    pub async fn value(&self, expression: &str) -> Value {
        let value = self.run(format!("return {expression};")).await;
        value.unwrap_or_else(|why| panic!("{expression}: {why}"))
    }

    /// Waits until a JavaScript expression is true; one that fails, as on a page half loaded, is not true yet.
    pub async fn until(&self, expression: &str) {
        let start = Instant::now();
        let careful = format!("try {{ return Boolean({expression}); }} catch {{ return false; }}");
        while !self.run(careful.clone()).await.is_ok_and(|value| value == true) {
            if start.elapsed() > PATIENCE {
                let page = self.value("document.body.innerText").await;
                panic!("never true: {expression}\n{page}\n{:#?}", self.complaints().await);
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Clicks as a hand does on what a CSS selector finds first, as soon as it is to be seen and nothing lies over it.
    pub async fn click(&self, selector: &str) {
        let start = Instant::now();
        let once = async || self.driver.find(By::Css(selector)).await?.click().await;
        while let Err(why) = once().await {
            assert!(start.elapsed() < PATIENCE, "{selector}: {why}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Presses keys one after the other as a keyboard does: a text's letters, `Enter`, `Escape`.
    pub async fn press(&self, keys: &[&str]) {
        let pressed = keys.iter().fold(self.driver.action_chain(), |chain, key| match *key {
            "Enter" => chain.send_keys(Key::Return),
            "Escape" => chain.send_keys(Key::Escape),
            text => chain.send_keys(text),
        });
        pressed.perform().await.unwrap();
    }

    /// What the page has written to its console, and what the browser has refused, since this was asked last.
    pub async fn complaints(&self) -> Vec<String> {
        let mut entries = self.driver.browser_log().await.unwrap();
        // Advice about forms is no fault.
        entries.retain(|entry| entry.level != "DEBUG" || entry.source.as_deref() == Some("console-api"));
        // On a busy machine a picture may not be drawn in its time; the page asks for it again.
        entries.retain(|entry| !(entry.message.contains("/board.png") && entry.message.contains("503")));
        entries.into_iter().map(|entry| format!("{}: {}", entry.level, entry.message)).collect()
    }

    /// What axe-core finds wrong with the page as it stands: each rule with the first of its elements.
    pub async fn faults(&self) -> Vec<String> {
        if self.value("typeof axe").await != "object" {
            self.run(axe()).await.unwrap();
        }
        let found = self
            .value(
                "axe.run(document, { resultTypes: ['violations'], runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', \
                 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] } }).then((r) => r.violations.map((v) => \
                 `${v.id} (${v.impact}): ${v.nodes.length} × ${v.nodes[0].html} – ${v.nodes[0].failureSummary}`))",
            )
            .await;
        found.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap().to_owned()).collect()
    }

    /// How far things have moved under the hand since the page was loaded (the cumulative layout shift).
    pub async fn shift(&self) -> f64 {
        self.value(
            "new Promise((done) => { let sum = 0; new PerformanceObserver((list) => { for (const e of list.getEntries()) \
             if (!e.hadRecentInput) sum += e.value; }).observe({ type: 'layout-shift', buffered: true }); \
             setTimeout(() => done(sum), 100); })",
        )
        .await
        .as_f64()
        .unwrap()
    }

    /// A picture of the whole page, kept where MOISO_PICTURES says, if it does.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("MOISO_PICTURES") else { return };
        // WebDriver's own ends with the window.
        let shot = self.chromium("Page.captureScreenshot", json!({ "captureBeyondViewport": true })).await;
        let png = base64_decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), png).unwrap();
    }
}
