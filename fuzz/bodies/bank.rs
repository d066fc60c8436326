//! The manifest of a voice and, after a zero byte, a phrase that it is to say.

use moiso::speech::bank::{Bank, Chimes, Take};

/// Whatever stands in a manifest, it is read or refused with reasons; a phrase is made of clips of the bank, or the words that
/// lack are named.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (manifest, phrase) = text.split_once('\0').unwrap_or((&text, "mười hai"));
    match Bank::parse(manifest, "north") {
        Err(problems) => assert!(!problems.is_empty()),
        Ok(bank) => {
            for take in [Take::Mid, Take::End] {
                match bank.resolve(phrase, take) {
                    Ok(clips) => {
                        assert!(clips.iter().all(|clip| bank.clips().any(|own| own == clip)), "{phrase}");
                    }
                    Err(lacking) => assert!(!lacking.is_empty(), "{phrase}"),
                }
            }
        }
    }
    if let Ok(chimes) = Chimes::parse(manifest, "chimes") {
        assert_eq!(chimes.names().count(), chimes.clips().count());
    }
}
