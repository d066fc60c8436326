//! No secret is ever written where others read: not into the log at its most talkative, not into what `check` prints, not into
//! the journal, and not into what the broker keeps.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::{Command, Stdio};
use std::time::Duration;

use support::daemon::{Daemon, get};
use support::mosquitto::{Folder, Mosquitto, free_port};
use support::{call, self_signed, until};

const SOON: Duration = Duration::from_secs(20);
/// Of the tests' broker.
const WRONG: &str = "hunter2-wrong-password";
/// Everything that this program can say; what others print at that level is not its own.
const LOG: &str = "moiso=trace,info";

#[track_caller]
fn without(what: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        // The secret is not told here either.
        assert!(
            !text.contains(secret),
            "{what} has secret {}",
            secrets.iter().position(|s| s == secret).unwrap()
        );
    }
}

#[test]
fn neither_tokens_nor_the_brokers_password_are_in_the_log_or_the_journal() {
    let mut broker = Mosquitto::with_password();
    // `right` alone is a word that a log may well have; the account has a longer password.
    let password = "Xq7-Thong-bao-9e41";
    let users = broker.folder.0.join("users");
    let made = Command::new("mosquitto_passwd").arg("-b").arg(&users).args(["board", password]).status();
    assert!(made.unwrap().success());
    broker.kill();
    broker.restart();
    broker.client_args = ["-u", "board", "-P", password].map(String::from).to_vec();
    let env = [("MOISO_LOG", LOG), ("MOISO_MQTT_USERNAME", "board"), ("MOISO_MQTT_PASSWORD", password)];
    let daemon = Daemon::start_in(&broker, None, &env);
    until(SOON, "the link comes up", || daemon.is_linked());
    let token = daemon.token().to_owned();
    let (_, secret) = token.rsplit_once('_').expect("an id and a secret");
    daemon.cli(&["notice", "put", "Hết số", "--for", "5m"]);
    broker.publish("moiso/dong-da/call", &call("s-1", "A012", "5", "call"), &[]);
    until(SOON, "the call is kept", || daemon.kept("calls", "id = 's-1'") == 1);
    // One that is wrong in its last sign, and one that is nonsense.
    let nearly = format!("{}{}", &token[..token.len() - 1], if token.ends_with('a') { 'b' } else { 'a' });
    for wrong in [nearly.as_str(), "moiso_once_Zz81-not-a-token"] {
        let refused = daemon.command(&["notice", "list"]).env("MOISO_TOKEN", wrong).output().unwrap();
        assert_eq!(refused.status.code(), Some(4));
        without("what a refused command prints", &String::from_utf8_lossy(&refused.stderr), &[wrong]);
    }
    until(SOON, "the refusals are in the log", || daemon.log().matches("a sign-in failed").count() > 1);
    let log = daemon.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "it talks more than usually:\n{log}");
    let secrets = [token.as_str(), secret, nearly.as_str(), "Zz81-not-a-token", password];
    without("the log", &log, &secrets);
    let metrics = String::from_utf8(get(daemon.port(), "/metrics").unwrap()).unwrap();
    without("/metrics", &metrics, &secrets);
    without("/healthz", &daemon.detail().to_string(), &secrets);
    let status = broker.subscribe("moiso/dong-da/#").wait_for(|line| line.contains("/status"));
    without("the status", &status, &secrets);
    for file in ["journal.db", "journal.db-wal", "tokens.toml"] {
        let bytes = std::fs::read(daemon.state_folder().join(file)).unwrap_or_default();
        without(file, &String::from_utf8_lossy(&bytes), &secrets);
    }
}

#[test]
fn a_password_that_the_broker_refuses_is_not_told() {
    let broker = Mosquitto::with_password();
    let env = [("MOISO_LOG", LOG), ("MOISO_MQTT_USERNAME", "board"), ("MOISO_MQTT_PASSWORD", WRONG)];
    let daemon = Daemon::start_in(&broker, None, &env);
    until(SOON, "the refusal is told", || daemon.log().contains("password"));
    without("the log", &daemon.log(), &[WRONG]);
    without("/healthz", &daemon.detail().to_string(), &[WRONG]);
}

/// Runs the program with a config until it ends, or for two seconds, and gives all that it printed.
fn printed(config: &str, command: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_moiso"))
        .args(["--config", config, command])
        .env("MOISO_LOG", LOG)
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_key_is_not_printed_whether_it_is_right_or_damaged() {
    let folder = Folder::new();
    self_signed(&folder.0, "console", &[]);
    let key = folder.0.join("console.key");
    let users = folder.file("users", "board:Uu55-broker-users-file\n");
    let whole = std::fs::read_to_string(&key).unwrap();
    let line = whole.lines().nth(1).unwrap().to_owned();
    let dir = folder.0.display();
    let config = folder.file(
        "moiso.toml",
        &format!(
            "[screen]\npresent = \"headless\"\n[audio]\nenabled = false\n[mqtt.embedded]\nlisten = \"127.0.0.1:{}\"\nusers_file = {:?}\n\
             [control]\nlisten = \"127.0.0.1:{}\"\n[control.tls]\ncert = \"{dir}/console.pem\"\nkey = \"{dir}/console.key\"\n\
             [paths]\nstate = \"{dir}/state\"\n",
            free_port(),
            users.display().to_string(),
            free_port(),
        ),
    );
    let damaged = whole.replace("-----END", "----END");
    let cut = format!("{}\n{}", whole.lines().next().unwrap(), &line);
    for text in [whole.as_str(), damaged.as_str(), cut.as_str()] {
        std::fs::write(&key, text).unwrap();
        for command in ["check", "run"] {
            let out = printed(config.to_str().unwrap(), command);
            assert!(!out.is_empty(), "{command} says something");
            without(command, &out, &[&line, "Uu55-broker-users-file"]);
        }
    }
}
