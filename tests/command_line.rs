//! The program's own command line: what it answers to programs, to shells and to `man`.

#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::{moiso, until};

const SOON: Duration = Duration::from_secs(10);

fn printed(args: &[&str]) -> String {
    let out = moiso(args);
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// What bash offers after `words`, the last of which is being typed.
fn completed(script: &str, words: &[&str]) -> Vec<String> {
    let (typed, before) = (words[words.len() - 1], words[words.len() - 2]);
    let run = format!(
        "{script}\nCOMP_WORDS=({})\nCOMP_CWORD={}\nCOMP_LINE='{}'\n_moiso moiso '{typed}' '{before}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len() - 1,
        words.join(" "),
    );
    let out = Command::new("bash").args(["--norc", "-c", &run]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_their_options() {
    let script = printed(&["completions", "bash"]);
    assert_eq!(completed(&script, &["moiso", "not"]), ["notice"]);
    assert_eq!(completed(&script, &["moiso", "notice", "pu"]), ["put"]);
    assert_eq!(completed(&script, &["moiso", "identify", "--scr"]), ["--screen"]);
    let all = completed(&script, &["moiso", "voice", ""]);
    for word in ["script", "import", "build", "check"] {
        assert!(all.iter().any(|offered| offered == word), "{word}: {all:?}");
    }
    for shell in ["zsh", "fish"] {
        assert!(printed(&["completions", shell]).contains("test-call"), "{shell}");
    }
    assert_eq!(moiso(&["completions", "cmd"]).status.code(), Some(2));
}

#[test]
fn the_manual_page_has_every_command_and_needs_no_config() {
    let page = printed(&["--config", "/nowhere.toml", "man"]);
    assert!(page.contains(".TH moiso 1"), "{}", &page[..400.min(page.len())]);
    let help = printed(&["--help"]);
    let listed = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let listed = listed.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    // What is further in is the rest of a description.
    let commands: Vec<&str> = listed
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands.iter().filter(|command| **command != "help") {
        assert!(page.contains(&format!("MOISO {}\"", command.to_uppercase())), "{command}");
    }
    assert!(page.contains("MOISO NOTICE PUT\"") && page.contains("\\-\\-recording"));
}

#[test]
fn every_answer_can_be_had_as_json() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("a.wav");
    let told = |args: &[&str]| -> Vec<Value> {
        let text = daemon.cli(args);
        let whole: Result<Value, _> = serde_json::from_str(&text);
        whole.map_or_else(
            |_| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            |one| vec![one],
        )
    };
    let one = |args: &[&str]| -> Value {
        let all = told(args);
        assert_eq!(all.len(), 1, "{args:?}: {all:?}");
        all[0].clone()
    };
    let technician = one(&["token", "add", "--role", "technician", "--name", "Kỹ thuật", "--json"]);
    let token = technician["token"].as_str().unwrap();
    assert_eq!(one(&["notice", "put", "Hết số", "--id", "het-so", "--json"])["text"]["vi"], "Hết số");
    assert_eq!(one(&["notice", "list", "--json"]).as_array().unwrap().len(), 1);
    assert_eq!(one(&["notice", "delete", "het-so", "--json"])["id"], "het-so");
    assert_eq!(one(&["call", "A012", "-c", "5", "--json"])["ticket"], "A012");
    assert_eq!(one(&["identify", "--token", token, "--json"])["do"], "identify");
    assert_eq!(one(&["volume", "60", "--token", token, "--json"])["value"], 60);
    assert_eq!(one(&["status", "--json"])["live"], true);
    until(SOON, "the call is kept", || daemon.kept("calls", "1") == 1);
    assert_eq!(one(&["history", "A012", "--json"])["counter"], "5");
    assert!(one(&["read", "A012", "--json"])["text"].as_str().unwrap().len() > 20);
    assert_eq!(told(&["read", "7..9", "--json"])[2], serde_json::json!({ "number": 9, "text": "chín" }));
    assert!(one(&["say", "A012", "--wav", wav.to_str().unwrap(), "--json"])["seconds"].as_f64() > Some(3.0));
    assert_eq!(one(&["check", "--json"])["ok"], true);
    assert_eq!(one(&["token", "list", "--json"]).as_array().unwrap().len(), 2);
    assert_eq!(one(&["token", "revoke", technician["id"].as_str().unwrap(), "--json"])["name"], "Kỹ thuật");
}
