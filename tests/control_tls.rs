//! The console behind TLS: one's own page and command line get in, a renewed certificate is shown without a restart, and
//! nobody gets in without TLS.

#![allow(clippy::unwrap_used)]

mod support;

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use support::{self_signed, until};

const SOON: Duration = Duration::from_secs(20);

/// Whom a client sees at the door.
fn shown(port: u16) -> String {
    let out = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-alpn", "http/1.1"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn the_console_speaks_tls_and_shows_a_renewed_certificate_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    self_signed(folder.path(), "first", &[]);
    let port = support::mosquitto::free_port();
    let file = folder.path().join("moiso.toml");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let config = format!(
        "[screen]\npresent = \"headless\"\nsize = \"640x360\"\n[mqtt]\nbrokers = [\"mqtt://127.0.0.1:9\"]\n\
         [audio]\nenabled = false\n[control]\nlisten = \"127.0.0.1:{port}\"\n[control.tls]\ncert = \"{}\"\nkey = \"{}\"\n\
         [paths]\nstate = \"{}\"\n",
        at("console.pem"),
        at("console.key"),
        at("state")
    );
    std::fs::write(&file, &config).unwrap();
    let config_args = ["--config", file.to_str().unwrap()];
    let made =
        support::moiso(&[&config_args[..], &["token", "add", "--role", "viewer", "--name", "Một"]].concat());
    let token = String::from_utf8(made.stdout).unwrap();
    let token = token.split_whitespace().find(|word| word.starts_with("moiso_")).unwrap().to_owned();
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_moiso"))
        .args(config_args)
        .arg("run")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    until(SOON, "the first certificate is shown", || shown(port).contains("CN = first"));

    let listed = || {
        let mut args = config_args.to_vec();
        args.extend(["notice", "list", "--token", &token]);
        support::moiso(&args)
    };
    let out = listed();
    assert!(out.status.success(), "the command line trusts the config's own certificate: {out:?}");
    assert!(
        support::daemon::get(port, "/healthz").is_none_or(|answer| answer.is_empty()),
        "plain HTTP gets nothing"
    );
    let url = format!("ws://127.0.0.1:{port}/ws");
    let plain = support::moiso(&["notice", "list", "--token", &token, "--url", &url]);
    assert_eq!(plain.status.code(), Some(3), "{plain:?}");
    let url = format!("wss://127.0.0.1:{port}/ws");
    let stranger = support::moiso(&["notice", "list", "--token", &token, "--url", &url]);
    assert_eq!(stranger.status.code(), Some(3), "nobody has vouched for it: {stranger:?}");

    // Who says nothing, half a greeting or nonsense is out within seconds, and those behind are served.
    for sent in [&b""[..], &[0x16, 0x03, 0x01, 0x02, 0x00], b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(sent).unwrap();
        assert!(shown(port).contains("CN = first"), "a silent one holds nobody up");
        // Closed in order or reset, and not by the time limit of this end.
        let ended = stream.read_to_end(&mut Vec::new());
        let waited = ended.as_ref().is_err_and(|why| why.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!waited, "{sent:?}");
    }

    // A half-written renewal keeps the old one in service; a whole one is shown.
    std::fs::write(folder.path().join("console.pem"), "not a certificate").unwrap();
    let check = support::moiso(&[&config_args[..], &["check"]].concat());
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    assert!(said.contains("control.tls: ") && said.contains("PEM files"), "{said}");
    let log = || std::fs::read_to_string(folder.path().join("log")).unwrap();
    until(SOON, "the daemon has looked", || log().contains("the old certificate stays"));
    assert!(shown(port).contains("CN = first"));
    self_signed(folder.path(), "second", &[]);
    until(SOON, "the second certificate is shown", || shown(port).contains("CN = second"));
    assert!(listed().status.success());
    let _ = daemon.kill();
    let _ = daemon.wait();
}

#[test]
fn an_open_address_needs_tls_or_a_word_that_it_may_do_without() {
    let folder = tempfile::tempdir().unwrap();
    self_signed(folder.path(), "hall", &[]);
    let problems = |extra: &str| {
        let text = format!("[control]\nlisten = \"0.0.0.0:8088\"\n{extra}");
        moiso::config::Config::read_all(&text, moiso::config::section::Env::new()).1
    };
    let words = |extra: &str| problems(extra).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    assert!(words("").contains("can be reached from outside"), "{}", words(""));
    assert_eq!(words("insecure = true\n"), "");
    assert_eq!(words("[control.tls]\ncert = \"a.pem\"\nkey = \"a.key\"\n"), "");
    assert!(words("[control.tls]\ncert = \"a.pem\"\n").contains("control.tls.key: is missing"));
    assert!(words("[control.tls]\nkey = \"a.key\"\n").contains("control.tls.cert: is missing"));
}
