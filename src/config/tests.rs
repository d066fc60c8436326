//! What a config may say, its defaults, and how a wrong one is told.

use super::*;

fn problems(text: &str) -> Vec<String> {
    Config::read(text, Env::new()).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn the_defaults_are_the_dong_da_hall() {
    let config = Config::default();
    assert_eq!(config.counters.len(), 11);
    assert_eq!(config.series.len(), 5);
    assert_eq!(config.topic_prefix(), "moiso/dong-da");
    assert_eq!(config.client_id(), "moiso-dong-da-sanh-1");
    assert!(config.counters[4].lanes.contains(&Lane::Elderly));
}

#[test]
fn the_volume_follows_the_time_of_day() {
    let text = "[audio]\nvolume_percent = 90\n[[audio.schedule]]\nspan = \"11:30-13:30\"\nvolume_percent = 50\n\
                [[audio.schedule]]\nspan = \"20:00-07:00\"\n";
    let audio = Config::read(text, Env::new()).unwrap().audio;
    let volumes =
        ["06:59", "07:00", "11:30", "13:30", "23:00"].map(|t| audio.volume_at(time_of_day(t).unwrap()));
    assert_eq!(volumes, [60, 90, 50, 90, 60]);
    let wrong = problems("[[audio.schedule]]\nspan = \"noon\"\nvolume_percent = 0\n");
    assert_eq!(
        wrong,
        [
            "line 2: audio.schedule[1].span: \"noon\" is no span; it must be a span such as 11:30-13:30",
            "line 3: audio.schedule[1].volume_percent: must be a number from 1 to 100, not \"0\""
        ]
    );
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    let wrong = problems("[mqtt]\nbrokers = [\"mqtt://board:secret@10.0.0.2\"]\n");
    assert_eq!(
        wrong,
        [
            "line 2: mqtt.brokers: each must be mqtt://HOST[:PORT] or mqtts://HOST[:PORT], without user and password, \
          not \"mqtt://…@10.0.0.2\""
        ]
    );
    let env = Env::from([("MQTT_BROKERS".to_owned(), "a,b".to_owned())]);
    let wrong = Config::read("", env).unwrap_err();
    assert!(wrong[0].to_string().ends_with("not \"a,b\"; separate several by `;`"), "{}", wrong[0]);
}

#[test]
fn what_is_shown_is_normalised_however_it_was_typed() {
    use unicode_normalization::UnicodeNormalization;
    let typed = |text: &str| text.nfd().collect::<String>();
    let text = format!(
        "[hall]\ntitle = \"{0}\"\nmotto = \"{0}\"\n[board]\nticker_title = \"{0}\"\nidle_ticker = [\"{0}\"]\n\
         [[counter]]\nid = \"{0}\"\nnoun = \"{0}\"\nlabel = \"{0}\"\nlabel_en = \"{0}\"\n\
         [[series]]\nid = \"A\"\nlabel = \"{0}\"\n[hours]\nadvice = [\"{0}\"]\n",
        typed("Quầy Ễ Ộ Ữ")
    );
    assert!(!text.contains("Quầy"), "typed as letters and marks apart");
    let config = Config::read(&text, Env::new()).unwrap();
    let counter = &config.counters[0];
    let shown = [
        &config.hall.title,
        &config.hall.motto,
        &config.board.ticker_title,
        &config.board.idle_ticker[0],
        &counter.noun,
        counter.label.as_ref().unwrap(),
        counter.label_en.as_ref().unwrap(),
        config.series[0].label.as_ref().unwrap(),
        &config.hours.advice[0],
    ];
    assert_eq!(shown, ["Quầy Ễ Ộ Ữ"; 9]);
    assert_eq!(counter.id.as_str(), "Quầy Ễ Ộ Ữ");
}

#[test]
fn vietnamese_comes_first() {
    for wrong in ["[\"en\"]", "[\"en\", \"vi\"]", "[\"vi\", \"vi\"]", "[]"] {
        let problems = problems(&format!("[speech]\nlanguages = {wrong}\n"));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("line 2: speech.languages: must be [\"vi\"]"), "{problems:?}");
    }
    assert!(problems("[speech]\ntemplate_en = \"{ticket}\"\n")[0].contains("has no {counter}"));
}

#[test]
fn the_sample_file_equals_the_defaults() {
    let text = include_str!("../../deploy/moiso.toml");
    assert_eq!(Config::read(text, Env::new()).unwrap(), Config::default());
}

/// Keys that have no default stand behind `#: `.
#[test]
fn the_sample_file_has_every_key_with_a_comment() {
    let text = include_str!("../../deploy/moiso.toml");
    let plain: Vec<&str> = text.lines().map(|l| l.strip_prefix("#: ").unwrap_or(l)).collect();
    let plain = plain.join("\n");
    let (mut reading, root) = Reading::parse(&plain, Env::new());
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    read::config(&mut reading, &root);
    let keys = std::mem::take(&mut reading.keys);
    let problems: Vec<String> = reading.finish().iter().map(ToString::to_string).collect();
    // Not all of them go together: a password and its file, certificates and a broker without TLS.
    let clash = |p: &String| p.contains("mqtt.") && p.contains("_file: ");
    assert!(problems.iter().all(clash), "{problems:#?}");
    let (mut section, mut above, mut commented) = (String::new(), false, Vec::new());
    for line in plain.lines() {
        let trimmed = line.trim_matches(['[', ']', ' ']);
        match line.split_once(" = ") {
            Some((key, _)) if !line.starts_with('#') => {
                if std::mem::take(&mut above) {
                    commented.push(format!("{section}.{key}"));
                }
            }
            _ if line.starts_with('[') => section = trimmed.to_owned(),
            _ => above = line.starts_with('#'),
        }
    }
    let without: Vec<&String> = keys.iter().filter(|key| !commented.contains(key)).collect();
    assert!(without.is_empty(), "no comment above: {without:#?}");
}

