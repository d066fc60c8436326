//! A real browser without a display, driven over its debugging WebSocket.

#![allow(dead_code, clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(30);

/// The script of axe-core, which `deploy/test.sh` fetches and nothing of ours ships.
fn axe() -> String {
    let fetched = concat!(env!("CARGO_MANIFEST_DIR"), "/target/axe/node_modules/axe-core/axe.min.js");
    let path = std::env::var("MOISO_AXE").unwrap_or_else(|_| fetched.to_owned());
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}; run deploy/test.sh once"))
}

/// On a busy machine a picture may not be drawn in its time; the page asks for it again.
fn is_late_picture(entry: &Value) -> bool {
    let has = |field: &str, words: &str| entry[field].as_str().is_some_and(|text| text.contains(words));
    has("url", "/board.png") && has("text", "503")
}

/// One browser with one page; it ends with the test.
pub struct Browser {
    process: Child,
    profile: PathBuf,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: String,
    id: u64,
    /// What the page has written to its console, and what the browser has refused.
    pub complaints: Vec<String>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
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
        let profile =
            std::env::temp_dir().join(format!("moiso-browser-{}", moiso::control::auth::token::new_id()));
        let mut process = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--remote-debugging-port=0", "--lang=vi", "--hide-scrollbars"])
            .args(more)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("Debian's chromium is installed");
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = said
            .find_map(|line| line.unwrap().strip_prefix("DevTools listening on ").map(str::to_owned))
            .expect("the browser opens its debugging port");
        // Whoever stops reading stops the browser as soon as the pipe is full.
        std::thread::spawn(move || said.count());
        let (socket, _) = connect_async(address).await.unwrap();
        let mut browser =
            Self { process, profile, socket, session: String::new(), id: 0, complaints: Vec::new() };
        let target = browser.command("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.command("Target.attachToTarget", attach).await;
        browser.session = session["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.command(domain, json!({})).await;
        }
        browser.resize(width, height).await;
        browser.command("Page.navigate", json!({ "url": url })).await;
        browser
    }

    pub async fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.command("Emulation.setDeviceMetricsOverride", size).await;
    }

    async fn command(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let mut request = json!({ "id": self.id, "method": method, "params": params });
        if !self.session.is_empty() {
            request["sessionId"] = self.session.as_str().into();
        }
        self.socket.send(Message::text(request.to_string())).await.unwrap();
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            let message = message.expect("the browser answers").unwrap().unwrap();
            let Ok(value) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default()) else {
                continue;
            };
            if value["id"] == self.id {
                assert!(value.get("error").is_none(), "{method}: {value}");
                return value["result"].clone();
            }
            let method = value["method"].as_str().unwrap_or_default();
            // "verbose" is advice about forms, not a fault.
            let advice = value["params"]["entry"]["level"] == "verbose";
            if !advice
                && !is_late_picture(&value["params"]["entry"])
                && matches!(method, "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded")
            {
                self.complaints.push(value["params"].to_string());
            }
        }
    }

    /// The value of a JavaScript expression; a promise is awaited.
    pub async fn value(&mut self, expression: &str) -> Value {
        // A click by script counts as one by hand, without which no sound may be played.
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let answer = self.command("Runtime.evaluate", params).await;
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until a JavaScript expression is true; one that fails, as on a page half loaded, is not true yet.
    pub async fn until(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        let careful =
            format!("(() => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }})()");
        while self.value(&careful).await != true {
            if Instant::now() > deadline {
                let page = self.value("document.body.innerText").await;
                panic!("never true: {expression}\n{page}\n{:#?}", self.complaints);
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Light or dark, as the system of whoever looks has it.
    pub async fn theme(&mut self, theme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Goes to a page and waits until it has been loaded.
    pub async fn go(&mut self, url: &str) {
        self.command("Page.navigate", json!({ "url": url })).await;
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'").await;
    }

    /// Presses keys one after the other as a keyboard does: letters, digits, `Enter`, `Escape`, `Tab`.
    pub async fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let (code, number, text) = match *key {
                "Enter" => ("Enter".to_owned(), 13, "\r".to_owned()),
                "Escape" => ("Escape".to_owned(), 27, String::new()),
                "Tab" => ("Tab".to_owned(), 9, String::new()),
                key if key.bytes().all(|b| b.is_ascii_digit()) => {
                    (format!("Digit{key}"), u32::from(key.as_bytes()[0]), key.to_owned())
                }
                key => {
                    let upper = key.to_uppercase();
                    (format!("Key{upper}"), u32::from(upper.as_bytes()[0]), key.to_owned())
                }
            };
            let mut event =
                json!({ "type": "keyDown", "key": key, "code": code, "windowsVirtualKeyCode": number });
            if !text.is_empty() {
                event["text"] = text.into();
            }
            self.command("Input.dispatchKeyEvent", event.clone()).await;
            event["type"] = "keyUp".into();
            self.command("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Types a text into whatever has the focus.
    pub async fn type_text(&mut self, text: &str) {
        self.command("Input.insertText", json!({ "text": text })).await;
    }

    /// What axe-core finds wrong with the page as it stands: each rule with the first of its elements.
    pub async fn faults(&mut self) -> Vec<String> {
        if self.value("typeof axe").await != "object" {
            self.command("Runtime.evaluate", json!({ "expression": axe(), "returnByValue": true })).await;
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
    pub async fn shift(&mut self) -> f64 {
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
    pub async fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("MOISO_PICTURES") else { return };
        let shot = self.command("Page.captureScreenshot", json!({ "captureBeyondViewport": true })).await;
        let path = PathBuf::from(folder).join(format!("{name}.png.base64"));
        std::fs::write(path, shot["data"].as_str().unwrap()).unwrap();
    }
}
