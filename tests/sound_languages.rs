//! A second language after the first, and an accent that shares most of another voice, as the hall hears them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sound_bank;

use moiso::audio::sounds;
use moiso::board::call::{Kind, Lane};
use moiso::board::input::{Form, Message};
use moiso::speech::voice::Voice;
use sound_bank::{SoundBank, call, parts};

fn elderly(ticket: &str, counter: &str) -> Message {
    call(ticket, counter, Kind::Call, Lane::Elderly)
}

fn said(voice: &Voice, ticket: &str, counter: &str, repeats: u8, form: Form) -> String {
    parts(&voice.plan_message(&elderly(ticket, counter), repeats, form).utterance)
}

fn with_english() -> SoundBank {
    let mut bank = SoundBank::new();
    bank.add_voice(
        "english",
        "language = \"en\"\n",
        &[("ticket number a", 500), ("zero one two", 400), ("senior citizen", 300)],
        &[("please go to counter five", 600)],
    );
    bank
}

const BOTH: &str = "[speech]\nlanguages = [\"vi\", \"en\"]\n";

#[test]
fn english_follows_once_after_all_repeats() {
    let bank = with_english();
    let voice = bank.voice(&bank.config(BOTH));
    let plan = voice.plan_message(&elderly("A012", "5"), 2, Form::Full);
    let vietnamese = "north/mời_công_dân_có_số_thứ_tự_a 130 north/không_một_hai 200 north/người_cao_tuổi 150 \
                      north/đến_quầy_số_năm";
    let english = "english/ticket_number_a 130 english/zero_one_two 200 english/senior_citizen 200 \
                   english/please_go_to_counter_five";
    assert_eq!(
        parts(&plan.utterance),
        format!("chimes/two-tone 150 {vietnamese} 600 {vietnamese} 600 {english}")
    );
    assert!(
        plan.utterance
            .text
            .ends_with("năm. Ticket number A zero one two, senior citizen, please go to counter five.")
    );
    assert_eq!(plan.missing, [""; 0]);
}

#[test]
fn english_gives_way_while_others_wait() {
    let bank = with_english();
    let voice = bank.voice(&bank.config(BOTH));
    for (repeats, form) in [(1, Form::Full), (1, Form::Short)] {
        assert!(!said(&voice, "A012", "5", repeats, form).contains("english"), "{repeats} {form:?}");
    }
    let vietnamese_only = bank.voice(&bank.config(""));
    assert!(!said(&vietnamese_only, "A012", "5", 2, Form::Full).contains("english"));
}

#[test]
fn what_english_cannot_say_is_left_to_the_vietnamese_and_named() {
    let bank = with_english();
    let config = bank.config(BOTH);
    let voice = bank.voice(&config);
    let plan = voice.plan_message(&elderly("A012", "1"), 2, Form::Full);
    assert!(!parts(&plan.utterance).contains("english"));
    assert!(plan.missing.contains(&"please".to_owned()), "{:?}", plan.missing);
    let missing = voice.missing(&config);
    assert!(missing.iter().any(|line| line.starts_with("in English: counter 1: ")), "{missing:#?}");
}

#[test]
fn a_voice_of_the_wrong_language_is_refused() {
    let bank = with_english();
    let error = |more| sounds::load(&bank.dir, &bank.config(more)).unwrap_err().to_string();
    assert!(
        error("[speech]\nvoice = \"english\"\n")
            .ends_with("speaks \"en\", and speech.voice must speak \"vi\"")
    );
    let wrong = error("[speech]\nlanguages = [\"vi\", \"en\"]\nenglish_voice = \"north\"\n");
    assert!(wrong.ends_with("and speech.english_voice must speak \"en\""), "{wrong}");
}

#[test]
fn a_voice_that_cannot_be_read_costs_no_more_than_it_must() {
    let bank = with_english();
    let chimes = std::fs::read(bank.dir.join("chimes/chimes.toml")).unwrap();
    let heard = |more: &str| sounds::load_or_less(&bank.config(more)).unwrap();
    assert_eq!(heard(BOTH).broken, None);
    let check = |more: &str, instead: &str, spoken: &str| {
        let heard = heard(more);
        let why = heard.broken.expect("it is told");
        assert!(why.contains("format: must be 1") && why.ends_with(instead), "{why}");
        assert_eq!(said(&heard.voice, "A012", "5", 1, Form::Full), spoken);
        assert!(!said(&heard.voice, "A012", "5", 2, Form::Full).contains("english"));
    };
    let north = "chimes/two-tone 150 north/mời_công_dân_có_số_thứ_tự_a 130 north/không_một_hai 200 north/người_cao_tuổi 150 \
                 north/đến_quầy_số_năm";
    bank.write("chimes/chimes.toml", b"format = \n");
    let silent = heard("");
    assert!(silent.broken.expect("it is told").ends_with("no chime is heard"));
    assert_eq!(
        Some(&*said(&silent.voice, "A012", "5", 1, Form::Full)),
        north.strip_prefix("chimes/two-tone 150 ")
    );
    bank.write("chimes/chimes.toml", &chimes);
    bank.write("english/bank.toml", b"format = 2\n");
    check(BOTH, "Vietnamese alone is spoken", north);
    bank.write("lan/bank.toml", b"format = 2\n");
    check("[speech]\nvoice = \"lan\"\n", "the voice north speaks instead", north);
    bank.write("north/bank.toml", b"format = 2\n");
    check("", "only chimes are heard", "chimes/two-tone");
    std::fs::remove_file(bank.dir.join("chimes/chimes.toml")).unwrap();
    assert!(sounds::load_or_less(&bank.config("")).is_err());
}

#[test]
fn an_accent_takes_from_its_base_what_it_shares() {
    let mut bank = SoundBank::new();
    let south = "language = \"vi\"\naccent = \"south\"\nbase = \"north\"\n";
    bank.add_voice("south", south, &[("một ngàn", 260), ("không trăm lẻ năm", 410)], &[]);
    let voice = bank.voice(&bank.config("[speech]\nvoice = \"south\"\n"));
    assert_eq!(
        said(&voice, "1005", "5", 1, Form::Full),
        "chimes/two-tone 150 north/mời_công_dân_có_số_thứ_tự 150 south/một_ngàn south/không_trăm_lẻ_năm 200 \
         north/người_cao_tuổi 150 north/đến_quầy_số_năm"
    );
}