#[test]
fn all_problems_are_reported_with_their_lines() {
    let found = problems(
        "[board]\ndwell_s = 0\nspeed = 3\n\n[screen]\npresent = \"gl\"\n\n[[counter]]\nid = \"1\"\nlanes = [\"old\"]\n[[counter]]\nnoun = \"Quầy\"\n[mqtt]\nbrokers = \"http://x\"\n[extra]\n",
    );
    assert_eq!(found[0], "line 2: board.dwell_s: must be a number from 1 to 120, not \"0\"");
    assert!(found[1].starts_with("line 3: board.speed: is not a key of [board]"), "{found:#?}");
    assert!(found[2].starts_with("line 6: screen.present: must be auto, surface, software or headless"));
    assert!(found[3].starts_with("line 10: counter[1].lanes: each must be"), "{found:#?}");
    assert!(found[4].starts_with("line 11: counter[2].id: is missing"), "{found:#?}");
    assert!(found[5].starts_with("line 14: mqtt.brokers: each must be"), "{found:#?}");
    assert!(found[6].starts_with("line 15: extra: is not a section"), "{found:#?}");
    assert_eq!(found.len(), 7);
}

#[test]
fn rules_across_sections_name_the_line() {
    let found = problems(
        "[[counter]]\nid = \"1\"\n[[counter]]\nid = \"2\"\n[[counter]]\nid = \"1\"\n[[audio.zone]]\nid = \"a\"\ncounters = [\"2\", \"9\"]\n",
    );
    let starts = [
        "line 1: audio.zone: counter 1 is heard in no zone",
        "line 5: counter[3].id: 1 is given twice",
        "line 7: audio.zone[1].counters: 9 is not one of the counters",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found} should start with {start}");
    }
}

#[test]
fn an_open_broker_a_password_without_a_name_and_a_useless_certificate_are_problems() {
    let found = problems(
        "[mqtt]\npassword = \"x\"\nca_file = \"ca\"\nbrokers = \"mqtt://10.0.0.5:1884\"\n[mqtt.embedded]\nlisten = \"0.0.0.0:1883\"\n",
    );
    let starts = [
        "line 2: mqtt.password: needs a username",
        "line 3: mqtt.ca_file: is for TLS",
        "line 4: mqtt.brokers: none of them is the embedded broker",
        "line 6: mqtt.embedded.listen: everybody who reaches 0.0.0.0:1883",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found} should start with {start}");
    }
}

#[test]
fn a_daemon_with_a_broker_of_its_own_listens_to_it() {
    let listen = "[mqtt.embedded]\nlisten = \"0.0.0.0:1884\"\ninsecure = true\n";
    let config = Config::read(listen, Env::new()).unwrap();
    assert_eq!(config.mqtt.brokers[0], BrokerAddress { host: "127.0.0.1".into(), port: 1884, tls: false });
}

#[test]
fn text_that_is_not_toml_is_one_clear_problem() {
    let found = problems("[board\ndwell_s = 8\n");
    assert!(found[0].starts_with("line 1: is not valid TOML"), "{found:#?}");
}

#[test]
fn the_environment_replaces_single_keys() {
    let env = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Env>();
    let config = Config::read(
        "[board]\ndwell_s = 9\n",
        env(&[
            ("BOARD_DWELL_S", "12"),
            ("MQTT_BROKERS", "mqtt://a;mqtts://b:9"),
            ("MQTT_EMBEDDED_LISTEN", "127.0.0.1:1883"),
        ]),
    )
    .unwrap();
    assert_eq!(config.board.dwell, Millis::from_secs(12));
    assert_eq!(config.mqtt.brokers[1], BrokerAddress { host: "b".into(), port: 9, tls: true });
    assert!(config.mqtt.embedded.listen.is_some());
    let secret = Config::read("", env(&[("MQTT_USERNAME", "a;b"), ("MQTT_PASSWORD", "c;d")])).unwrap();
    assert_eq!(secret.mqtt.password.as_deref(), Some("c;d"), "only a list is split");
    let wrong = Config::read("[board]\ndwell_s = 9\n", env(&[("BOARD_DWELL_S", "0")])).unwrap_err();
    assert_eq!(wrong[0].to_string(), "MOISO_BOARD_DWELL_S: must be a number from 1 to 120, not \"0\"");
    let wrong = Config::read("", env(&[("BORED_DWELL_S", "12")])).unwrap_err();
    assert_eq!(wrong[0].to_string(), "MOISO_BORED_DWELL_S: no key of the config has this name");
}
